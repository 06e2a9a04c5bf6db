//! `that.requests`, `that.in-flight` and `that.rate`: how many requests a service sees, in all, at
//! once, and within a time.

use crate::judge::{
    Evidence, Finding,
    view::{Visit, visits},
};
use crate::{
    fault::Matcher as _,
    judge::Run,
    scenario::{InFlight, Rate, Requests},
};

/// Whether more have come than may, whatever comes yet.
pub(crate) fn is_too_many(run: &Run, wanted: &Requests) -> bool {
    let most = wanted.exactly.or(wanted.at_most);
    most.is_some_and(|most| counted(run, wanted).len() > most as usize)
}

/// The visits that count.
fn counted<'a>(run: &'a Run, wanted: &Requests) -> Vec<Visit<'a>> {
    let mut seen = visits(&run.trace, &wanted.to);
    if let Some([from, until]) = wanted.between {
        seen.retain(|visit| from.0 <= visit.arrived.at && visit.arrived.at < until.0);
    }
    seen
}

pub(crate) fn judge_count(run: &Run, wanted: &Requests) -> Finding {
    const NAME: &str = "requests";
    let seen = counted(run, wanted);
    let when = wanted.between.map_or_else(String::new, |[from, until]| {
        format!(" between {from} and {until}")
    });
    let count = u32::try_from(seen.len()).unwrap_or(u32::MAX);
    let least = wanted.exactly.or(wanted.at_least).unwrap_or(0);
    let most = wanted.exactly.or(wanted.at_most).unwrap_or(u32::MAX);
    let how_many = match (least, most) {
        (least, most) if least == most => format!("exactly {least}"),
        (0, most) => format!("at most {most}"),
        (least, u32::MAX) => format!("at least {least}"),
        (least, most) => format!("{least} to {most}"),
    };
    let expected = format!("{how_many} {}{when}", wanted.to.describe());
    let found = format!("there are {count}");
    if (least..=most).contains(&count) {
        Finding::holds(NAME, found, expected)
    } else {
        Finding::fails(NAME, found, expected, evidence(run, &seen))
    }
}

pub(crate) fn judge_in_flight(run: &Run, wanted: &InFlight) -> Finding {
    const NAME: &str = "in-flight";
    let seen = visits(&run.trace, &wanted.to);
    // In the order of the trace: what is answered in no time was under way all the same.
    let mut changes: Vec<(usize, i32)> = Vec::new();
    for visit in &seen {
        changes.push((visit.order.0, 1));
        changes.extend(visit.order.1.map(|answered| (answered, -1)));
    }
    changes.sort_unstable();
    let (mut now, mut peak) = (0, 0);
    for (_, change) in changes {
        now += change;
        peak = peak.max(now);
    }
    let expected = format!(
        "never more than {} {} at once",
        wanted.at_most,
        wanted.to.describe()
    );
    let found = format!("there are up to {peak}");
    if !seen.is_empty() && i64::from(peak) <= i64::from(wanted.at_most) {
        Finding::holds(NAME, found, expected)
    } else {
        Finding::fails(NAME, found, expected, evidence(run, &seen))
    }
}

pub(crate) fn judge_rate(run: &Run, wanted: &Rate) -> Finding {
    const NAME: &str = "rate";
    let seen = visits(&run.trace, &wanted.to);
    let (mut first, mut busiest) = (0, &seen[..0]);
    for next in 0..seen.len() {
        while seen[first].arrived.at + wanted.per.0 <= seen[next].arrived.at {
            first += 1;
        }
        if next + 1 - first > busiest.len() {
            busiest = &seen[first..=next];
        }
    }
    let expected = format!(
        "never more than {} {} within {}",
        wanted.at_most,
        wanted.to.describe(),
        wanted.per
    );
    let found = format!("there are up to {}", busiest.len());
    if !seen.is_empty() && busiest.len() <= wanted.at_most as usize {
        Finding::holds(NAME, found, expected)
    } else {
        Finding::fails(NAME, found, expected, evidence(run, busiest))
    }
}

fn evidence<'a>(run: &'a Run, visits: &[Visit<'a>]) -> Evidence {
    Evidence::with_changes(&run.trace, visits.iter().map(|visit| visit.arrived))
}
