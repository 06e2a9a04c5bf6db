//! The waits before a lost connection is made again.

use std::time::Duration;

use crate::Platform;

/// The wait after the first failure, doubled with each further one up to [`CAP`] (RA-20).
const BASE: Duration = Duration::from_millis(50);

/// The longest wait, jitter excluded. A connection that has lasted as long counts as a success.
const CAP: Duration = Duration::from_secs(2);

/// The most that is added to a wait at random.
const JITTER: Duration = Duration::from_millis(200);

/// How long to wait before the next connect. After the loss of a connection the first try is
/// immediate (RA-21); after failures the waits are 50 ms, 100 ms and so on up to 2 s, each plus up
/// to 200 ms (RA-20).
#[derive(Debug)]
pub(super) struct Backoff {
    /// The purpose of its random numbers. Connections of two kinds are lost at the same moment: in
    /// which order they come back must not change how long either waits.
    purpose: &'static str,
    /// Number of waits since the last success.
    waits: u32,
    /// Whether the immediate try was used up.
    has_hurried: bool,
}

impl Backoff {
    /// Before the first loss.
    pub fn new(purpose: &'static str) -> Self {
        Self {
            purpose,
            waits: 0,
            has_hurried: false,
        }
    }

    /// The wait after a connection that has lasted for `lifetime`. A server that closes what it has
    /// just accepted is not asked in a loop: a connection shorter than 2 s counts as a failure.
    pub fn lost(&mut self, platform: &Platform, lifetime: Duration) -> Duration {
        if lifetime >= CAP {
            *self = Self::new(self.purpose);
        }
        if std::mem::replace(&mut self.has_hurried, true) {
            return self.failed(platform);
        }
        Duration::ZERO
    }

    /// The wait after a connect that has failed.
    pub fn failed(&mut self, platform: &Platform) -> Duration {
        self.has_hurried = true;
        let wait = BASE
            .saturating_mul(2_u32.saturating_pow(self.waits))
            .min(CAP);
        self.waits = self.waits.saturating_add(1);
        wait + JITTER.mul_f64(platform.random.unit(self.purpose))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Without the jitter: whole steps of 50 ms.
    fn steps(wait: Duration, of: u32) -> bool {
        wait >= BASE * of && wait <= BASE * of + JITTER
    }

    #[test]
    fn ra_20_the_waits_double_until_a_connection_has_lasted() {
        let platform = Platform::system();
        let mut backoff = Backoff::new("test");
        assert_eq!(backoff.lost(&platform, Duration::ZERO), Duration::ZERO);
        let almost = CAP - Duration::from_nanos(1);
        assert!(steps(backoff.lost(&platform, almost), 1));
        for of in [2, 4, 8, 16, 32, 40, 40] {
            assert!(steps(backoff.failed(&platform), of), "{of}");
        }
        assert_eq!(
            backoff.lost(&platform, CAP),
            Duration::ZERO,
            "it has lasted"
        );
        assert!(steps(backoff.lost(&platform, almost), 1));
        let mut failed = Backoff::new("test");
        assert!(steps(failed.failed(&platform), 1));
        assert!(
            steps(failed.lost(&platform, almost), 2),
            "the first try was made"
        );
    }
}
