//! The entries of a cache under one lock: the look-up for a caller, and the handling of an answer.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use super::{
    CacheKey,
    entries::{Entry, Fetch, State},
    fast_path::{Asked, Lookup, Memo, Owner, Slot},
    policy::{self, Decision, Held, Terms},
    single_flight::{Outcome, cancelled},
};
use crate::{
    AccessToken, Error, Platform, TokenRef,
    chain::{Identity, IdentityChange, ObserverRef},
    platform::{Clock, Random, Reading, nanoseconds},
};

/// The default of the maximum number of entries (PR-29).
pub(crate) const DEFAULT_CAPACITY: usize = 10_000;

/// The maximum number of spellings of requests in the lookup, per entry of the capacity.
const SPELLINGS: usize = 4;

/// How long a refresh that was seen under way is assumed to be so, so that hits need not check.
const QUIET: Duration = Duration::from_secs(1);

/// A caller waiting for a refresh gives up while the current token has this much life left.
const RESERVE: Duration = Duration::from_secs(5);

pub(super) struct Memory {
    pub(super) credential: String,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    /// The slots of the entries, for lock-free reads.
    lookup: Lookup,
    state: Mutex<State>,
}

/// The result of a look-up.
pub(super) enum Found {
    /// A token to return.
    Fresh(AccessToken),
    /// A token to return, while a newer one should be fetched in the background.
    Due(AccessToken),
    /// A token with less life left than wanted. Holds how long to wait for a newer one.
    Short(Duration),
    /// No token, and the service must not be asked now.
    Refused(Error),
    /// No token.
    Nothing,
    /// The cache was disposed.
    Closed,
}

impl Memory {
    pub(super) fn new(platform: &Platform, credential: &str) -> Self {
        let seed = platform.random.next(&format!("cache/{credential}/index"));
        let lookup = Lookup::new(seed);
        Self {
            credential: credential.to_owned(),
            clock: Arc::clone(&platform.clock),
            random: Arc::clone(&platform.random),
            state: Mutex::new(State::new(lookup.owner.clone(), DEFAULT_CAPACITY)),
            lookup,
        }
    }

    #[inline]
    pub(super) fn owner(&self) -> &Owner {
        &self.lookup.owner
    }

    #[inline(always)]
    pub(super) fn lend(&self, slot: &Slot, min_remaining: u64) -> Option<TokenRef> {
        slot.lend(&*self.clock, min_remaining)
    }

    /// Returns the hit for `asked`, which `memo` remembers if there is one. `key` is called only if
    /// the lookup does not know `asked`.
    #[inline]
    pub(super) fn hit<S: AsRef<str>>(
        &self,
        asked: &Asked<'_, S>,
        memo: Option<&Memo>,
        min_remaining: u64,
        key: impl FnOnce() -> Option<CacheKey>,
    ) -> Option<TokenRef> {
        let hit = |slot: &Arc<Slot>| {
            if let Some(memo) = memo {
                memo.note(slot);
            }
            Some(self.lend(slot, min_remaining))
        };
        match self.lookup.find(asked, hit) {
            Some(hit) => hit,
            None => self.lend(&*self.learn(asked, &key()?)?, min_remaining),
        }
    }

    /// Returns the slot for `key`, and adds it to the lookup for `asked`.
    #[cold]
    fn learn<S: AsRef<str>>(&self, asked: &Asked<'_, S>, key: &CacheKey) -> Option<Arc<Slot>> {
        let state = self.lock();
        let slot = Arc::clone(state.slot(key)?);
        let spellings = state.capacity.saturating_mul(SPELLINGS);
        self.lookup.note(asked, Arc::clone(&slot), spellings);
        Some(slot)
    }

    pub(super) fn set_capacity(&self, entries: usize) {
        self.lock().capacity = entries.max(1);
    }

