//! `that.redis-reported`: what the client says about itself.

use super::{Count, between, is_between};
use crate::judge::{Evidence, Finding};
use crate::{
    judge::{Run, Side},
    scenario::{RedisReport, RedisReported},
    trace::{Event, Kind, RedisEvent},
};

const NAME: &str = "redis-reported";

pub(crate) fn judge(run: &Run, wanted: &RedisReported) -> Finding {
    let count = Count::new(wanted.exactly, wanted.at_least, wanted.at_most);
    let expected = format!(
        "the client reports {} times: {}{}",
        count.words(),
        words(wanted.what),
        between(wanted.between)
    );
    if let Some(unseen) = run.sight.lacks(&[Side::Reports]) {
        return Finding::not_observed(NAME, unseen, expected);
    }
    let all: Vec<&Event> = run.trace.events.iter().filter(is_report).collect();
    let said = all.iter().copied().filter(|event| {
        matches!(&event.kind, Kind::Redis(RedisEvent::Reported { what, .. })
            if *what == wanted.what)
            && is_between(wanted.between, event.at)
    });
    let said: Vec<_> = said.collect();
    let found = format!("it reports that {} times", said.len());
    if count.holds(said.len()) {
        Finding::holds(NAME, found, expected)
    } else {
        // What it said instead tells more than silence.
        let shown = if said.is_empty() { all } else { said };
        Finding::fails(
            NAME,
            found,
            expected,
            Evidence::with_changes(&run.trace, shown),
        )
    }
}

fn is_report(event: &&Event) -> bool {
    matches!(event.kind, Kind::Redis(RedisEvent::Reported { .. }))
}

fn words(what: RedisReport) -> &'static str {
    match what {
        RedisReport::Refreshed => "refreshed",
        RedisReport::SameToken => "same token",
        RedisReport::Retrying => "retrying",
        RedisReport::Failing => "failing",
        RedisReport::Recovered => "recovered",
        RedisReport::Connected => "connected",
        RedisReport::Reauthenticated => "re-authenticated",
        RedisReport::ReauthenticationFailed => "re-authentication failed",
        RedisReport::TransactionFailed => "transaction failed",
        RedisReport::Replaced => "replaced",
    }
}
