//! Nothing stands between MULTI and EXEC but what the caller sent, and no transaction is torn by
//! the end of a token.

use super::{Aspect, Entry, Evidence, Invariant, Plan, Ruling, View};
use crate::trace::{Kind, RedisEnd, RedisEvent};
use crate::wording::counted;

pub(crate) const INVARIANT: Invariant = Invariant {
    name: "whole-transactions",
    says: "nothing stands between MULTI and EXEC but what the caller sent, and no token's end \
           tears a transaction",
    is_held_by_silence: false,
    judge,
};

/// What begins and ends a transaction.
const FRAME: [&str; 5] = ["MULTI", "EXEC", "DISCARD", "RESET", "QUIT"];
/// What no application sends between MULTI and EXEC, for a client whose commands are not known.
const NEVER: [&str; 2] = ["AUTH", "HELLO"];

fn judge(plan: &Plan<'_>, view: &View<'_>) -> Option<Ruling> {
    // What an application outside sends is not known.
    let sent = match view.run.visibility.lacks(&[Aspect::Calls]) {
        Some(_) => None,
        None => Some(plan.sent_in_transactions()),
    };
    let mut looked_at = 0;
    for event in view.lane("redis") {
        let Kind::Redis(redis) = &event.event.kind else {
            continue;
        };
        match redis {
            RedisEvent::Command {
                connection,
                name,
                transaction: Some(number),
                ..
            } => {
                looked_at += usize::from(name == "MULTI");
                let family = name.split(' ').next().unwrap_or(name);
                let is_foreign = match &sent {
                    None => NEVER.contains(&family),
                    Some(sent) => !FRAME.contains(&family) && !sent.contains(family),
                };
                if is_foreign {
                    let found = format!(
                        "no caller sent the {name} in transaction {number} of connection {connection}"
                    );
                    let shown =
                        Evidence::of(of_transaction(view, *connection, u64::from(number.get())));
                    return Some(Ruling::fails(found, shown));
                }
            }
            RedisEvent::Closed {
                connection,
                because: RedisEnd::Expired,
                transaction: Some(number),
                ..
            } => {
                let found = format!(
                    "the end of its token tears transaction {number} of connection {connection}"
                );
                let shown = of_transaction(view, *connection, *number).chain([event]);
                let shown = Evidence::of(shown);
                return Some(Ruling::fails(found, shown));
            }
            _ => {}
        }
    }
    let found = counted(looked_at, "transaction");
    (looked_at > 0).then(|| Ruling::holds(found))
}

fn of_transaction<'a>(view: &View<'a>, on: u64, number: u64) -> impl Iterator<Item = Entry<'a>> {
    view.lane("redis").filter(move |event| {
        matches!(&event.event.kind, Kind::Redis(RedisEvent::Command { connection, transaction, .. })
            if *connection == on && transaction.is_some_and(|of| u64::from(of.get()) == number))
    })
}
