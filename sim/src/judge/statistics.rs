//! What is said about all seeds together: shares and percentiles.

use std::time::Duration;

use super::{Evidence, Finding, view::calls};
use super::{Run, Side};
use crate::{
    scenario::{Percentile, Share, That},
    trace,
};

/// Judges `that` over all runs; none if it speaks about single runs.
pub(crate) fn judge(that: &That, runs: &[Run]) -> Option<Finding> {
    match that {
        That::Share(share) => Some(judge_share(share, runs)),
        That::Percentile(percentile) => Some(judge_percentile(percentile, runs)),
        _ => None,
    }
}

/// Why the calls of all runs can't be counted, if so.
fn unseen(runs: &[Run]) -> Option<&'static str> {
    runs.iter().find_map(|run| run.sight.lacks(&[Side::Calls]))
}

fn judge_share(share: &Share, runs: &[Run]) -> Finding {
    let (mut succeeded, mut all) = (0_u32, 0_u32);
    for call in runs.iter().flat_map(|run| calls(&run.trace)) {
        all += 1;
        succeeded += u32::from(call.is_token());
    }
    let most = share.at_most.unwrap_or(1.0);
    let reached = if all == 0 {
        0.0
    } else {
        f64::from(succeeded) / f64::from(all)
    };
    let expected = format!(
        "between {:.1} % and {:.1} % of all calls succeed",
        share.at_least * 100.0,
        most * 100.0
    );
    if let Some(reason) = unseen(runs) {
        return Finding::not_observed("share", reason, expected);
    }
    let found = format!(
        "{succeeded} of {all} calls ({:.2} %) over {} seeds succeed",
        reached * 100.0,
        runs.len()
    );
    if all > 0 && share.at_least <= reached && reached <= most {
        Finding::holds("share", found, expected)
    } else {
        Finding::fails("share", found, expected, Evidence::none())
    }
}

fn judge_percentile(wanted: &Percentile, runs: &[Run]) -> Finding {
    let mut waits: Vec<Duration> = runs
        .iter()
        .flat_map(|run| calls(&run.trace))
        // A caller that still waits at the end has waited longer than anybody.
        .map(|call| call.end.map_or(Duration::MAX, |end| end.waited))
        .collect();
    waits.sort_unstable();
    let expected = format!(
        "{} of callers wait {} or less",
        percent(wanted.percentile),
        wanted.at_most
    );
    if let Some(reason) = unseen(runs) {
        return Finding::not_observed("percentile", reason, expected);
    }
    // Nearest rank: the smallest wait that so many percent of all do not exceed.
    let rank = (wanted.percentile / 100.0 * waits.len() as f64)
        .ceil()
        .max(1.0) as usize;
    let Some(reached) = waits.get(rank - 1).or(waits.last()) else {
        return Finding::fails(
            "percentile",
            "there was no call",
            expected,
            Evidence::none(),
        );
    };
    let found = format!(
        "{} of {} callers over {} seeds wait {} or less",
        percent(wanted.percentile),
        waits.len(),
        runs.len(),
        if *reached == Duration::MAX {
            "for ever".to_owned()
        } else {
            trace::span(*reached)
        }
    );
    if *reached <= wanted.at_most.0 {
        Finding::holds("percentile", found, expected)
    } else {
        Finding::fails("percentile", found, expected, Evidence::none())
    }
}

fn percent(number: f64) -> String {
    format!("{number} %")
}
