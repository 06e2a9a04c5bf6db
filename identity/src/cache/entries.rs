//! The entries of a cache: their tokens, and the refusals of the service.

use std::{
    collections::{
        BTreeMap,
        btree_map::Entry::{Occupied, Vacant},
    },
    sync::Arc,
};

use super::{
    CacheKey,
    fast_path::{Lent, Owner, Slot},
    policy::{Held, Life, Terms},
};
use crate::{
    AccessToken, Error,
    chain::{Identity, ObserverRef},
    platform::{Reading, nanoseconds},
};

pub(super) struct State {
    pub(super) closed: bool,
    pub(super) capacity: usize,
    pub(super) observer: ObserverRef,
    owner: Owner,
    /// A counter of uses and fetches, which orders them.
    turn: u64,
    entries: BTreeMap<Arc<CacheKey>, Entry>,
    /// The entries by a turn that is not later than their last use.
    by_use: BTreeMap<u64, Arc<CacheKey>>,
}

pub(super) struct Entry {
    used: u64,
    /// The image of the entry for lock-free reads. [`show`](Self::show) must be called after each
    /// change.
    slot: Arc<Slot>,
    pub(super) held: Option<Held>,
    /// The turn at which the fetch of the token began.
    begun: u64,
    /// The turn at which the last answer of the source came.
    landed: u64,
    /// The identity of the last token that was not opaque.
    identity: Option<Identity>,
    /// See [`Terms::paused_until`].
    paused_until: u64,
    /// See [`Terms::quiet_until`].
    quiet_until: u64,
    refusal: Option<Refusal>,
    /// The turns at which forced calls came. They wait for the next answer of the source.
    forced: Vec<u64>,
}

impl Entry {
    fn new(slot: Slot, turn: u64) -> Self {
        Self {
            used: turn,
            slot: Arc::new(slot),
            held: None,
            begun: 0,
            landed: 0,
            identity: None,
            paused_until: 0,
            quiet_until: 0,
            refusal: None,
            forced: Vec::new(),
        }
    }

    /// Returns the terms of the token.
    pub(super) fn terms(&self) -> Terms {
        let Some(held) = &self.held else {
            return Terms::NOTHING;
        };
        Terms {
            paused_until: self.paused_until,
            quiet_until: self.quiet_until,
            ..held.terms()
        }
    }

    fn show(&self) {
        let Some(held) = &self.held else {
            return self.slot.hide();
        };
        self.slot.show(Lent {
            member: usize::MAX,
            token: held.token.clone(),
            terms: self.terms(),
        });
    }
}

/// A refusal with a `Retry-After` (PR-12).
struct Refusal {
    /// In nanoseconds of the monotonic clock, because the wall clock may be set.
    until: u64,
    error: Error,
}

/// The fetch that returned a token.
#[derive(Clone, Copy)]
pub(super) struct Fetch {
    /// The turn at which it began.
    pub(super) begun: u64,
    pub(super) with_claims: bool,
    pub(super) landed: Reading,
    /// A random number in [0, 1) for the pause after it.
    pub(super) draw: f64,
}

impl State {
    pub(super) fn new(owner: Owner, capacity: usize) -> Self {
        Self {
            closed: false,
            capacity,
            observer: None,
            owner,
            turn: 0,
            entries: BTreeMap::new(),
            by_use: BTreeMap::new(),
        }
    }

    /// Returns a new turn, later than all before.
    pub(super) fn next_turn(&mut self) -> u64 {
        self.turn += 1;
        self.turn
    }

    pub(super) fn get(&self, key: &CacheKey) -> Option<&Entry> {
        self.entries.get(key)
    }

    /// Returns the slot of the entry for `key`.
    pub(super) fn slot(&self, key: &CacheKey) -> Option<&Arc<Slot>> {
        Some(&self.entries.get(key)?.slot)
    }

    /// Returns the entry for `key`, if there is one, and marks it as used.
    pub(super) fn use_entry(&mut self, key: &CacheKey) -> Option<&Entry> {
        let turn = self.next_turn();
        let entry = self.entries.get_mut(key)?;
        entry.used = turn;
        Some(entry)
    }

    /// Changes the entry for `key` and marks it as used. If there is none, it is created, and
    /// others may be evicted for it.
    pub(super) fn change<R>(&mut self, key: &CacheKey, change: impl FnOnce(&mut Entry) -> R) -> R {
        let turn = self.next_turn();
        let entry = match self.entries.entry(Arc::new(key.clone())) {
            Occupied(entry) => entry.into_mut(),
            Vacant(entry) => {
                self.by_use.insert(turn, Arc::clone(entry.key()));
                entry.insert(Entry::new(Slot::new(&self.owner), turn))
            }
        };
        entry.used = turn;
        let result = change(entry);
        entry.show();
        self.make_room(key);
        result
    }

    /// Changes the entry for `key`, if there is one.
    pub(super) fn amend<R>(
        &mut self,
        key: &CacheKey,
        change: impl FnOnce(&mut Entry) -> R,
    ) -> Option<R> {
        let entry = self.entries.get_mut(key)?;
        let result = change(entry);
        entry.show();
        Some(result)
    }

    /// Returns the life of `token` if it is the token for `key`, with or without its claims.
    pub(super) fn known_life(&self, key: &CacheKey, token: &AccessToken) -> Option<Life> {
        let plain = key.without_claims();
        [Some(key), plain.as_ref()]
            .into_iter()
            .flatten()
            .filter_map(|key| self.entries.get(key)?.held.as_ref())
            .find(|held| held.token == *token)
            .map(|held| held.life)
    }

