//! Other processes of this host. A lock file that names its holder is stale if that process is
//! dead.

use std::{io, time::Duration};

use jiff::Timestamp;

/// Looks up processes of this host by their ids.
pub trait Processes: Send + Sync + 'static {
    /// Returns the id of this process.
    ///
    /// # Errors
    /// This platform has no processes ([`Unsupported`](io::ErrorKind::Unsupported)).
    fn own_id(&self) -> io::Result<u32>;

    /// Returns whether a process with this id exists on this host. Processes of another container
    /// are not visible, and have ids of their own.
    ///
    /// # Errors
    /// This platform cannot look up processes ([`Unsupported`](io::ErrorKind::Unsupported)). A
    /// caller must not take that for [`Dead`](Liveness::Dead).
    fn look_up(&self, id: u32) -> io::Result<Liveness>;
}

/// Whether a process exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Liveness {
    /// No process has this id, or the process has ended and its parent has not collected it yet.
    Dead,
    /// A process has this id.
    Alive {
        /// When it started, by the wall clock, within about a second; the error is larger if the
        /// clock has been set since. `None` if the host does not know.
        since: Option<Timestamp>,
    },
}

impl Liveness {
    /// Returns whether this process may be the one that had the id at `moment`. Ids are reused, so
    /// a process that started more than `slack` after `moment` is another one. `true` if the start
    /// is not known.
    pub fn may_have_lived_at(self, moment: Timestamp, slack: Duration) -> bool {
        match self {
            Self::Dead => false,
            Self::Alive { since: None } => true,
            Self::Alive { since: Some(since) } => {
                let latest = moment.checked_add(slack).unwrap_or(Timestamp::MAX);
                since <= latest
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_started_later_is_another_one() {
        let at = |second| Timestamp::from_second(second).expect("a time");
        let slack = Duration::from_secs(2);
        let alive = |since| Liveness::Alive { since };
        for (liveness, expected) in [
            (Liveness::Dead, false),
            (alive(None), true),
            (alive(Some(at(90))), true),
            (alive(Some(at(102))), true),
            (alive(Some(at(103))), false),
        ] {
            let found = liveness.may_have_lived_at(at(100), slack);
            assert_eq!(found, expected, "{liveness:?}");
        }
    }
}
