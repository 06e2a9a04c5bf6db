//! What one scenario may take, with all its seeds: stated here and nowhere else.
//!
//! A scenario that reaches one of these limits ends as a failure of the harness (exit code 3), with
//! its reports and with where it stood. Nothing can be said about the subject then: the limit says
//! that this machine was not meant to go on. `--limit-events`, `--limit-memory` and
//! `--limit-real-time` of `credsim run` set three of them,
//! [`Simulation::limits`](crate::simulation::Simulation::limits) all but [`BODY`].
//!
//! The seeds of a scenario share one budget, because their traces are kept until all are judged.

mod memory;

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

pub use memory::Counting;
use memory::Held;

use crate::wording::{bytes, counted};

/// The most events in the traces of a scenario: a year of a call every minute has 1.6 million.
pub const EVENTS: u64 = 2_000_000;

/// The most bytes that a scenario may hold: its traces, its connections, and its client.
pub const MEMORY: u64 = 2 << 30;

/// The most real time that a scenario may take.
pub const REAL_TIME: Duration = Duration::from_secs(15 * 60);

/// The most connections that may be open at once in a world in virtual time.
pub const CONNECTIONS: usize = 200_000;

/// The largest body that a fault may pad to, in bytes: more than any client should read, and as
/// much as a test may hold in memory.
pub const BODY: u64 = 64 << 20;

/// The longest value of a simulated Redis, in bytes: its `proto-max-bulk-len`, which says 512 MiB
/// at a real server. To copy one takes some 20 ms, in which no other client is served.
pub const REDIS_VALUE: usize = 64 << 20;

/// How many of the latest events a served world keeps: some 120 MB, and 50,000 requests over HTTP.
pub const SERVED_EVENTS: usize = 100_000;

/// How much a scenario may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Events in all its traces. Default: [`EVENTS`].
    pub events: u64,
    /// Bytes that are held at once. Counted only in a program whose allocator is [`Counting`], as
    /// in the `credsim` binary. Default: [`MEMORY`].
    pub memory: u64,
    /// Real time. Default: [`REAL_TIME`].
    pub real_time: Duration,
    /// Connections that are open at once, on [`Lapse`](crate::engine::Engine::Lapse). Default:
    /// [`CONNECTIONS`].
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            events: EVENTS,
            memory: MEMORY,
            real_time: REAL_TIME,
            connections: CONNECTIONS,
        }
    }
}

impl Limits {
    /// No limit at all: a served world lasts as long as its clients want it.
    pub const NONE: Self = Self {
        events: u64::MAX,
        memory: u64::MAX,
        real_time: Duration::MAX,
        connections: usize::MAX,
    };
}

/// What was taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Events.
    pub events: u64,
    /// Bytes that are held, in whole mebibytes.
    pub memory: u64,
    /// Real time.
    pub real_time: Duration,
    /// How far the present run is, in its own time.
    pub at: Duration,
}

/// Which limit was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reached {
    /// [`Limits::events`].
    Events,
    /// [`Limits::memory`].
    Memory,
    /// [`Limits::real_time`].
    RealTime,
    /// [`Limits::connections`].
    Connections,
}

/// What is left of the limits for one run, and what it has taken. Clones are the same budget.
#[derive(Clone, Debug)]
pub struct Budget(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limits: Limits,
    /// What the runs of other seeds have taken before.
    before: Taken,
    seed: u64,
    began: Instant,
    /// The ends of the counts for this run alone.
    most_events: u64,
    most_memory: u64,
    events: AtomicU64,
    /// None where memory has no limit.
    held: Option<Held>,
    /// Nanoseconds since the world began.
    now: AtomicU64,
    is_over: AtomicBool,
    reached: OnceLock<(Reached, Taken)>,
}

impl Inner {
    /// How many bytes the world holds, as far as they are counted.
    fn held(&self) -> u64 {
        self.held.map(Held::read).unwrap_or_default()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(held) = self.held {
            held.leave();
        }
    }
}

impl Default for Budget {
    /// Without limits.
    fn default() -> Self {
        Self::new(Limits::NONE, 0, Taken::default())
    }
}

