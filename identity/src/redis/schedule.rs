//! When the next token request is sent.

use std::time::Duration;

use crate::{Error, platform::Reading};

use super::{TokenManagerConfig, TokenRetryPolicy};

/// The shortest time between an answer and the next token request, retries of a failure excepted: a
/// token that lives for a second or less must not cause a loop (RD-15, RD-31).
const FLOOR: Duration = Duration::from_secs(1);

/// The shortest wait before the next request to a source that has returned the same token (PR-25).
const SAME_TOKEN_PAUSE: Duration = Duration::from_secs(30);

/// When the token manager sends its requests. All times are of the monotonic clock.
#[derive(Default)]
pub(super) struct Schedule {
    /// The remaining life of the current token at which its renewal is due.
    due: Duration,
    /// No request is sent before this time.
    floor: Duration,
    /// When a request last brought a token, be it the same one.
    answered: Option<Duration>,
    /// When a failed request is repeated.
    retry: Option<Duration>,
    /// Number of failed requests in a row.
    failures: u32,
    /// Why the last one failed.
    last_error: Option<Error>,
    /// Whether the attempts are used up.
    is_failing: bool,
    /// Whether another token is wanted although the current one is not due.
    is_hurried: bool,
}

/// What follows after a failed request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AfterFailure {
    /// The request is repeated after this wait.
    Retry(Duration),
    /// The attempts are used up: requests continue, the next one after this wait.
    AtCap {
        wait: Duration,
        /// Whether subscribers have to be notified.
        first: bool,
    },
}

impl Schedule {
    /// Begins a run of the manager, which resets the count of failures unless the service has
    /// forbidden requests. Returns whether it was reset.
    pub(super) fn begin(&mut self, now: Reading) -> bool {
        let anew = !self.is_forbidden(now);
        if anew {
            self.forgive();
        }
        anew
    }

    /// Whether the service has forbidden requests for now: callers get the error immediately.
    pub(super) fn is_forbidden(&self, now: Reading) -> bool {
        self.floor.saturating_sub(now.elapsed()) > FLOOR
    }

    /// Returns why requests keep failing, if they do.
    pub(super) fn failing(&self) -> Option<&Error> {
        self.last_error.as_ref().filter(|_| self.is_failing)
    }

    /// Returns why the last request failed, if it did.
    pub(super) fn last_error(&self) -> Option<&Error> {
        self.last_error.as_ref()
    }

    /// Returns the wait before the next request when the current token is valid for `left`.
    pub(super) fn wait(&self, now: Reading, left: Duration) -> Duration {
        let until = |at: Duration| at.saturating_sub(now.elapsed());
        match self.retry {
            Some(at) => until(at),
            None if self.is_hurried => until(self.floor),
            None => left.saturating_sub(self.due).max(until(self.floor)),
        }
    }

    /// Makes the next request due now.
    pub(super) fn hurry(&mut self) {
        self.is_hurried = true;
    }

    /// Whether another token is wanted although the current one is not due.
    pub(super) fn is_hurried(&self) -> bool {
        self.is_hurried
    }

    /// Whether the last answer is less than 30 s old, so that another request would bring nothing.
    pub(super) fn is_fresh(&self, now: Reading) -> bool {
        self.answered
            .is_some_and(|at| now.elapsed().saturating_sub(at) < SAME_TOKEN_PAUSE)
    }

    /// Handles a new token that is valid for `life`. Returns whether requests had kept failing.
    pub(super) fn renewed(
        &mut self,
        now: Reading,
        life: Duration,
        config: &TokenManagerConfig,
    ) -> bool {
        self.due = life.saturating_sub(config.refresh_after(life));
        self.succeed(now)
    }

    /// Handles an answer that is no newer than the current token, which is valid for `left`.
    /// Returns the wait before the next request, and whether requests had kept failing (PR-25).
    pub(super) fn same(&mut self, now: Reading, left: Duration) -> (Duration, bool) {
        let wait = if left > SAME_TOKEN_PAUSE {
            (left / 2).max(SAME_TOKEN_PAUSE)
        } else {
            (left / 2).max(FLOOR)
        };
        self.due = left.saturating_sub(wait);
        (wait, self.succeed(now))
    }

