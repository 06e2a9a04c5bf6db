//! What is due when: the timeline and the calls of a scenario, merged into one order.

use std::{cmp::Reverse, collections::BinaryHeap, time::Duration};

use crate::scenario::Scenario;

/// Something that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Item {
    /// An `[[at]]`, by index. At the same moment the world changes before anybody calls.
    Change(usize),
    /// A `[[call]]`, by index.
    Call(usize),
}

/// The items in the order in which they are due.
pub(super) struct Agenda {
    due: BinaryHeap<Reverse<(Duration, Item)>>,
    /// Of each call: how often it is repeated, and until when.
    repeats: Vec<Option<(Duration, Duration)>>,
}

impl Agenda {
    pub fn of(scenario: &Scenario) -> Self {
        let end = scenario.world.lasts.0;
        let mut due = BinaryHeap::new();
        for (index, at) in scenario.at.iter().enumerate() {
            due.push(Reverse((at.time.0, Item::Change(index))));
        }
        let mut repeats = Vec::new();
        for (index, call) in scenario.call.iter().enumerate() {
            due.push(Reverse((call.at.0, Item::Call(index))));
            let until = call.until.map_or(end, |until| until.0.min(end));
            repeats.push(call.every.map(|every| (every.0, until)));
        }
        Self { due, repeats }
    }

    /// The next item, if it is due before `end`.
    pub fn next_before(&mut self, end: Duration) -> Option<(Duration, Item)> {
        let &Reverse((at, _)) = self.due.peek()?;
        if at >= end {
            return None;
        }
        let Reverse((at, item)) = self.due.pop()?;
        if let Item::Call(index) = item
            && let Some(Some((every, until))) = self.repeats.get(index)
            && let Some(again) = at.checked_add(*every).filter(|again| again < until)
        {
            self.due.push(Reverse((again, item)));
        }
        Some((at, item))
    }
}
