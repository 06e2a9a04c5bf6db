//! The timeline and the calls of a scenario, merged into one order of times.

use std::{cmp::Reverse, collections::BinaryHeap, time::Duration};

use crate::{story::Scenario, world::files::Rotation};

/// An entry of the schedule. Entries of one time are in the order of this type, so that the world
/// changes before callers begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Entry {
    /// An `[[at]]`, by index.
    Event(usize),
    /// A file of the host that is written anew, by its place in `[world.files]`, and when that was
    /// due.
    Rotation(usize, Duration),
    /// A `[[call]]`, by index.
    Call(usize),
}

/// The entries of a scenario in the order of their times. A repeated call holds one place: its next
/// repetition is added when the one before is taken.
pub(super) struct Schedule {
    due: BinaryHeap<Reverse<(Duration, Entry)>>,
    /// Of each call: how often it is repeated, and until when.
    repeats: Vec<Option<(Duration, Duration)>>,
    /// Of each file: how it is written anew.
    rotations: Vec<Option<Rotation>>,
}

impl Schedule {
    pub fn of(scenario: &Scenario) -> Self {
        let end = scenario.world.lasts.0;
        let mut due = BinaryHeap::new();
        for (index, at) in scenario.at.iter().enumerate() {
            due.push(Reverse((at.time.0, Entry::Event(index))));
        }
        let files = scenario.world.files.values();
        let rotations: Vec<_> = files.map(|file| file.rotates.clone()).collect();
        for (index, rotation) in rotations.iter().enumerate() {
            let first = rotation.as_ref().and_then(|it| it.after(Duration::ZERO));
            if let Some((nominal, at)) = first {
                due.push(Reverse((at, Entry::Rotation(index, nominal))));
            }
        }
        let mut repeats = Vec::new();
        for (index, call) in scenario.call.iter().enumerate() {
            due.push(Reverse((call.at.0, Entry::Call(index))));
            let until = call.until.map_or(end, |until| until.0.min(end));
            repeats.push(call.every.map(|every| (every.0, until)));
        }
        Self {
            due,
            repeats,
            rotations,
        }
    }

    /// Takes the next entry and its time, if that is before `end`.
    pub fn next_before(&mut self, end: Duration) -> Option<(Duration, Entry)> {
        let &Reverse((at, _)) = self.due.peek()?;
        if at >= end {
            return None;
        }
        let Reverse((at, entry)) = self.due.pop()?;
        if let Entry::Call(index) = entry
            && let Some(Some((every, until))) = self.repeats.get(index)
            && let Some(again) = at.checked_add(*every).filter(|again| again < until)
        {
            self.due.push(Reverse((again, entry)));
        }
        if let Entry::Rotation(index, nominal) = entry
            && let Some(Some(rotation)) = self.rotations.get(index)
            && let Some((nominal, again)) = rotation.after(nominal)
        {
            self.due
                .push(Reverse((again, Entry::Rotation(index, nominal))));
        }
        Some((at, entry))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::parse;

    #[test]
    fn events_come_before_calls_and_repetitions_end_before_until() {
        let text = r#"
title = "t"
story = "s"
[world]
start = "2026-01-01T00:00:00Z"
lasts = "10s"
[world.imds]
[subject]
credential.managed-identity = {}
[[call]]
at = "2s"
every = "3s"
until = "8s"
do.get-token = { scopes = ["s"] }
[[at]]
time = "5s"
do.network = { service = "imds", reach = "refused" }
[[expect]]
that.token-from = {}
"#;
        let scenario = parse("t", "t.toml", text).expect("it is valid").scenario;
        let mut schedule = Schedule::of(&scenario);
        let mut entries = Vec::new();
        while let Some((at, entry)) = schedule.next_before(Duration::from_secs(10)) {
            entries.push((at.as_secs(), entry));
        }
        assert_eq!(
            entries,
            [
                (2, Entry::Call(0)),
                (5, Entry::Event(0)),
                (5, Entry::Call(0))
            ]
        );
    }
}