    /// Registers a caller that waits for the next answer for `key`. Returns the turn at which it
    /// came.
    pub(super) fn force(&mut self, key: &CacheKey) -> u64 {
        self.change(key, |entry| {
            entry.forced.push(entry.used);
            entry.used
        })
    }

    /// Removes the caller that came at `turn`.
    pub(super) fn unforce(&mut self, key: &CacheKey, turn: u64) {
        if let Some(entry) = self.entries.get_mut(key) {
            entry.forced.retain(|other| *other != turn);
        }
    }

    /// Records `identity` as that of the token that `fetch` brought for `key`. Returns the identity
    /// before, if it was another one. A token that will not be kept changes nothing.
    pub(super) fn identify(
        &mut self,
        key: &CacheKey,
        identity: &Identity,
        fetch: Fetch,
    ) -> Option<Identity> {
        let before = self.change(key, |entry| {
            let is_kept = !entry.is_overtaken(fetch);
            is_kept.then(|| entry.identity.replace(identity.clone()))
        });
        before
            .flatten()
            .filter(|before| !before.has_principal_of(identity))
    }

    /// Stores the token of `fetch`, unless the entry holds a better one. Returns the token of the
    /// entry.
    pub(super) fn keep(&mut self, key: &CacheKey, held: Held, fetch: Fetch) -> AccessToken {
        self.change(key, |entry| entry.keep(held, fetch))
    }

    pub(super) fn refuse(&mut self, key: &CacheKey, until: u64, error: &Error) {
        self.change(key, |entry| {
            entry.paused_until = entry.paused_until.max(until);
            // Requests with and without claims may both be refused; the longer wait counts.
            let refusal = entry.refusal.as_ref();
            if refusal.is_none_or(|known| known.until < until) {
                entry.refusal = Some(Refusal {
                    until,
                    error: error.clone(),
                });
            }
        });
    }

    /// Returns the error of a refusal whose `Retry-After` is not over.
    pub(super) fn refusal(&self, key: &CacheKey, now: Reading) -> Option<Error> {
        let plain = key.without_claims();
        [Some(key), plain.as_ref()]
            .into_iter()
            .flatten()
            .filter_map(|key| self.entries.get(key)?.refusal.as_ref())
            .find(|refusal| now.monotonic < refusal.until)
            .map(|refusal| refusal.error.clone())
    }

    /// Removes all entries. The caller drops them after it has released the lock.
    pub(super) fn empty(&mut self) -> impl Sized + use<> {
        for entry in self.entries.values() {
            entry.slot.close();
        }
        self.by_use.clear();
        std::mem::take(&mut self.entries)
    }

    /// Evicts the entries whose last use is longest ago, but not the one for `newest`.
    fn make_room(&mut self, newest: &CacheKey) {
        let last = self.turn;
        while self.entries.len() > self.capacity {
            let Some((queued, key)) = self.by_use.pop_first() else {
                return;
            };
            let turn = self.next_turn();
            let Some(entry) = self.entries.get_mut(&*key) else {
                continue;
            };
            // Lock-free hits only set `used`. Each entry gets one second chance; otherwise
            // concurrent hits could keep this loop running.
            if (queued <= last && entry.slot.take_used()) || *key == *newest {
                entry.used = turn;
            }
            if entry.used > queued {
                self.by_use.insert(entry.used, key);
                continue;
            }
            entry.slot.close();
            self.entries.remove(&*key);
        }
    }
}

impl Entry {
    /// Returns whether the entry holds a valid token of a later fetch. That fetch had claims, which
    /// the token of this one may not meet.
    fn is_overtaken(&self, fetch: Fetch) -> bool {
        let held = self.held.as_ref();
        self.begun > fetch.begun && held.is_some_and(|newer| !newer.life.is_over(fetch.landed))
    }

    fn keep(&mut self, held: Held, fetch: Fetch) -> AccessToken {
        let now = fetch.landed;
        if let Some(newer) = self.held.as_ref().filter(|_| self.is_overtaken(fetch)) {
            return newer.token.clone();
        }
        let pause = held.pause(self.held.as_ref(), fetch.draw);
        self.paused_until = now.monotonic.saturating_add(nanoseconds(pause));
        self.quiet_until = 0;
        self.refusal = None;
        let wanted = self.is_forced() || fetch.with_claims;
        self.landed = self.used;
        // A refresh never replaces a valid token by one that ends sooner (PR-23), unless it had
        // claims or was forced.
        let better = |current: &&Held| !wanted && current.outlasts(&held, now);
        if let Some(better) = self.held.as_ref().filter(better) {
            return better.token.clone();
        }
        let token = held.token.clone();
        self.begun = fetch.begun;
        self.held = Some(held);
        token
    }

    /// Returns whether a forced call still waits for its answer.
    pub(super) fn is_forced(&self) -> bool {
        self.forced.iter().any(|turn| *turn > self.landed)
    }

    /// Records that a refresh is under way, assumed until `until`.
    pub(super) fn keep_quiet_until(&mut self, until: u64) {
        self.quiet_until = until;
    }

    /// Records that a fetch has failed: no refresh starts before `until`.
    pub(super) fn pause_until(&mut self, until: u64) {
        self.paused_until = self.paused_until.max(until);
        self.quiet_until = 0;
    }
}