impl Budget {
    /// The budget of a run with `seed`, of a scenario whose earlier runs have taken `before`. Its
    /// real time begins now.
    #[allow(
        clippy::disallowed_methods,
        reason = "measures real time from outside of the world"
    )]
    pub fn new(limits: Limits, seed: u64, before: Taken) -> Self {
        Self(Arc::new(Inner {
            limits,
            before,
            seed,
            began: Instant::now(),
            most_events: limits.events.saturating_sub(before.events),
            most_memory: limits.memory.saturating_sub(before.memory),
            events: AtomicU64::new(0),
            held: (limits.memory < u64::MAX).then(Held::new),
            now: AtomicU64::new(0),
            is_over: AtomicBool::new(false),
            reached: OnceLock::new(),
        }))
    }

    /// From now on this thread plays the world: what it allocates counts.
    pub(crate) fn enter(&self) {
        if let Some(held) = self.0.held {
            held.enter();
        }
    }

    /// The world is so many nanoseconds old.
    pub(crate) fn moved(&self, nanoseconds: u64) {
        self.0.now.store(nanoseconds, Ordering::Relaxed);
    }

    /// How old the world is, in nanoseconds.
    pub(crate) fn now(&self) -> u64 {
        self.0.now.load(Ordering::Relaxed)
    }

    /// Counts an event. Returns whether it may be kept.
    #[inline]
    pub(crate) fn event(&self) -> bool {
        let events = self.0.events.fetch_add(1, Ordering::Relaxed) + 1;
        if events > self.0.most_events {
            self.reach(Reached::Events);
        }
        !self.is_over()
    }

    /// Checks a number of open connections.
    pub(crate) fn connections(&self, open: usize) {
        if open > self.0.limits.connections {
            self.reach(Reached::Connections);
        }
    }

    /// Whether a limit was reached, so that the world must end. Also looks at the memory.
    #[inline]
    pub(crate) fn is_over(&self) -> bool {
        if self.0.held() > self.0.most_memory {
            self.reach(Reached::Memory);
        }
        self.0.is_over.load(Ordering::Relaxed)
    }

    /// The same, and looks at the real time, too.
    pub(crate) fn is_over_by_now(&self) -> bool {
        if self.taken().real_time > self.0.limits.real_time {
            self.reach(Reached::RealTime);
        }
        self.is_over()
    }

    #[cold]
    fn reach(&self, limit: Reached) {
        self.0.reached.get_or_init(|| (limit, self.taken()));
        self.0.is_over.store(true, Ordering::Relaxed);
    }

    /// The world can't be stopped: its thread gets no more memory.
    pub(crate) fn give_up(&self) {
        if let Some(held) = self.0.held {
            held.give_up();
        }
    }

    /// What this run and those before it have taken.
    pub fn taken(&self) -> Taken {
        let Inner { before, .. } = &*self.0;
        Taken {
            events: before
                .events
                .saturating_add(self.0.events.load(Ordering::Relaxed)),
            memory: before.memory.saturating_add(self.0.held()),
            real_time: before.real_time.saturating_add(self.0.began.elapsed()),
            at: Duration::from_nanos(self.now()),
        }
    }

    /// Which limit was reached, if one was.
    pub fn reached(&self) -> Option<Reached> {
        self.0.reached.get().map(|(limit, _)| *limit)
    }

    /// Says which limit was reached and where the run stood then. To be called outside of the
    /// world: inside, the clock of this machine may be the world's.
    pub fn describe(&self) -> Option<String> {
        let (limit, taken) = self.0.reached.get()?;
        let took = self.taken().real_time;
        let Limits {
            events,
            memory,
            real_time,
            connections,
        } = self.0.limits;
        let (limit, option) = match limit {
            Reached::Events => (counted(events, "event"), "--limit-events"),
            Reached::Memory => (format!("{} of memory", bytes(memory)), "--limit-memory"),
            Reached::RealTime => (format!("{real_time:?} of real time"), "--limit-real-time"),
            Reached::Connections => (
                format!("{} open at once", counted(connections, "connection")),
                "fewer `callers`",
            ),
        };
        let so_far = counted(taken.events.min(events), "event");
        Some(format!(
            "the scenario has reached its limit of {limit} ({option}): the run of seed {} stood at {}, after {so_far}, \
             {} of memory and {:.1} s of real time",
            self.0.seed,
            shown(taken.at),
            bytes(taken.memory),
            took.as_secs_f64(),
        ))
    }
}

/// A time of a world as traces show it.
pub(crate) fn shown(time: Duration) -> String {
    let (seconds, micros) = (time.as_secs(), time.subsec_micros());
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
    format!("{hours:02}:{minutes:02}:{:02}.{micros:06}", seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runs_of_a_scenario_share_its_limits() {
        let limits = Limits {
            events: 3,
            ..Limits::default()
        };
        let first = Budget::new(limits, 1, Taken::default());
        assert!(first.event() && first.event());
        assert_eq!((first.reached(), first.describe()), (None, None));
        let second = Budget::new(limits, 2, first.taken());
        second.moved(90_061_000_002_000);
        assert!(second.event() && !second.event() && !second.event());
        assert_eq!(second.reached(), Some(Reached::Events));
        let said = second.describe().unwrap();
        let begins = "the scenario has reached its limit of 3 events (--limit-events): the run of seed 2 stood at \
                      25:01:01.000002, after 3 events, ";
        assert!(said.starts_with(begins), "{said}");
    }

    #[test]
    fn real_time_and_connections_are_limited() {
        let limits = Limits {
            real_time: Duration::ZERO,
            connections: 2,
            ..Limits::default()
        };
        let budget = Budget::new(limits, 1, Taken::default());
        budget.connections(2);
        assert!(!budget.is_over());
        assert!(budget.is_over_by_now());
        assert_eq!(budget.reached(), Some(Reached::RealTime));
        let budget = Budget::new(limits, 1, Taken::default());
        budget.connections(3);
        assert_eq!(budget.reached(), Some(Reached::Connections));
    }
}
