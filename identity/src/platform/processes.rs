//! Other processes of this host: whether they live, for locks whose holder has died.

use std::{io, time::Duration};

use jiff::Timestamp;

/// The processes of this host, by their ids.
pub trait Processes: Send + Sync + 'static {
    /// The id of this process.
    ///
    /// # Errors
    /// This platform has no processes ([`Unsupported`](io::ErrorKind::Unsupported)).
    fn own_id(&self) -> io::Result<u32>;

    /// Whether a process with this id lives on this host, as far as this process can see: the
    /// processes of another container have ids of their own.
    ///
    /// # Errors
    /// This platform cannot tell ([`Unsupported`](io::ErrorKind::Unsupported)), which is not the
    /// same as [`Dead`](Liveness::Dead).
    fn look_up(&self, id: u32) -> io::Result<Liveness>;
}

/// Whether a process lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Liveness {
    /// No process has this id. One that has ended and waits to be collected by its parent is dead.
    Dead,
    /// A process has it.
    Alive {
        /// When it started, by the wall clock, to about a second; a clock that was stepped since
        /// shifts it. `None` where the host does not tell.
        since: Option<Timestamp>,
    },
}

impl Liveness {
    /// Whether this process may be the one that had the id at `moment`. Ids are used again: a
    /// process that started more than `slack` after that is another one. If unknown, it may be.
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
