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
    }

    async fn call(&self, key: usize, wants: Duration, forced: bool, patience: Duration) {
        let _caller = Caller::begin(&self.source, key);
        let request = TokenRequest::new([key.to_string()])
            .min_remaining(wants)
            .force_refresh(forced);
        let (began, now) = (self.source.host.elapsed(), self.source.now());
        let at_once = {
            let mut state = self.source.state();
            state.keys[key].forced |= forced;
            let held = state.keys[key].held(now);
            !forced && !state.disposed && held.is_some_and(|(_, left)| left >= wants)
        };
        let get = self.cache.get(CacheKey::of(&request), &request, || {
            self.source.fetch(key, forced)
        });
        let answer = self.source.host.platform().within(patience, get).await;
        if at_once && (began != self.source.host.elapsed() || !matches!(answer, Some(Ok(_)))) {
            self.source
                .breaks("PR-22: a valid token and yet a wait", key);
        }
        match answer {
            Some(Ok(token)) => self.handed_out(key, &token),
            Some(Err(error)) => self.refused(key, forced, &error),
            None => {}
        }
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
            let lonely = known.in_flight > 0 && known.callers == 0;
            if lonely && (disposed || now.monotonic > known.begun + 31 * MINUTE) {
                self.source
                    .breaks("PR-23, PR-24: a request without end", key);
            }
        }
        if cached.iter().flatten().count() > self.capacity {
            self.source
                .breaks("PR-29: more tokens than there is room for", 0);
        }
    }

    /// Whatever has happened, once the source answers, everybody gets a token.
    pub async fn heal(self: &Arc<Self>) {
        if self.source.state().disposed {
            return;
        }
        let (takes, answer) = (Takes::Time(Duration::ZERO), Answer::New(HOUR));
        self.take(Step::Source { takes, answer }).await;
        self.take(Step::Pass(3 * HOUR)).await;
        self.check();
        for key in 0..KEYS {
            let request = TokenRequest::new([key.to_string()]);
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

    /// At the dispose everybody is answered, and nothing goes on (PR-29).
    pub async fn dispose(self: &Arc<Self>) {
        self.take(Step::Dispose).await;
        self.check();
        let mut callers = std::mem::take(&mut *self.callers.lock().unwrap());
        while let Some(ended) = callers.try_join_next() {
            ended.unwrap();
        }
        if !callers.is_empty() {
            self.source.breaks("PR-29: somebody still waits", 0);
        }
        self.call(0, Duration::ZERO, false, SECOND).await;
    }
}

fn cache_key(key: usize) -> CacheKey {
    CacheKey::of(&TokenRequest::new([key.to_string()]))
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
