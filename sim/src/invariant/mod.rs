//! What every run of every scenario asserts, one file each.
//!
//! To add an invariant: a file here with its [`Invariant`], and a line in the registry
//! `invariants!`. Scenario files know it by its name from then on (`[[known-failure]] fails`).
//! Beside these two files change `sim/tests/mutants`, which needs a subject that breaks it, and
//! generated files.
//!
//! One more belongs to a later room (the persistent cache), and one needs two runs: same scenario,
//! engine and seed, same hash (`credsim run --twice`).

use crate::judge::{Aspect, Entry, Evidence, Finding, Plan, Ruling, View};

/// An invariant.
pub struct Invariant {
    /// Its name in verdicts and in `[[known-failure]]`.
    pub name: &'static str,
    /// What it asserts, in a sentence.
    pub says: &'static str,
    /// Whether it also holds of a run in which nothing happened, so that it alone says nothing of
    /// the subject.
    pub is_held_by_silence: bool,
    /// Judges a run; none when the run has nothing that it speaks about.
    pub judge: fn(&Plan<'_>, &View<'_>) -> Option<Ruling>,
}

impl Invariant {
    /// Judges the runs of all seeds: the first in which it does not hold is shown.
    pub fn judge_all(&self, plan: &Plan<'_>, runs: &[View<'_>]) -> Option<Finding> {
        let rulings = runs.iter().filter_map(|view| {
            let ruling = (self.judge)(plan, view)?;
            Some(ruling.of_seed(view.run.seed))
        });
        Some(Ruling::worst(rulings)?.into_finding(self.name, self.says))
    }
}

/// The ruling where `needs` are not all in sight; none if they are.
fn unseen(view: &View<'_>, needs: &[Aspect]) -> Option<Ruling> {
    view.run.visibility.lacks(needs).map(Ruling::not_observed)
}

/// The registry, in the order of verdicts: a module each.
macro_rules! invariants {
    ($callback:ident) => {
        $callback! {
            no_expired_token,
            issued_here,
            valid_token_kept,
            reported_identity,
            single_flight,
            retries_in_bounds,
            nothing_stops_for_good,
            disposed_is_silent,
            no_secret_told,
            known_hosts_only,
            whole_transactions,
            no_expired_connection,
        }
    };
}

macro_rules! define {
    ($( $module:ident, )*) => {
        $( mod $module; )*

        /// All of them, in the order of verdicts.
        pub const ALL: &[Invariant] = &[$( $module::INVARIANT, )*];
    };
}
invariants!(define);

/// Their names, in the order of verdicts.
pub fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|invariant| invariant.name)
}

/// Whether the invariant of this name also holds of a run in which nothing happened.
pub(crate) fn is_held_by_silence(name: &str) -> bool {
    let mut all = ALL.iter();
    all.any(|invariant| invariant.name == name && invariant.is_held_by_silence)
}
