//! The state of one token manager.

use std::time::Duration;

use crate::{
    Error,
    platform::{Reading, TaskHandle},
};

use super::{RedisCredentials, schedule::Schedule};

#[derive(Default)]
pub(super) struct ManagerState {
    pub(super) disposed: bool,
    /// Number of subscriptions and waiting callers.
    pub(super) interested: usize,
    /// One request is wanted that no subscription or caller waits for.
    pub(super) errand: bool,
    /// The number of the last run of the manager, and whether that run has not ended.
    pub(super) run: u64,
    pub(super) is_running: bool,
    /// The task of the manager. Dropping it runs destructors that take the lock: it must not be
    /// dropped under the lock.
    pub(super) task: Option<TaskHandle>,
    /// The last token that was received. It is kept after its end, because the source may return it
    /// again.
    pub(super) held: Option<RedisCredentials>,
    /// Whether a token was received: the next request must bring another one.
    pub(super) is_supplied: bool,
    pub(super) schedule: Schedule,
    /// Whether subscribers were notified of the end of `held`.
    pub(super) end_reported: bool,
}

impl ManagerState {
    /// Returns the current credentials if they are valid.
    pub(super) fn valid(&self, now: Reading) -> Option<&RedisCredentials> {
        self.held.as_ref().filter(|held| held.is_alive(now))
    }

    /// Returns how long the current token is still valid.
    pub(super) fn left(&self, now: Reading) -> Duration {
        self.held
            .as_ref()
            .map(|held| held.life.left(now))
            .unwrap_or_default()
    }

    /// Returns why requests keep failing, if they do.
    pub(super) fn failing(&self, now: Reading) -> Option<&Error> {
        let still = self.is_running || self.schedule.is_forbidden(now);
        self.schedule.failing().filter(|_| still)
    }

    /// Whether anything wants a token.
    pub(super) fn is_wanted(&self) -> bool {
        self.interested > 0 || self.errand
    }

    /// Whether the run with this number has not ended.
    pub(super) fn runs(&self, run: u64) -> bool {
        self.is_running && self.run == run
    }

    /// Marks the run as ended. The caller drops the task after it has released the lock.
    #[must_use]
    pub(super) fn end_run(&mut self) -> Option<TaskHandle> {
        self.is_running = false;
        self.errand = false;
        self.task.take()
    }
}