    pub(super) fn set_observer(&self, observer: ObserverRef) {
        self.lock().observer = observer;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Reading {
        Reading::exact(&*self.clock)
    }

    /// Returns the token for `key` if it is valid, however little of its life is left.
    pub(super) fn valid(&self, key: &CacheKey) -> Option<AccessToken> {
        let now = self.now();
        let state = self.lock();
        let held = state.get(key)?.held.as_ref()?;
        (!held.life.is_over(now)).then(|| held.token.clone())
    }

    /// Looks up `key` for a caller that wants at least `min_remaining`.
    pub(super) fn look(&self, key: &CacheKey, min_remaining: Duration) -> Found {
        let now = self.now();
        let mut state = self.lock();
        if state.closed {
            return Found::Closed;
        }
        if let Some(entry) = state.use_entry(key)
            && let Some(held) = &entry.held
        {
            // The flights know whether a refresh is under way, so the assumption is not needed
            // here.
            let terms = Terms {
                quiet_until: 0,
                ..entry.terms()
            };
            match terms.decide(now, nanoseconds(min_remaining)) {
                Decision::Fresh => return Found::Fresh(held.token.clone()),
                Decision::Due => return Found::Due(held.token.clone()),
                Decision::Short => {
                    let left = held.life.left(now);
                    return Found::Short(left.saturating_sub(RESERVE).max(left / 2));
                }
                // It is kept, because the source may return the same token again (PR-20).
                Decision::Ended => {}
            }
        }
        match state.refusal(key, now) {
            Some(error) => Found::Refused(error),
            None => Found::Nothing,
        }
    }

    /// Registers a caller that forces a refresh of `key`: until the returned value is dropped, the
    /// next answer replaces the cached token in any case.
    ///
    /// # Errors
    /// `Cancelled` after `dispose`, and the service's error before its `Retry-After` is over
    /// (PR-12).
    pub(super) fn force(self: &Arc<Self>, key: &CacheKey) -> Result<Forced, Error> {
        let now = self.now();
        let mut state = self.lock();
        if state.closed {
            return Err(cancelled(&self.credential));
        }
        if let Some(error) = state.refusal(key, now) {
            return Err(error);
        }
        Ok(Forced {
            memory: Arc::downgrade(self),
            key: key.clone(),
            turn: state.force(key),
        })
    }

    /// Returns whether a forced call for `key` still waits for its answer.
    pub(super) fn is_forced(&self, key: &CacheKey) -> bool {
        self.lock().get(key).is_some_and(Entry::is_forced)
    }

    /// Returns the turn of a fetch that begins now.
    pub(super) fn begin(&self) -> u64 {
        self.lock().next_turn()
    }

    /// Records that a refresh of `key` is under way, so that hits are fresh for a while.
    pub(super) fn refreshing(&self, key: &CacheKey) {
        let until = self.now().monotonic.saturating_add(nanoseconds(QUIET));
        self.lock()
            .amend(key, |entry| entry.keep_quiet_until(until));
    }

    /// Stores the outcome of a fetch for `key` that began at turn `begun`, and returns what its
    /// callers get. `within_chain` is set for requests of a chain, which reports changes of
    /// identity itself.
    pub(super) fn land(
        &self,
        key: &CacheKey,
        begun: u64,
        within_chain: bool,
        outcome: Outcome,
    ) -> Outcome {
        let outcome = match outcome {
            Ok(token) => self.receive(key, begun, within_chain, token),
            Err(error) => Err(error),
        };
        outcome.inspect_err(|error| self.fail(key, error))
    }

    fn receive(
        &self,
        key: &CacheKey,
        begun: u64,
        within_chain: bool,
        token: AccessToken,
    ) -> Outcome {
        let purpose = |what| format!("cache/{}/{what}/{}", self.credential, key.scopes());
        let point_draw = self.random.unit(&purpose("refresh"));
        let pause_draw = self.random.unit(&purpose("pause"));
        let now = self.now();
        let known = self.lock().known_life(key, &token);
        let Some(held) = Held::new(token.clone(), known, now, point_draw) else {
            return Err(token.had_expired(&self.credential));
        };
        let plain = key.without_claims();
        let fetch = Fetch {
            begun,
            with_claims: plain.is_some(),
            landed: now,
            draw: pause_draw,
        };
        // Reported before any caller can get the token.
        self.report(plain.as_ref().unwrap_or(key), &token, fetch, within_chain);

        let mut state = self.lock();
        if state.closed {
            return Err(cancelled(&self.credential));
        }
        // A token obtained with claims replaces the entry without claims (PR-26).
        if let Some(plain) = plain {
            state.keep(&plain, held.clone(), fetch);
        }
        Ok(state.keep(key, held, fetch))
    }

    /// Reports a change of identity if `token` has another principal than the previous one.
    fn report(&self, key: &CacheKey, token: &AccessToken, fetch: Fetch, within_chain: bool) {
        if token.principal().is_none() {
            return;
        }
        let to = Identity::of(token);
        let mut state = self.lock();
        if state.closed {
            return;
        }
        let from = state.identify(key, &to, fetch);
        let observer = state.observer.clone();
        drop(state);
        // If a chain returned the token, it has reported the change.
        if let Some(from) = from.filter(|_| token.chain().is_none()) {
            IdentityChange::new(from, to, false).report(
                &self.credential,
                within_chain,
                observer.as_deref(),
            );
        }
    }

    fn fail(&self, key: &CacheKey, error: &Error) {
        let now = self.now();
        let pause = policy::pause(self.random.unit(&format!(
            "cache/{}/pause/{}",
            self.credential,
            key.scopes()
        )));
        let mut state = self.lock();
        if state.closed {
            return;
        }
        if let Some(at) = error.silent_until() {
            let until = now.monotonic.saturating_add(nanoseconds(now.until(at)));
            // The service throttles requests with and without claims alike.
            let plain = key.without_claims();
            for key in [Some(key), plain.as_ref()].into_iter().flatten() {
                state.refuse(key, until, error);
            }
        }
        let left = state.amend(key, |entry| {
            entry.pause_until(now.monotonic.saturating_add(nanoseconds(pause)));
            let held = entry.held.as_ref();
            held.map(|held| held.life.left(now)).unwrap_or_default()
        });
        drop(state);
        let left = left.unwrap_or_default();
        if !left.is_zero() {
            let credential = &self.credential;
            tracing::warn!(credential, %error, ?left, "the refresh failed; the token stays valid");
        }
    }

    /// Drops all entries and refuses all later calls (PR-29).
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.observer = None;
        let entries = state.empty();
        drop(state);
        drop(entries);
        self.lookup.clear();
    }
}