    /// Handles a failed request. `unit` in [0, 1) places the wait within the jitter.
    pub(super) fn failed(
        &mut self,
        now: Reading,
        error: &Error,
        is_retryable: bool,
        policy: &TokenRetryPolicy,
        unit: f64,
    ) -> AfterFailure {
        self.failures = self.failures.saturating_add(1);
        self.last_error = Some(error.clone());
        let forbidden = error
            .silent_until()
            .map(|at| now.until(at))
            .unwrap_or_default();
        self.floor = now.elapsed().saturating_add(forbidden.max(FLOOR));
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
        self.retry = Some(now.elapsed().saturating_add(wait));
        after
    }

    /// Returns the number of failed requests in a row.
    pub(super) fn failures(&self) -> u32 {
        self.failures
    }

    fn succeed(&mut self, now: Reading) -> bool {
        self.floor = now.elapsed() + FLOOR;
        self.answered = Some(now.elapsed());
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

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::*;
    use crate::ErrorKind;

    const SECOND: Duration = Duration::from_secs(1);

    fn at(seconds: u32) -> Reading {
        let wall = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds.into());
        Reading::new(wall, seconds * SECOND)
    }

    fn fail(schedule: &mut Schedule, now: Reading, error: &Error) -> AfterFailure {
        schedule.failed(now, error, true, &TokenRetryPolicy::default(), 0.5)
    }

    /// PR-12, PR-25.
    #[test]
    fn the_same_token_is_asked_for_at_half_of_its_life_but_not_often() {
        for (left, wait) in [
            (100, 50),
            (60, 30),
            (31, 30),
            (30, 15),
            (4, 2),
            (1, 1),
            (0, 1),
        ] {
            let mut schedule = Schedule::default();
            let (found, had_failed) = schedule.same(at(0), left * SECOND);
            assert_eq!((found, had_failed), (wait * SECOND, false), "{left} s left");
            let waits = schedule.wait(at(0), left * SECOND);
            assert_eq!(waits, wait.min(left).max(1) * SECOND, "{left} s left");
        }
    }

    #[test]
    fn a_run_begins_anew_unless_the_service_wants_to_be_left_alone() {
        let plain = || Error::new(ErrorKind::Failed, "Test", "no");
        let mut schedule = Schedule::default();
        fail(&mut schedule, at(0), &plain());
        assert!(schedule.last_error().is_some() && !schedule.is_forbidden(at(0)));
        assert!(
            schedule.begin(at(0)),
            "the second after a failure forbids nothing"
        );
        assert_eq!(schedule.failures(), 0);
        assert!(schedule.last_error().is_none());

        let busy = plain().with_retry_at(at(10).timestamp());
        let after = fail(&mut schedule, at(0), &busy);
        assert_eq!(after, AfterFailure::Retry(10 * SECOND), "PR-12");
        assert!(schedule.is_forbidden(at(8)) && !schedule.begin(at(8)));
        assert_eq!(schedule.failures(), 1);
        assert_eq!(schedule.wait(at(8), Duration::ZERO), 2 * SECOND);
        assert!(!schedule.is_forbidden(at(9)) && schedule.begin(at(9)));
        assert_eq!(schedule.failures(), 0);
    }

    /// PR-12: a wait that is named is a wait up to the longest one between two tries.
    #[test]
    fn a_wait_of_the_service_is_a_retry_up_to_the_cap() {
        let policy = TokenRetryPolicy::default();
        let cap = u32::try_from(policy.cap().as_secs()).unwrap();
        for (wait, is_retried) in [(cap, true), (cap + 1, false)] {
            let error = Error::new(ErrorKind::Failed, "Test", "busy");
            let error = error.with_retry_at(at(wait).timestamp());
            let expected = match is_retried {
                true => AfterFailure::Retry(wait * SECOND),
                false => AfterFailure::AtCap {
                    wait: wait * SECOND,
                    first: true,
                },
            };
            assert_eq!(fail(&mut Schedule::default(), at(0), &error), expected);
        }
    }

    #[test]
    fn a_hurried_request_waits_for_the_floor_only() {
        let config = TokenManagerConfig::default();
        let mut schedule = Schedule::default();
        assert!(!schedule.renewed(at(0), 1000 * SECOND, &config));
        let due = config.refresh_after(1000 * SECOND);
        assert_eq!(schedule.wait(at(0), 1000 * SECOND), due);
        assert!(schedule.is_fresh(at(29)) && !schedule.is_fresh(at(30)));
        schedule.hurry();
        assert_eq!(schedule.wait(at(0), 1000 * SECOND), SECOND);
        assert_eq!(schedule.wait(at(1), 999 * SECOND), Duration::ZERO);
        assert!(schedule.is_hurried());
        schedule.renewed(at(2), 1000 * SECOND, &config);
        assert!(!schedule.is_hurried());
    }
}
