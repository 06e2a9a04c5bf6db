//! What scenarios assert, one file each.

mod attempts;
mod error;
mod identity_change;
mod moment;
mod not_built;
mod passed_over;
mod recovery;
mod redis;
mod requests;
mod resource_saw;
mod token_from;
mod tokens;
mod waited;

use crate::judge::{Evidence, Finding};
use crate::{
    judge::Run,
    scenario::{Scenario, Span, That},
};

/// Judges one expectation on one run.
pub(crate) fn judge(scenario: &Scenario, run: &Run, that: &That) -> Finding {
    let finding = judge_seen(scenario, run, that);
    let reason = if moment::first(scenario, that).is_some_and(|first| first >= run.ended) {
        ENDED
    } else if may_change(run, that, &finding) {
        ENDED_WITHIN
    } else {
        return finding;
    };
    Finding::not_observed(&finding.name, reason, finding.expected)
}

/// Whether what was found could have become something else in the rest of the window that the
/// scenario names: more may have come, had the run not ended.
fn may_change(run: &Run, that: &That, finding: &Finding) -> bool {
    let early = |until: Option<Span>| until.is_some_and(|until| until.0 > run.ended);
    match that {
        That::Requests(wanted) if early(wanted.between.map(|[_, until]| until)) => {
            let bounded = wanted.exactly.is_some() || wanted.at_most.is_some();
            // What is too much already stays so, and so does what is enough.
            !requests::is_too_many(run, wanted) && (bounded || finding.is_failure())
        }
        That::ResourceSaw(wanted) if early(wanted.until) => finding.is_held(),
        _ => false,
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
        That::RedisReplies(wanted) => redis::judge_replies(run, wanted),
        That::RedisFailure(wanted) => redis::judge_failure(run, wanted),
        That::RedisClosed(wanted) => redis::judge_closed(run, wanted),
        That::RedisReceived(wanted) => redis::judge_received(scenario, run, wanted),
        That::RedisReported(wanted) => redis::judge_reported(run, wanted),
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
const ENDED_WITHIN: &str = "the run ended within the time that it is about";

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
