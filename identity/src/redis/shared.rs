//! What clones, subscriptions and the token manager of one provider share: who wants a token, and
//! what everybody sees.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::Notify;

use crate::{Error, Platform, TokenCredential, TokenRequest, cache::Moment, platform::TaskHandle};

use super::{
    RedisCredentials, RedisObserver, TokenManagerConfig,
    manager::{self, Run},
    schedule::Schedule,
    watch,
};

/// What a provider is built from.
pub(super) struct Settings {
    pub(super) credential: Arc<dyn TokenCredential>,
    pub(super) owns_credential: bool,
    pub(super) request: TokenRequest,
    pub(super) config: TokenManagerConfig,
    pub(super) platform: Platform,
    pub(super) observer: Option<Arc<dyn RedisObserver>>,
}

pub(super) struct Shared {
    pub(super) credential: Arc<dyn TokenCredential>,
    owns_credential: bool,
    pub(super) request: TokenRequest,
    pub(super) config: TokenManagerConfig,
    pub(super) platform: Platform,
    pub(super) observer: Option<Arc<dyn RedisObserver>>,
    state: Mutex<State>,
    pub(super) board: watch::Sender<Board>,
    /// Lets the manager look again whether it is time.
    pub(super) nudge: Notify,
}

/// What subscribers see. Each kind of news is numbered, so that none hides another.
#[derive(Default)]
pub(super) struct Board {
    pub(super) closed: bool,
    pub(super) credentials: Option<RedisCredentials>,
    pub(super) credentials_number: u64,
    pub(super) error: Option<Error>,
    pub(super) error_number: u64,
    /// How many requests brought a token, a new one or the same.
    pub(super) answers: u64,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) disposed: bool,
    /// Subscriptions and waiting callers.
    pub(super) interested: usize,
    /// One request is wanted although nobody waits for it.
    pub(super) errand: bool,
    /// The number of the last run of the manager, and whether that one is still going.
    pub(super) run: u64,
    pub(super) is_running: bool,
    /// Dropping it ends the manager and may run its destructors: never under the lock.
    pub(super) task: Option<TaskHandle>,
    /// The last token that was received. It stays after its end: its source may give it again.
    pub(super) held: Option<RedisCredentials>,
    /// Whether a token has come already: the next request is there for another one.
    pub(super) is_supplied: bool,
    pub(super) schedule: Schedule,
    /// Whether the end of `held` was told.
    pub(super) end_told: bool,
}

impl State {
    /// The credentials at hand, if they are valid.
    pub(super) fn valid(&self, now: Moment) -> Option<&RedisCredentials> {
        self.held.as_ref().filter(|held| held.is_alive(now))
    }

    /// What is left of the token at hand.
    pub(super) fn left(&self, now: Moment) -> Duration {
        self.held
            .as_ref()
            .map(|held| held.life.left(now))
            .unwrap_or_default()
    }

    /// Why requests keep failing, if they do.
    pub(super) fn failing(&self, now: Moment) -> Option<&Error> {
        let still = self.is_running || self.schedule.is_forbidden(now);
        self.schedule.failing().filter(|_| still)
    }

    /// Whether the manager has a reason to go on.
    pub(super) fn is_wanted(&self) -> bool {
        self.interested > 0 || self.errand
    }

    /// Whether the run with this number is still going.
    pub(super) fn runs(&self, run: u64) -> bool {
        self.is_running && self.run == run
    }

    /// Notes that no manager runs any more. Its task is to be dropped without the lock.
    #[must_use]
    pub(super) fn end_run(&mut self) -> Option<TaskHandle> {
        self.is_running = false;
        self.errand = false;
        self.task.take()
    }
}

impl Shared {
    pub(super) fn new(settings: Settings) -> Self {
        let Settings {
            credential,
            owns_credential,
            request,
            config,
            platform,
            observer,
        } = settings;
        Self {
            credential,
            owns_credential,
            request,
            config,
            platform,
            observer,
            state: Mutex::default(),
            board: watch::Sender::new(Board::default()),
            nudge: Notify::new(),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> Moment {
        Moment::of(&*self.platform.clock)
    }

    pub(super) fn current(&self) -> Option<RedisCredentials> {
        let now = self.now();
        self.lock().valid(now).cloned()
    }

    /// Lets the manager run, if it does not.
    pub(super) fn start(self: &Arc<Self>) {
        let now = self.now();
        let (run, anew) = {
            let mut state = self.lock();
            if state.disposed || state.is_running {
                return;
            }
            state.run += 1;
            state.is_running = true;
            let anew = state.schedule.begin(now);
            (state.run, anew)
        };
        if anew {
            self.board.send_modify(|board| board.error = None);
        }
        let work = manager::run(Run::new(Arc::clone(self), run));
        let task = self.platform.spawner.spawn(Box::pin(work));
        let mut state = self.lock();
        let late = if state.runs(run) {
            state.task.replace(task)
        } else {
            // It is over already, or was stopped before it was known.
            Some(task)
        };
        drop(state);
        drop(late);
    }

    /// Ends the manager, but forgets nothing.
    pub(super) fn stop(&self) {
        let task = self.lock().end_run();
        drop(task);
    }

    pub(super) fn dispose(&self) {
        let mut state = self.lock();
        let empty = State {
            disposed: true,
            interested: state.interested,
            run: state.run,
            ..State::default()
        };
        let old = std::mem::replace(&mut *state, empty);
        drop(state);
        drop(old);
        self.board.send_modify(|board| {
            *board = Board {
                closed: true,
                ..Board::default()
            };
        });
        if self.owns_credential {
            self.credential.dispose();
        }
    }
}

/// Somebody who wants a token: while there is one, the manager runs.
pub(super) struct Interest(Arc<Shared>);

impl Interest {
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        shared.lock().interested += 1;
        shared.start();
        Self(Arc::clone(shared))
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.0
    }
}

impl Drop for Interest {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.interested -= 1;
        let task = if state.is_wanted() {
            None
        } else {
            state.end_run()
        };
        drop(state);
        drop(task);
    }
}
