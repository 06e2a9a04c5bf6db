//! `that.redis-closed`: how many connections end, and why.

use super::{Count, between, is_between};
use crate::judge::{Evidence, Finding};
use crate::{
    judge::Run,
    scenario::{RedisClosed, RedisEnd},
    trace::{Kind, RedisEvent},
};

const NAME: &str = "redis-closed";

pub(crate) fn judge(run: &Run, wanted: &RedisClosed) -> Finding {
    let ends = run.trace.events.iter().filter(|event| {
        matches!(&event.kind, Kind::Redis(RedisEvent::Closed { because, .. })
            if wanted.because.is_none_or(|wanted| wanted == *because))
            && is_between(wanted.between, event.at)
    });
    let ends: Vec<_> = ends.collect();
    let count = Count::new(wanted.exactly, wanted.at_least, wanted.at_most);
    let how = match wanted.because {
        None => "end",
        Some(RedisEnd::Expired) => "are closed because their token has ended",
        Some(RedisEnd::Client) => "are closed by the client",
        Some(RedisEnd::Server) => "are closed by the server",
        Some(RedisEnd::Broken) => "break",
    };
    let expected = format!(
        "{} connections {how}{}",
        count.words(),
        between(wanted.between)
    );
    let found = format!("there are {}", ends.len());
    if count.holds(ends.len()) {
        Finding::holds(NAME, found, expected)
    } else {
        Finding::fails(
            NAME,
            found,
            expected,
            Evidence::with_changes(&run.trace, ends),
        )
    }
}
