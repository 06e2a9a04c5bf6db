//! When the next token request is sent.

use std::time::Duration;

use crate::{Error, cache::Moment};

use super::{TokenManagerConfig, TokenRetryPolicy};

/// The least distance of a token request from the answer before it, whatever that was, retries of
/// a failure excepted: a token that lives for a second, or not at all, makes no loop (RD-15,
/// RD-31).
const FLOOR: Duration = Duration::from_secs(1);

/// How soon a source that gave the same token again is asked once more, at the earliest (PR-25).
const SAME_TOKEN_PAUSE: Duration = Duration::from_secs(30);

/// The plan of the token manager. All times are monotonic.
#[derive(Default)]
pub(super) struct Schedule {
    /// What is left of the token at hand when its renewal is due.
    due: Duration,
    /// No request before, whoever asks.
    floor: Duration,
    /// When a request last brought a token, a new one or the same.
    answered: Option<Duration>,
    /// When what failed is tried again.
    retry: Option<Duration>,
    /// How many requests in a row have failed.
    failures: u32,
    /// Why the last one failed.
    last_error: Option<Error>,
    /// Whether the attempts are used up.
    is_failing: bool,
    /// Whether somebody wants another token, whatever is left of the one at hand.
    is_hurried: bool,
}

/// What follows a failed request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AfterFailure {
    /// It is repeated after this wait.
    Retry(Duration),
    /// The attempts are used up: it is tried again after this wait, again and again.
    AtCap {
        wait: Duration,
        /// Whether this is news.
        first: bool,
    },
}

impl Schedule {
    /// A run of the manager begins: its attempts count anew, unless the service still wants to be
    /// left alone. Tells whether they do.
    pub(super) fn begin(&mut self, now: Moment) -> bool {
        let anew = !self.is_forbidden(now);
        if anew {
            self.forgive();
        }
        anew
    }

    /// Whether the service still wants to be left alone: then whoever asks is told so at once.
    pub(super) fn is_forbidden(&self, now: Moment) -> bool {
        self.floor.saturating_sub(now.monotonic) > FLOOR
    }

    /// Why requests keep failing, if they do.
    pub(super) fn failing(&self) -> Option<&Error> {
        self.last_error.as_ref().filter(|_| self.is_failing)
    }

    /// Why the last request failed, if it did.
    pub(super) fn last_error(&self) -> Option<&Error> {
        self.last_error.as_ref()
    }

    /// How long to wait before the next request, when `left` remains of the token at hand.
    pub(super) fn wait(&self, now: Moment, left: Duration) -> Duration {
        let until = |at: Duration| at.saturating_sub(now.monotonic);
        match self.retry {
            Some(at) => until(at),
            None if self.is_hurried => until(self.floor),
            None => left.saturating_sub(self.due).max(until(self.floor)),
        }
    }

    /// The next request is not to wait until the token at hand is due.
    pub(super) fn hurry(&mut self) {
        self.is_hurried = true;
    }

    /// Whether somebody wants another token than the one at hand.
    pub(super) fn is_hurried(&self) -> bool {
        self.is_hurried
    }

    /// Whether the last answer is so recent that asking again makes no sense.
    pub(super) fn is_fresh(&self, now: Moment) -> bool {
        self.answered
            .is_some_and(|at| now.monotonic.saturating_sub(at) < SAME_TOKEN_PAUSE)
    }

    /// A new token has come that lives for `life`. Returns whether requests had kept failing.
    pub(super) fn renewed(
        &mut self,
        now: Moment,
        life: Duration,
        config: &TokenManagerConfig,
    ) -> bool {
        self.due = life.saturating_sub(config.refresh_after(life));
        self.succeed(now)
    }

    /// Nothing newer has come than the token of which `left` remains (PR-25). Returns the wait,
    /// and whether requests had kept failing.
    pub(super) fn same(&mut self, now: Moment, left: Duration) -> (Duration, bool) {
        let wait = if left > SAME_TOKEN_PAUSE {
            (left / 2).max(SAME_TOKEN_PAUSE)
        } else {
            (left / 2).max(FLOOR)
        };
        self.due = left.saturating_sub(wait);
        (wait, self.succeed(now))
    }

    /// A request has failed with `error`. `unit` of [0, 1) is the jitter.
    pub(super) fn failed(
        &mut self,
        now: Moment,
        error: &Error,
        is_retryable: bool,
        policy: &TokenRetryPolicy,
        unit: f64,
    ) -> AfterFailure {
        self.failures = self.failures.saturating_add(1);
        self.last_error = Some(error.clone());
        let forbidden = error.retry_at().map(|at| now.until(at)).unwrap_or_default();
        self.floor = now.monotonic.saturating_add(forbidden.max(FLOOR));
        let is_retried = is_retryable
            && !self.is_failing
            && self.failures <= policy.max_attempts
            && forbidden <= policy.cap();
        let after = if is_retried {
            AfterFailure::Retry(policy.delay(self.failures, unit).max(forbidden))
        } else {
            AfterFailure::AtCap {
                wait: policy.delay_at_cap(unit).max(forbidden),
                first: !std::mem::replace(&mut self.is_failing, true),
            }
        };
        let (AfterFailure::Retry(wait) | AfterFailure::AtCap { wait, .. }) = after;
        self.retry = Some(now.monotonic.saturating_add(wait));
        after
    }

    /// How many requests in a row have failed.
    pub(super) fn failures(&self) -> u32 {
        self.failures
    }

    fn succeed(&mut self, now: Moment) -> bool {
        self.floor = now.monotonic + FLOOR;
        self.answered = Some(now.monotonic);
        self.is_hurried = false;
        self.forgive()
    }

    fn forgive(&mut self) -> bool {
        self.retry = None;
        self.failures = 0;
        self.last_error = None;
        std::mem::take(&mut self.is_failing)
    }
}
