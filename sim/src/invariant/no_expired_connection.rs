//! No Redis connection runs on a token that has ended, and none signs in with one.

use std::{collections::BTreeMap, time::Duration};

use super::{Entry, Evidence, Invariant, Plan, Ruling, View};
use crate::trace::{RedisEnd, RedisEvent, span};
use crate::wording::counted;

pub(crate) const INVARIANT: Invariant = Invariant {
    name: "no-expired-connection",
    says: "no redis connection runs on a token that has ended, or signs in with one",
    is_held_by_silence: false,
    judge,
};

fn judge(plan: &Plan<'_>, view: &View<'_>) -> Option<Ruling> {
    let grace = plan.world.redis.as_ref()?.grace.0;
    // By a clock that is wrong, no client can know.
    let is_right = plan.clock_is_right();
    let mut ends: BTreeMap<u64, (Duration, Entry<'_>)> = BTreeMap::new();
    let mut looked_at = 0;
    for (event, redis) in view.redis() {
        let failed = match redis {
            RedisEvent::SignedIn {
                connection,
                accepted: true,
                until,
                ..
            } => {
                let end = until.map_or(Duration::MAX, |until| until.saturating_sub(grace));
                ends.insert(*connection, (end, event));
                None
            }
            RedisEvent::SignedIn { ended: true, .. } if is_right => Some((
                "a token is presented that has ended".to_owned(),
                vec![event],
            )),
            RedisEvent::Command {
                connection,
                signs_in: false,
                ..
            } => {
                looked_at += 1;
                ends.get(connection)
                    .filter(|(end, _)| *end <= event.at)
                    .map(|(end, signed_in)| {
                        let late = span(event.at - *end);
                        let found = format!(
                            "connection {connection} still works {late} after its token's end"
                        );
                        (found, vec![*signed_in, event])
                    })
            }
            // Without a grace period no client can be faster than the server.
            RedisEvent::Closed {
                connection,
                because: RedisEnd::Expired,
                ..
            } if is_right && !grace.is_zero() => {
                let found = format!(
                    "connection {connection} stays until the server closes it, {} after its token's end",
                    span(grace)
                );
                Some((found, vec![event]))
            }
            _ => None,
        };
        if let Some((found, shown)) = failed {
            let shown = Evidence::of(shown);
            return Some(Ruling::fails(found, shown));
        }
    }
    let found = format!(
        "{} on {}",
        counted(looked_at, "command"),
        counted(ends.len(), "connection")
    );
    (looked_at > 0).then(|| Ruling::holds(found))
}
