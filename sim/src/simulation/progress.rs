//! How far a batch is, for those who wait for it.

use std::{
    fmt::Write as _,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::{
    limits::{Budget, shown},
    wording::counted,
};

/// How far a [`Batch`](super::Batch) is. Clones tell of the same one.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// How many scenarios there are.
    all: usize,
    /// How many of them are done.
    done: usize,
    /// Those that are played now, in the order in which they began.
    playing: Vec<Playing>,
    /// How many have begun: the number of the latest one.
    begun: u64,
}

/// A scenario that is played.
#[derive(Debug)]
struct Playing {
    number: u64,
    name: String,
    /// With how many seeds.
    seeds: u64,
    /// With how many it has been played, the present one included.
    begun: u64,
    /// That of the present run.
    budget: Budget,
}

/// A scenario that is played until this is dropped.
#[derive(Debug)]
pub(super) struct Ticket {
    progress: Progress,
    number: u64,
}

impl Progress {
    /// Says on one line how many scenarios are done, and how far the one is that has been played
    /// the longest. `None` if nothing is played.
    pub fn line(&self) -> Option<String> {
        let state = self.lock();
        let first = state.playing.first()?;
        let mut line = String::new();
        // Writing to a string can't fail.
        if state.all > 1 {
            let all = counted(state.all, "scenario");
            let _ = write!(line, "{} of {all} done, ", state.done);
        }
        if first.seeds > 1 {
            let _ = write!(line, "seed {} of {}, ", first.begun, first.seeds);
        }
        let taken = first.budget.taken();
        let at = shown(Duration::from_secs(taken.at.as_secs()));
        let at = at.trim_end_matches(".000000");
        let events = counted(taken.events, "event");
        // The name may be long, and what does not fit is cut.
        let _ = write!(line, "at {at}, {events}: {}", first.name);
        Some(line)
    }

    /// So many scenarios are about to be played.
    pub(super) fn begin(&self, all: usize) {
        let mut state = self.lock();
        (state.all, state.done) = (all, 0);
    }

    /// One more is done, or was not played at all.
    pub(super) fn done(&self) {
        self.lock().done += 1;
    }

    /// A scenario is played, with so many seeds.
    pub(super) fn play(&self, name: &str, seeds: u64) -> Ticket {
        let mut state = self.lock();
        state.begun += 1;
        let number = state.begun;
        state.playing.push(Playing {
            number,
            name: name.to_owned(),
            seeds,
            begun: 0,
            budget: Budget::default(),
        });
        drop(state);
        Ticket {
            progress: self.clone(),
            number,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticket {
    /// A run of the next seed begins, and takes from this budget.
    pub fn run(&self, budget: &Budget) {
        let mut state = self.progress.lock();
        let mut playing = state.playing.iter_mut();
        if let Some(playing) = playing.find(|playing| playing.number == self.number) {
            playing.begun += 1;
            playing.budget = budget.clone();
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut state = self.progress.lock();
        state
            .playing
            .retain(|playing| playing.number != self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{Limits, Taken};

    #[test]
    fn the_one_that_has_been_played_the_longest_is_shown() {
        let progress = Progress::default();
        progress.begin(3);
        assert_eq!(progress.line(), None);
        let first = progress.play("cache/a", 20);
        let second = progress.play("cache/b", 1);
        let budget = Budget::new(Limits::NONE, 1, Taken::default());
        first.run(&Budget::default());
        first.run(&budget);
        budget.moved(3_723_000_000_001);
        assert!(budget.event() && budget.event());
        assert_eq!(
            progress.line().as_deref(),
            Some("0 of 3 scenarios done, seed 2 of 20, at 01:02:03, 2 events: cache/a")
        );
        drop(first);
        progress.done();
        assert_eq!(
            progress.line().as_deref(),
            Some("1 of 3 scenarios done, at 00:00:00, 0 events: cache/b")
        );
        drop(second);
        assert_eq!(progress.line(), None);
    }
}
