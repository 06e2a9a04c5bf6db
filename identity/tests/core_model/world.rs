//! One cache, its callers, and what must hold whatever they do.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use credsim_identity::{
    AccessToken, Error, ErrorKind, TokenRequest,
    cache::{CacheKey, TokenCache},
};
use jiff::SignedDuration;
use tokio::task::JoinSet;

use super::{
    core_support::{HOUR, Host, MINUTE, SECOND},
    source::Source,
    steps::{Answer, Step, Takes},
};

pub const KEYS: usize = 4;

pub struct World {
    capacity: usize,
    cache: TokenCache,
    /// One for each key, always the same: what it has found once it remembers.
    requests: Vec<TokenRequest>,
    source: Arc<Source>,
    callers: Mutex<JoinSet<()>>,
}

impl World {
    pub fn new(capacity: usize, draw: f64) -> Self {
        let host = Host::new(draw);
        let cache = TokenCache::new(host.platform(), "Test").capacity(capacity);
        Self {
            capacity,
            cache,
            requests: (0..KEYS).map(request).collect(),
            source: Arc::new(Source::new(host, capacity < KEYS)),
            callers: Mutex::default(),
        }
    }

    pub fn broken(&self) -> Vec<String> {
        self.source.state().broken.clone()
    }

    pub fn is_broken(&self) -> bool {
        !self.source.state().broken.is_empty()
    }

    pub async fn take(self: &Arc<Self>, step: Step) {
        match step {
            Step::Call {
                key,
                wants,
                forced,
                patience,
            } => {
                let this = Arc::clone(self);
                let call = async move { this.call(key, wants, forced, patience).await };
                self.callers.lock().unwrap().spawn(call);
            }
            Step::Pass(time) => self.source.host.sleep(time).await,
            Step::Forward(time) => self.set(time.try_into().unwrap()),
            Step::Back(time) => self.set(-SignedDuration::try_from(time).unwrap()),
            Step::Source { takes, answer } => self.source.state().plan = (takes, answer),
            Step::Dispose => {
                self.source.state().disposed = true;
                self.cache.dispose();
            }
        }
        settle().await;
    }

    fn set(&self, by: SignedDuration) {
        self.source.host.step(by);
        self.source.state().sets += 1;
    }

    async fn call(&self, key: usize, wants: Duration, forced: bool, patience: Duration) {
        let _caller = Caller::begin(&self.source, key);
        let request = request(key)
            .with_min_remaining(wants)
            .with_force_refresh(forced);
        let (began, now) = (self.source.host.elapsed(), self.source.now());
        let is_cold = forced || self.cache.cached(&cache_key(key)).is_none();
        let (held, sets) = {
            let mut state = self.source.state();
            let (disposed, sets) = (state.disposed, state.sets);
            let known = &mut state.keys[key];
            known.forced |= forced;
            // A forced call leaves a refresh that is under way to its owner.
            let has_owner = known.in_flight > 0 && !known.is_waited_for;
            known.is_waited_for = is_cold && !(forced && has_owner);
            let held = known.held(now).filter(|_| !forced && !disposed);
            (held.map(|(_, left)| left), sets)
        };
        let hit = self.hit(&request);
        let get = self.cache.get(CacheKey::of(&request), &request, || {
            self.source.fetch(key, forced)
        });
        let answer = self.source.host.platform().within(patience, get).await;
        let took = self.source.host.elapsed() - began;
        let is_token = matches!(answer, Some(Ok(_)));
        if held.is_some_and(|left| left >= wants && (!took.is_zero() || !is_token)) {
            self.source
                .breaks("PR-22: a valid token and yet a wait", key);
        }
        if held.is_some_and(|left| took >= left) && self.source.state().sets == sets {
            self.source
                .breaks("PR-22: a valid token was lost over a wait", key);
        }
        let is = |hit| matches!(&answer, Some(Ok(token)) if took.is_zero() && *token == hit);
        if hit.is_some_and(|hit| !is(hit)) {
            self.source
                .breaks("PR-22: a hit, and yet another answer", key);
        }
        match answer {
            Some(Ok(token)) => {
                if forced && self.source.state().keys[key].last_given.as_ref() != Some(&token) {
                    self.source
                        .breaks("a forced refresh, and an old token", key);
                }
                self.handed_out(key, &token);
            }
            Some(Err(error)) => self.refused(key, forced, &error),
            None => {
                let now = self.source.now();
                let mut state = self.source.state();
                let known = &mut state.keys[key];
                // But one that seems to hang ends with its last waiter.
                let hangs = now.monotonic >= known.begun + 3 * MINUTE;
                known.is_waited_for |= forced && hangs && known.callers == 1;
            }
        }
    }

