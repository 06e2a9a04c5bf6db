//! The tokens in memory: what a caller gets at once, and what becomes of an answer.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::{
    CacheKey,
    entries::{Fetch, State},
    flight::{Outcome, cancelled},
    refresh::{self, Held, Moment},
};
use crate::{
    AccessToken, Error, ErrorKind, Platform, TokenRef,
    chain::{Identity, IdentityChange, ObserverRef},
    hit::{Asked, Index, Lent, Memo, Slot},
    platform::{Clock, Random},
};

/// How many entries there are room for (PR-29).
pub(crate) const DEFAULT_CAPACITY: usize = 10_000;

/// How many spellings of requests the index remembers for each entry that there is room for.
const SPELLINGS: usize = 4;

/// For how long a refresh that was started, or was under way, is taken to be so.
const QUIET: Duration = Duration::from_secs(1);

/// What is left of a token's life when a caller at the latest gets it who waits for a newer one.
const RESERVE: Duration = Duration::from_secs(5);

pub(super) struct Memory {
    pub(super) credential: String,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    /// The slots of the entries, for those who take no lock.
    index: Index<Lent>,
    state: Mutex<State>,
}

/// What there is for a caller.
pub(super) enum Found {
    /// A token to hand out.
    Fresh(AccessToken),
    /// A token to hand out, while a newer one should be fetched.
    Due(AccessToken),
    /// A token with less left than wanted: a newer one is worth waiting this long.
    Short(Duration),
    /// No token, and none may be asked for.
    Refused(Error),
    /// No token.
    Nothing,
    /// Nothing ever again.
    Closed,
}

impl Memory {
    pub(super) fn new(platform: &Platform, credential: &str) -> Self {
        let seed = platform.random.next(&format!("cache/{credential}/index"));
        let index = Index::new(Lent::nothing(), seed);
        Self {
            credential: credential.to_owned(),
            clock: Arc::clone(&platform.clock),
            random: Arc::clone(&platform.random),
            state: Mutex::new(State::new(index.owner.clone(), DEFAULT_CAPACITY)),
            index,
        }
    }

    /// The hit, if it is one. `key` is asked only where neither `memo` nor the index knows `asked`.
    pub(super) fn hit<S: AsRef<str>>(
        &self,
        asked: &Asked<'_, S>,
        memo: Option<&Memo>,
        min_remaining: u64,
        key: impl FnOnce() -> Option<CacheKey>,
    ) -> Option<TokenRef> {
        let mut known = false;
        let lend = |slot: &Arc<Slot<Lent>>| {
            known = true;
            slot.lend(&*self.clock, min_remaining)
        };
        let hit = match memo {
            Some(memo) => self.index.find_prepared(memo, asked, lend),
            None => self.index.find(asked, lend),
        };
        if known {
            return hit;
        }
        self.learn(asked, &key()?)?
            .lend(&*self.clock, min_remaining)
    }

