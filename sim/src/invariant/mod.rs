//! What every run of every scenario asserts, one file each.
//!
//! One more belongs to a later room (the persistent cache), and one needs two runs: same scenario, engine and seed, same hash (`credsim run --twice`).

mod disposed_is_silent;
mod known_hosts_only;
mod no_expired_connection;
mod no_expired_token;
mod no_secret_told;
mod nothing_stops_for_good;
mod reported_identity;
mod retries_in_bounds;
mod single_flight;
mod valid_token_kept;
mod whole_transactions;

use crate::judge::{Evidence, Finding};
use crate::{
    judge::{Run, Side},
    scenario::Scenario,
};

/// An invariant.
pub struct Invariant {
    /// Its name in verdicts.
    pub name: &'static str,
    /// What it asserts, in a sentence.
    pub says: &'static str,
    /// Judges a run; none when the run has nothing that it speaks about.
    pub judge: fn(&Scenario, &Run) -> Option<Finding>,
}

impl Invariant {
    /// The finding where `needs` are not all in sight; none if they are.
    fn unseen(&self, run: &Run, needs: &[Side]) -> Option<Finding> {
        let reason = run.sight.lacks(needs)?;
        Some(Finding::not_observed(self.name, reason, self.says))
    }
}

/// Whether the invariant also holds of a run in which nothing happened.
pub(crate) fn is_held_by_silence(name: &str) -> bool {
    [no_secret_told::INVARIANT, known_hosts_only::INVARIANT]
        .iter()
        .any(|invariant| invariant.name == name)
}

/// All of them, in the order of verdicts.
pub const ALL: &[Invariant] = &[
    no_expired_token::INVARIANT,
    valid_token_kept::INVARIANT,
    reported_identity::INVARIANT,
    single_flight::INVARIANT,
    retries_in_bounds::INVARIANT,
    nothing_stops_for_good::INVARIANT,
    disposed_is_silent::INVARIANT,
    no_secret_told::INVARIANT,
    known_hosts_only::INVARIANT,
    whole_transactions::INVARIANT,
    no_expired_connection::INVARIANT,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scenario_files_know_them_all() {
        let names: Vec<_> = ALL.iter().map(|invariant| invariant.name).collect();
        assert_eq!(names, crate::scenario::INVARIANTS);
    }
}
