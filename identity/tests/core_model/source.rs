//! A source of tokens that follows the steps, and detects requests beyond the promises.

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use credsim_identity::{AccessToken, Error, ErrorKind, platform::BoxFuture};
use jiff::SignedDuration;

use super::{
    core_support::{HOUR, Host, SECOND},
    known::{Known, Now},
    steps::{Answer, Takes},
    world::KEYS,
};

/// What the source and the callers share: nothing of the cache itself.
pub struct Source {
    pub host: Host,
    state: Mutex<State>,
}

pub struct State {
    pub plan: (Takes, Answer),
    pub keys: [Known; KEYS],
    pub disposed: bool,
    /// How often the wall clock was set.
    pub sets: usize,
    pub broken: Vec<String>,
    tokens: usize,
}

impl Source {
    /// `forgets`: the cache has not room for every key.
    pub fn new(host: Host, forgets: bool) -> Self {
        let mut known = Known::default();
        known.forgotten = forgets;
        let state = Mutex::new(State {
            plan: (Takes::Time(Duration::ZERO), Answer::New(HOUR)),
            keys: std::array::from_fn(|_| known.clone()),
            disposed: false,
            sets: 0,
            broken: Vec::new(),
            tokens: 0,
        });
        Self { host, state }
    }

    pub fn now(&self) -> Now {
        Now::of(&self.host)
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Notes that a promise was broken.
    pub fn breaks(&self, promise: &str, key: usize) {
        let at = self.host.elapsed();
        let line = format!("{promise} (key {key}, after {at:?})");
        self.state().broken.push(line);
    }

    /// What a credential's fetch does.
    pub fn fetch(
        self: &Arc<Self>,
        key: usize,
        forced: bool,
    ) -> BoxFuture<'static, Result<AccessToken, Error>> {
        let this = Arc::clone(self);
        Box::pin(async move {
            this.begins(key, forced);
            let _in_flight = InFlight(Arc::clone(&this), key);
            let (takes, answer) = this.state().plan;
            match takes {
                Takes::Time(Duration::ZERO) => {}
                Takes::Time(time) => this.host.sleep(time).await,
                Takes::Forever => std::future::pending().await,
            }
            this.answers(key, answer)
        })
    }

    fn begins(&self, key: usize, forced: bool) {
        let now = self.now();
        let mut state = self.state();
        let disposed = state.disposed;
        let known = &mut state.keys[key];
        known.in_flight += 1;
        known.begun = now.monotonic;
        let known = known.clone();
        drop(state);
        if disposed {
            self.breaks("PR-29: asked after the dispose", key);
        }
        if known.in_flight > 1 {
            self.breaks("PR-24: two requests in flight", key);
        }
        if !known.forgotten && now.monotonic < known.refused_until {
            self.breaks("PR-12: asked before `retry_at`", key);
        }
        let soon = known
            .in_vain
            .is_some_and(|at| now.monotonic < at + 30 * SECOND);
        if soon && !forced && known.held(now).is_some() {
            self.breaks("PR-23, PR-25: asked again within 30 s", key);
        }
    }

    fn answers(&self, key: usize, answer: Answer) -> Result<AccessToken, Error> {
        let now = self.now();
        let mut state = self.state();
        state.tokens += 1;
        let number = state.tokens;
        let known = &mut state.keys[key];
        let failed = Error::new(ErrorKind::Failed, "Test", "scripted");
        let after = |life| now.wall + SignedDuration::try_from(life).unwrap();
        let new = |life| AccessToken::new(format!("token {number}"), after(life), "Test");
        let token = match answer {
            Answer::New(life) => new(life),
            Answer::Same => known.last_given.clone().unwrap_or_else(|| new(HOUR)),
            Answer::Error => {
                known.fails(now);
                return Err(failed);
            }
            Answer::Busy(time) => {
                known.fails(now);
                known.refused_until = now.monotonic + time;
                return Err(failed.with_retry_at(after(time)));
            }
        };
        known.given(&token, now);
        Ok(token)
    }
}

struct InFlight(Arc<Source>, usize);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.state().keys[self.1].in_flight -= 1;
    }
}
