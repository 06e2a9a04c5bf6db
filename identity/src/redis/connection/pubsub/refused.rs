//! Subscriptions that the server has refused to a connection that was made anew.

use std::time::Duration;

use jiff::Timestamp;

use super::{names::Names, subscription_verb::SubscriptionVerb};
use crate::redis::connection::schedule::retry_after;

/// The refused names, and when they are tried again: after 1 s, doubled up to 30 s.
pub(super) struct Refused {
    names: Names,
    /// From when on their messages may be missing, by the wall clock.
    pub since: Timestamp,
    /// When they are tried again, by the monotonic clock.
    at: Duration,
    tries: u32,
}

impl Refused {
    /// Nothing is refused.
    pub fn none() -> Self {
        Self {
            names: Names::default(),
            since: Timestamp::MAX,
            at: Duration::MAX,
            tries: 0,
        }
    }

    pub fn names(&self) -> &Names {
        &self.names
    }

    /// The server has refused all of `names`, whose messages may be missing from `since` on.
    /// Returns those of them that it had not refused before.
    pub fn replace(&mut self, names: Names, since: Timestamp, now: Duration) -> Names {
        let news = names.without(&self.names);
        self.since = match names.is_empty() {
            true => Timestamp::MAX,
            false => self.since.min(since),
        };
        self.names = names;
        self.tries = 0;
        self.plan(now);
        news
    }

    /// Forgets a name. Tells whether it was refused.
    pub fn remove(&mut self, verb: SubscriptionVerb, name: &[u8]) -> bool {
        let was_refused = self.names.remove(verb, name);
        if self.names.is_empty() {
            *self = Self::none();
        }
        was_refused
    }

    /// When the names are tried again, by the monotonic clock. `None` if nothing is refused.
    pub fn due(&self) -> Option<Duration> {
        (!self.names.is_empty()).then_some(self.at)
    }

    /// They are being tried again at `now`.
    pub fn plan(&mut self, now: Duration) {
        self.tries = self.tries.saturating_add(1);
        self.at = now.saturating_add(retry_after(self.tries));
    }
}