    fn hit(&self, request: &TokenRequest) -> Option<AccessToken> {
        let key = |request: &TokenRequest| Some(CacheKey::of(request));
        self.cache.hit(request, key).map(AccessToken::from)
    }

    fn handed_out(&self, key: usize, token: &AccessToken) {
        let now = self.source.now();
        let mut state = self.source.state();
        let left = state.keys[key].handed_out(token, now);
        let disposed = state.disposed;
        drop(state);
        if left.is_zero() {
            self.source.breaks("PR-20: the token has ended", key);
        }
        if disposed {
            self.source.breaks("PR-29: a token after the dispose", key);
        }
    }

    fn refused(&self, key: usize, forced: bool, error: &Error) {
        let is_cancelled = error.kind() == ErrorKind::Cancelled;
        if is_cancelled != self.source.state().disposed {
            let what = format!("PR-24, PR-29: {error}");
            self.source.breaks(&what, key);
        }
        if !forced && self.cache.cached(&cache_key(key)).is_some() {
            let what = "PR-23: an error in spite of a valid token";
            self.source.breaks(what, key);
        }
    }

    /// What must hold at any time.
    pub fn check(&self) {
        let now = self.source.now();
        let (keys, disposed) = {
            let state = self.source.state();
            (state.keys.clone(), state.disposed)
        };
        let cached: Vec<_> = (0..KEYS)
            .map(|key| self.cache.cached(&cache_key(key)))
            .collect();
        for (key, (known, cached)) in keys.iter().zip(&cached).enumerate() {
            match (cached, known.held(now)) {
                (Some(_), _) if disposed => {
                    self.source.breaks("PR-29: a token after the dispose", key);
                }
                (Some(token), _) if known.left(token, now).1.is_zero() => {
                    self.source.breaks("PR-20: the token has ended", key);
                }
                (cached, Some((held, _))) if !disposed && cached.as_ref() != Some(held) => {
                    self.source.breaks("PR-23: a valid token is lost", key);
                }
                _ => {}
            }
            if let Some(hit) = self.hit(&self.requests[key]) {
                let (_, left) = known.left(&hit, now);
                if disposed || left.is_zero() || cached.as_ref() != Some(&hit) {
                    self.source.breaks("PR-20, PR-29: not what is held", key);
                }
            }
            let lonely = known.in_flight > 0 && known.callers == 0;
            let ends = disposed || known.is_waited_for;
            if lonely && (ends || now.monotonic > known.begun + 31 * MINUTE) {
                self.source
                    .breaks("PR-23, PR-24: a request without end", key);
            }
        }
        if cached.iter().flatten().count() > self.capacity {
            self.source
                .breaks("PR-29: more tokens than there is room for", 0);
        }
    }

    /// Once the source answers again, every caller gets a token.
    pub async fn heal(self: &Arc<Self>) {
        if self.source.state().disposed {
            return;
        }
        let (takes, answer) = (Takes::Time(Duration::ZERO), Answer::New(HOUR));
        self.take(Step::Source { takes, answer }).await;
        self.take(Step::Pass(3 * HOUR)).await;
        self.check();
        for key in 0..KEYS {
            let request = request(key);
            let get = self.cache.get(CacheKey::of(&request), &request, || {
                self.source.fetch(key, false)
            });
            match self.source.host.platform().within(SECOND, get).await {
                Some(Ok(token)) => self.handed_out(key, &token),
                _ => self.source.breaks("it stops for good", key),
            }
            self.check();
        }
    }

    /// At the dispose every caller is answered, and no work goes on (PR-29).
    pub async fn dispose(self: &Arc<Self>) {
        self.take(Step::Dispose).await;
        self.check();
        let mut callers = std::mem::take(&mut *self.callers.lock().unwrap());
        while let Some(ended) = callers.try_join_next() {
            ended.unwrap();
        }
        if !callers.is_empty() {
            self.source.breaks("PR-29: a caller still waits", 0);
        }
        self.call(0, Duration::ZERO, false, SECOND).await;
    }
}

fn request(key: usize) -> TokenRequest {
    TokenRequest::new([key.to_string()])
}

fn cache_key(key: usize) -> CacheKey {
    CacheKey::of(&request(key))
}

/// Lets everything happen that can happen now.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

struct Caller(Arc<Source>, usize);

impl Caller {
    fn begin(source: &Arc<Source>, key: usize) -> Self {
        source.state().keys[key].callers += 1;
        Self(Arc::clone(source), key)
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        self.0.state().keys[self.1].callers -= 1;
    }
}
