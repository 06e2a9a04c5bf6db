//! The entries of a cache: which token each keeps, and what the service has refused.

use std::{collections::BTreeMap, time::Duration};

use super::{
    CacheKey,
    refresh::{Held, Life, Moment},
};
use crate::{
    AccessToken, Error,
    chain::{Identity, ObserverRef},
};

pub(super) struct State {
    pub(super) closed: bool,
    pub(super) capacity: usize,
    pub(super) observer: ObserverRef,
    /// Counts uses and fetches, to tell earlier from later.
    pub(super) turn: u64,
    pub(super) entries: BTreeMap<CacheKey, Entry>,
}

#[derive(Default)]
pub(super) struct Entry {
    pub(super) used: u64,
    pub(super) held: Option<Held>,
    /// The turn at which the fetch of the token began.
    pub(super) begun: u64,
    /// Whom the last token stood for that was not opaque.
    pub(super) identity: Option<Identity>,
    /// Monotonic: no refresh before.
    pub(super) pause_until: Duration,
    pub(super) refusal: Option<Refusal>,
    /// Somebody waits for the next answer of the source, and for nothing that is here.
    pub(super) forced: bool,
}

/// The service wants to be left alone (PR-12).
pub(super) struct Refusal {
    /// Monotonic: the wall clock may be set.
    pub(super) until: Duration,
    pub(super) error: Error,
}

/// The fetch that brought a token.
#[derive(Clone, Copy)]
pub(super) struct Fetch {
    /// The turn at which it began.
    pub(super) begun: u64,
    pub(super) with_claims: bool,
    pub(super) landed: Moment,
    /// Of [0, 1), for the pause after it.
    pub(super) draw: f64,
}

impl State {
    /// The life of `token` if it is, or was, the one for `key`.
    pub(super) fn known_life(&self, key: &CacheKey, token: &AccessToken) -> Option<Life> {
        let plain = key.without_claims();
        [Some(key), plain.as_ref()]
            .into_iter()
            .flatten()
            .filter_map(|key| self.entries.get(key)?.held.as_ref())
            .find(|held| held.token == *token)
            .map(|held| held.life)
    }

    /// Puts what `fetch` brought where it belongs, and says which token is there now.
    pub(super) fn keep(&mut self, key: CacheKey, held: Held, fetch: Fetch) -> AccessToken {
        let now = fetch.landed;
        self.turn += 1;
        let turn = self.turn;
        let entry = self.entries.entry(key).or_default();
        entry.used = turn;
        if let Some(newer) = entry.held.as_ref().filter(|newer| {
            // A fetch with claims overtook this one, which may have brought what they reject.
            entry.begun > fetch.begun && !newer.left(now).is_zero()
        }) {
            return newer.token.clone();
        }
        entry.pause_until = now.monotonic + held.pause(entry.held.as_ref(), fetch.draw);
        entry.refusal = None;
        let wanted = std::mem::take(&mut entry.forced) || fetch.with_claims;
        // A refresh costs nobody a valid token that is the better one (PR-23). Claims do, and so
        // does who asks for a new one.
        let better = |current: &&Held| !wanted && current.outlasts(&held, now);
        if let Some(better) = entry.held.as_ref().filter(better) {
            return better.token.clone();
        }
        let token = held.token.clone();
        entry.begun = fetch.begun;
        entry.held = Some(held);
        self.make_room();
        token
    }

    pub(super) fn refuse(&mut self, key: CacheKey, until: Duration, error: &Error) {
        self.turn += 1;
        let turn = self.turn;
        let entry = self.entries.entry(key).or_default();
        entry.used = turn;
        entry.pause_until = entry.pause_until.max(until);
        // Requests with and without claims may be refused at the same time: the longer wait counts.
        if entry
            .refusal
            .as_ref()
            .is_none_or(|known| known.until < until)
        {
            entry.refusal = Some(Refusal {
                until,
                error: error.clone(),
            });
        }
        self.make_room();
    }

    /// The error of a service that still wants to be left alone.
    pub(super) fn refusal(&self, key: &CacheKey, now: Moment) -> Option<Error> {
        let plain = key.without_claims();
        [Some(key), plain.as_ref()]
            .into_iter()
            .flatten()
            .filter_map(|key| self.entries.get(key)?.refusal.as_ref())
            .find(|refusal| now.monotonic < refusal.until)
            .map(|refusal| refusal.error.clone())
    }

    pub(super) fn make_room(&mut self) {
        while self.entries.len() > self.capacity {
            // Looks at every entry, but only when a token has just come over the network.
            let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.used);
            let Some(oldest) = oldest.map(|(key, _)| key.clone()) else {
                return;
            };
            self.entries.remove(&oldest);
        }
    }
}