    /// The slot for `key`, which from now on is known to be that for `asked`.
    #[cold]
    fn learn<S: AsRef<str>>(
        &self,
        asked: &Asked<'_, S>,
        key: &CacheKey,
    ) -> Option<Arc<Slot<Lent>>> {
        let state = self.lock();
        let slot = Arc::clone(state.slot(key)?);
        let spellings = state.capacity.saturating_mul(SPELLINGS);
        self.index.note(asked, Arc::clone(&slot), spellings);
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

    fn now(&self) -> Moment {
        Moment::of(&*self.clock)
    }

    /// The token for `key`, if it is valid, however short.
    pub(super) fn valid(&self, key: &CacheKey) -> Option<AccessToken> {
        let now = self.now();
        let state = self.lock();
        let held = state.get(key)?.held.as_ref()?;
        (!held.left(now).is_zero()).then(|| held.token.clone())
    }

    /// What there is for a caller who wants at least `min_remaining`.
    pub(super) fn look(&self, key: &CacheKey, min_remaining: Duration) -> Found {
        let now = self.now();
        let mut state = self.lock();
        if state.closed {
            return Found::Closed;
        }
        if let Some(entry) = state.use_entry(key) {
            let left = entry
                .held
                .as_ref()
                .map(|held| held.left(now))
                .unwrap_or_default();
            match &entry.held {
                Some(held) if !left.is_zero() => {
                    let may_refresh = now.monotonic >= entry.pause_until;
                    return if may_refresh && left < min_remaining {
                        Found::Short(left.saturating_sub(RESERVE).max(left / 2))
                    } else if may_refresh && held.is_due(left) {
                        Found::Due(held.token.clone())
                    } else {
                        Found::Fresh(held.token.clone())
                    };
                }
                // One that has ended stays: its source may give it again (PR-20).
                _ => {}
            }
        }
        match state.refusal(key, now) {
            Some(error) => Found::Refused(error),
            None => Found::Nothing,
        }
    }

    /// Whatever is here for `key`, the next answer is the one that counts, unless none may be asked
    /// for.
    pub(super) fn force(&self, key: &CacheKey) -> Found {
        let now = self.now();
        let mut state = self.lock();
        if state.closed {
            return Found::Closed;
        }
        if let Some(error) = state.refusal(key, now) {
            return Found::Refused(error);
        }
        state.change(key, |entry| entry.forced = true);
        Found::Nothing
    }

    /// Whether somebody waits for the next answer for `key`.
    pub(super) fn is_forced(&self, key: &CacheKey) -> bool {
        self.lock().get(key).is_some_and(|entry| entry.forced)
    }

    /// The turn of a fetch that begins now.
    pub(super) fn begin(&self) -> u64 {
        self.lock().next_turn()
    }

    /// A refresh for `key` has been started, or was under way: for a while nobody need see to it.
    pub(super) fn refreshing(&self, key: &CacheKey) {
        let until = self.now().monotonic + QUIET;
        self.lock()
            .amend(key, |entry| entry.keep_quiet_until(until));
    }

    /// Keeps what a fetch for `key` came to that began at turn `begun`; what its callers get.
    pub(super) fn land(&self, key: &CacheKey, begun: u64, outcome: Outcome) -> Outcome {
        let outcome = match outcome {
            Ok(token) => self.receive(key, begun, token),
            Err(error) => Err(error),
        };
        outcome.inspect_err(|error| self.fail(key, error))
    }

    fn receive(&self, key: &CacheKey, begun: u64, token: AccessToken) -> Outcome {
        let purpose = |what| format!("cache/{}/{what}/{}", self.credential, key.scopes());
        let point_draw = self.random.unit(&purpose("refresh"));
        let pause_draw = self.random.unit(&purpose("pause"));
        let now = self.now();
        let known = self.lock().known_life(key, &token);
        let Some(held) = Held::new(token.clone(), known, now, point_draw) else {
            return Err(ended(&self.credential, &token));
        };

        let plain = key.without_claims();
        self.report(plain.as_ref().unwrap_or(key), &token);

        let mut state = self.lock();
        if state.closed {
            return Err(cancelled(&self.credential));
        }
        let fetch = Fetch {
            begun,
            with_claims: plain.is_some(),
            landed: now,
            draw: pause_draw,
        };
        // What claims asked for is what everybody gets from now on (PR-26).
        if let Some(plain) = plain {
            state.keep(&plain, held.clone(), fetch);
        }
        Ok(state.keep(key, held, fetch))
    }

    /// Says so if `token` stands for somebody else than the one before, unless the chain that
    /// gave it has said so already.
    fn report(&self, key: &CacheKey, token: &AccessToken) {
        if token.principal().is_none() {
            return;
        }
        let to = Identity::of(token);
        let mut state = self.lock();
        if state.closed {
            return;
        }
        let from = state.change(key, |entry| entry.identity.replace(to.clone()));
        let observer = state.observer.clone();
        drop(state);
        let Some(from) = from.filter(|from| from.principal != to.principal) else {
            return;
        };
        if token.chain().is_none() {
            tracing::warn!(credential = self.credential, %from, %to, "the identity has changed");
            if let Some(observer) = observer {
                observer.identity_changed(&IdentityChange::new(from, to, false));
            }
        }
    }

    fn fail(&self, key: &CacheKey, error: &Error) {
        let now = self.now();
        let pause = refresh::pause(self.random.unit(&format!(
            "cache/{}/pause/{}",
            self.credential,
            key.scopes()
        )));
        let mut state = self.lock();
        if state.closed {
            return;
        }
        if let Some(until) = error.retry_at().map(|at| now.monotonic + now.until(at)) {
            // The service does not tell requests with claims from others.
            let plain = key.without_claims();
            for key in [Some(key), plain.as_ref()].into_iter().flatten() {
                state.refuse(key, until, error);
            }
        }
        let left = state.amend(key, |entry| {
            entry.pause_until(now.monotonic + pause);
            let held = entry.held.as_ref();
            held.map(|held| held.left(now)).unwrap_or_default()
        });
        drop(state);
        let left = left.unwrap_or_default();
        if !left.is_zero() {
            let credential = &self.credential;
            tracing::warn!(credential, %error, ?left, "the refresh failed; the token stays valid");
        }
    }

    /// Forgets everything, for good (PR-29).
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.observer = None;
        let entries = state.empty();
        drop(state);
        drop(entries);
        self.index.clear();
    }
}

impl Drop for Memory {
    /// Prepared requests still know the slots.
    fn drop(&mut self) {
        self.close();
    }
}

fn ended(credential: &str, token: &AccessToken) -> Error {
    Error::new(
        ErrorKind::Failed,
        credential,
        format!(
            "the token received had already ended, at {}",
            token.expires_on()
        ),
    )
    .with_help("is the clock of this host right?")
    .with_transient()
}
