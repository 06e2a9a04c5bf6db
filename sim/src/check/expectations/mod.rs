//! What scenarios assert, one file each.

mod attempts;
mod error;
mod identity_change;
mod moment;
mod not_built;
mod passed_over;
mod recovery;
mod requests;
mod resource_saw;
mod token_from;
mod tokens;
mod waited;

use super::{Evidence, Finding};
use crate::{
    run::Run,
    scenario::{Scenario, That},
};

/// Judges one expectation on one run.
pub(super) fn judge(scenario: &Scenario, run: &Run, that: &That) -> Finding {
    let finding = judge_seen(scenario, run, that);
    match moment::first(scenario, that).filter(|first| *first >= run.ended) {
        Some(_) => Finding::not_observed(&finding.name, ENDED, finding.expected),
        None => finding,
    }
}

fn judge_seen(scenario: &Scenario, run: &Run, that: &That) -> Finding {
    match that {
        That::TokenFrom(wanted) => token_from::judge(run, wanted),
        That::Error(wanted) => error::judge(run, wanted),
        That::Requests(wanted) => requests::judge_count(run, wanted),
        That::InFlight(wanted) => requests::judge_in_flight(run, wanted),
        That::Rate(wanted) => requests::judge_rate(run, wanted),
        That::Attempts(wanted) => attempts::judge(scenario, run, wanted),
        That::Waited(wanted) => waited::judge(run, wanted),
        That::IdentityChange(wanted) => identity_change::judge(run, wanted),
        That::PassedOver(wanted) => passed_over::judge(run, wanted),
        That::Recovery(wanted) => recovery::judge(scenario, run, wanted),
        That::ResourceSaw(wanted) => resource_saw::judge(run, wanted),
        That::NotBuilt(wanted) => not_built::judge(run, wanted),
        That::Tokens(wanted) => tokens::judge(run, wanted),
        // These two speak about all seeds and are judged there.
        That::Share(_) | That::Percentile(_) => Finding::fails(
            "statistics",
            "one run has no statistics",
            "many runs",
            Evidence::none(),
        ),
    }
}

/// Why what would have come later can't be judged.
const ENDED: &str = "the run ended before";

/// Whether `text` contains all of `parts`, in this order; the first that it lacks otherwise.
fn lacks<'a>(text: &str, parts: &'a [String]) -> Option<&'a str> {
    // Line breaks and indents don't matter: people write texts on one line.
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut rest = text.as_str();
    for part in parts {
        match rest.find(part.as_str()) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return Some(part),
        }
    }
    None
}
