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

    /// Removes a name. Returns whether it was refused.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn names(all: &[&str]) -> Names {
        let mut names = Names::default();
        for name in all {
            names.insert(SubscriptionVerb::Subscribe, name.as_bytes());
        }
        names
    }

    /// RS-03: the times of the next tries, and which refusals are news.
    #[test]
    fn a_refused_name_is_retried_with_growing_waits_and_reported_once() {
        let second = Duration::from_secs;
        let since = |at| Timestamp::from_second(at).unwrap();
        let mut refused = Refused::none();
        assert_eq!((refused.due(), refused.since), (None, Timestamp::MAX));
        assert_eq!(
            refused.replace(names(&["a"]), since(5), second(10)),
            names(&["a"])
        );
        assert_eq!(refused.names(), &names(&["a"]));
        assert_eq!(refused.due(), Some(second(11)));
        for (now, next) in [(11, 13), (13, 17)] {
            refused.plan(second(now));
            assert_eq!(refused.due(), Some(second(next)));
        }
        let news = refused.replace(names(&["a", "b"]), since(7), second(20));
        assert_eq!((news, refused.since), (names(&["b"]), since(5)));
        assert_eq!(refused.due(), Some(second(21)), "counted anew");

        let verb = SubscriptionVerb::Unsubscribe;
        assert!(!refused.remove(verb, b"c") && refused.remove(verb, b"a"));
        assert_eq!((refused.names(), refused.since), (&names(&["b"]), since(5)));
        assert!(refused.remove(verb, b"b"));
        assert_eq!((refused.due(), refused.since), (None, Timestamp::MAX));
        refused.replace(names(&["a"]), since(9), second(30));
        refused.replace(names(&[]), since(9), second(31));
        assert_eq!((refused.due(), refused.since), (None, Timestamp::MAX));
    }
}