/// The registration of a forced call. Dropping it ends the registration.
pub(super) struct Forced {
    memory: Weak<Memory>,
    key: CacheKey,
    turn: u64,
}

impl Drop for Forced {
    fn drop(&mut self) {
        if let Some(memory) = self.memory.upgrade() {
            memory.lock().unforce(&self.key, self.turn);
        }
    }
}

impl Drop for Memory {
    /// Prepared requests may still hold slots, which must become empty.
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::TokenRequest;

    /// A prepared request keeps a slot that the lookup may have forgotten meanwhile.
    #[test]
    fn pr_29_a_slot_that_the_lookup_does_not_know_shows_nothing_after_the_end() {
        for disposed in [true, false] {
            let memory = Memory::new(&Platform::system(), "Test");
            let clock = Arc::clone(&memory.clock);
            let ends = clock.now() + SignedDuration::from_hours(1);
            let token = AccessToken::new("t".to_owned(), ends, "Test");
            let key = CacheKey::of(&TokenRequest::new(["scope"]));
            let slot = {
                let mut state = memory.lock();
                state.change(&key, |entry| {
                    entry.held = Held::new(token, None, Reading::exact(&*clock), 0.0);
                });
                Arc::clone(state.slot(&key).unwrap())
            };
            assert!(slot.lend(&*clock, 0).is_some());
            if disposed {
                memory.close();
            } else {
                drop(memory);
            }
            assert!(slot.lend(&*clock, 0).is_none());
        }
    }
}
