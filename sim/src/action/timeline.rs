//! The timeline as a whole: its checks in the order of the events, and its sentences.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::Fault;
use super::{Action, At, Repair};
use crate::{
    check::Check,
    command::Program,
    scenario::{Span, document::Place},
    world::World,
};

/// The world between two events, as far as the checks of actions depend on earlier actions.
pub(crate) struct TimelineState<'a> {
    /// Whether each command is installed.
    pub(super) installed: BTreeMap<&'static str, bool>,
    /// The account that is signed in to each command.
    pub(super) accounts: BTreeMap<&'static str, Option<&'a str>>,
    /// The object ids of the identities that IMDS knows.
    pub(super) identities: BTreeSet<&'a str>,
    /// Faults by name: when they began, and when they end by themselves.
    pub(super) faults: BTreeMap<&'a str, (Duration, Option<Duration>)>,
    /// The names of the faults that were lifted.
    pub(super) lifted: BTreeSet<&'a str>,
    /// The names of the services whose hosts are down.
    pub(super) down: BTreeSet<&'static str>,
    /// The paths of the files of the subject's host.
    pub(super) files: BTreeSet<&'a str>,
    /// Whether the shared credential is disposed.
    pub(super) disposed: bool,
}

impl<'a> TimelineState<'a> {
    fn at_the_start(world: &'a World) -> Self {
        let imds = world.imds.iter();
        let mut installed: BTreeMap<_, _> = Program::ALL
            .iter()
            .map(|program| (program.name(), false))
            .collect();
        let mut accounts: BTreeMap<_, _> = Program::ALL
            .iter()
            .map(|program| (program.name(), None))
            .collect();
        for command in world.commands() {
            let name = command.program().name();
            installed.insert(name, command.common().installed);
            accounts.insert(name, command.common().account);
        }
        Self {
            installed,
            accounts,
            identities: imds
                .flat_map(|imds| imds.system_identity.iter().chain(&imds.user_identities))
                .map(|identity| identity.object_id.as_str())
                .collect(),
            faults: BTreeMap::new(),
            lifted: BTreeSet::new(),
            down: BTreeSet::new(),
            files: world.files.keys().map(String::as_str).collect(),
            disposed: false,
        }
    }
}

/// Checks every event of `timeline` against the state that earlier events have left in `world`.
pub(crate) fn check<'a>(timeline: &'a [At], world: &'a World, check: &mut Check<'_>) {
    let mut state = TimelineState::at_the_start(world);
    let mut events = timeline.iter().enumerate().collect::<Vec<_>>();
    events.sort_by_key(|(_, at)| at.time);
    for (index, at) in events {
        let place = Place::default().key("at").index(index);
        check.before_the_end(at.time, &place.key("time"));
        let keys = place.key("do").key(at.action.name());
        at.action.get().check(at.time, &keys, &mut state, check);
    }
}

/// One sentence for each event, in the order of their times.
pub(crate) fn describe(timeline: &[At]) -> Vec<String> {
    let mut events = timeline.iter().collect::<Vec<_>>();
    events.sort_by_key(|at| at.time);
    let sentence = |at: &At| format!("after {}: {}", at.time, at.action.get().describe());
    events.into_iter().map(sentence).collect()
}

/// The faults of `timeline` and when they begin, in the order of the file.
pub(crate) fn faults(timeline: &[At]) -> impl Iterator<Item = (Span, &Fault)> {
    timeline.iter().filter_map(|at| match &at.action {
        Action::Fault(fault) => Some((at.time, &**fault)),
        _ => None,
    })
}

/// The last time at which something in the world gets better, as far as the file says. None if
/// nothing ever does. A fault that strikes a number of times ends whenever it has.
pub(crate) fn last_repair(timeline: &[At]) -> Option<Duration> {
    let repairs = timeline.iter().filter_map(|at| {
        let later = match at.action.consequences().repair {
            Repair::No => return None,
            Repair::Now => Duration::ZERO,
            Repair::After(later) => later,
        };
        Some(at.time.0.saturating_add(later))
    });
    repairs.max()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::action::testing::parse;

    fn at(seconds: u64, action: &str) -> At {
        At {
            time: Span(Duration::from_secs(seconds)),
            action: parse(action),
        }
    }

    #[test]
    fn the_last_repair_is_the_latest_of_what_is_done_and_what_ends_by_itself() {
        let fault = |rest: &str| {
            format!("fault = {{ name = \"F\", on.imds = {{}}, then.hang = {{}}{rest} }}")
        };
        let mut timeline = vec![at(5, &fault("")), at(6, "az-logout = {}")];
        assert_eq!(last_repair(&timeline), None);
        timeline.push(at(1, &fault(", lasts = \"20s\"")));
        timeline.push(at(7, "az-login = { account = \"a\" }"));
        assert_eq!(last_repair(&timeline), Some(Duration::from_secs(21)));
        timeline.push(at(30, &fault(", first = 1")));
        assert_eq!(last_repair(&timeline), Some(Duration::from_secs(30)));
    }

    #[test]
    fn sentences_stand_in_the_order_of_the_times() {
        let timeline = [at(90, "az-uninstall = {}"), at(60, "dispose = {}")];
        assert_eq!(
            describe(&timeline),
            [
                "after 1m: the shared credential is disposed",
                "after 1m 30s: az is removed"
            ]
        );
    }
}
