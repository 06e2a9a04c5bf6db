//! The state of one token manager.

use std::time::Duration;

use crate::{Error, cache::Moment, platform::TaskHandle};

use super::{RedisCredentials, schedule::Schedule};

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
