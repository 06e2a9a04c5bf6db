//! Nothing stands between MULTI and EXEC but what the caller sent, and no transaction is torn by
//! the end of a token.

use std::collections::BTreeSet;

use super::{Evidence, Finding, Invariant};
use crate::{
    judge::{Run, Side},
    scenario::{RedisEnd, Scenario},
    trace::{Event, Kind, RedisEvent},
};

pub(crate) const INVARIANT: Invariant = Invariant {
    name: "whole-transactions",
    says: "nothing stands between MULTI and EXEC but what the caller sent, and no token's end \
           tears a transaction",
    judge,
};

/// What begins and ends a transaction.
const FRAME: [&str; 5] = ["MULTI", "EXEC", "DISCARD", "RESET", "QUIT"];
/// What no application sends between MULTI and EXEC, if nobody knows what it sends.
const NEVER: [&str; 2] = ["AUTH", "HELLO"];

fn judge(scenario: &Scenario, run: &Run) -> Option<Finding> {
    // What an app outside sends, nobody here knows.
    let sent = match run.sight.lacks(&[Side::Calls]) {
        Some(_) => None,
        None => Some(sent(scenario)),
    };
    let mut looked_at = 0;
    for event in &run.trace.events {
        match &event.kind {
            Kind::Redis(RedisEvent::Command {
                connection,
                name,
                transaction: Some(number),
                ..
            }) => {
                looked_at += usize::from(name == "MULTI");
                let family = name.split(' ').next().unwrap_or(name);
                let is_foreign = match &sent {
                    None => NEVER.contains(&family),
                    Some(sent) => !FRAME.contains(&family) && !sent.contains(family),
                };
                if is_foreign {
                    let found = format!(
                        "nobody sent the {name} that stands in transaction {number} of connection {connection}"
                    );
                    let shown = Evidence::of(of_transaction(run, *connection, *number));
                    return Some(Finding::fails(INVARIANT.name, found, INVARIANT.says, shown));
                }
            }
            Kind::Redis(RedisEvent::Closed {
                connection,
                because: RedisEnd::Expired,
                transaction: Some(number),
                ..
            }) => {
                let found = format!(
                    "the end of its token tears transaction {number} of connection {connection}"
                );
                let shown = of_transaction(run, *connection, *number).chain([event]);
                let shown = Evidence::of(shown);
                return Some(Finding::fails(INVARIANT.name, found, INVARIANT.says, shown));
            }
            _ => {}
        }
    }
    let found = format!("{looked_at} transactions");
    (looked_at > 0).then(|| Finding::holds(INVARIANT.name, found, INVARIANT.says))
}

/// The names of the commands that callers send in transactions.
fn sent(scenario: &Scenario) -> BTreeSet<String> {
    let calls = scenario.call.iter();
    calls
        .flat_map(|call| call.action.commands_in_transactions())
        .collect()
}

fn of_transaction(run: &Run, on: u64, number: u64) -> impl Iterator<Item = &Event> {
    run.trace.events.iter().filter(move |event| {
        matches!(&event.kind, Kind::Redis(RedisEvent::Command { connection, transaction, .. })
            if *connection == on && *transaction == Some(number))
    })
}
