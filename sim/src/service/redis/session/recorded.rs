//! What a connection does, as the trace tells it; and the faults that look at it.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use bytes::Bytes;

use super::super::{
    command::{self, shown},
    entra::Tried,
    matcher::RedisFacts,
    resp::Reply,
    server::Done,
};
use super::Session;
use crate::redact::masked_message;
use crate::trace::{Facts, Fingerprint, Kind, Published, RedisEvent};

/// A good login.
#[derive(Clone, Debug)]
pub struct Signed {
    user: String,
    token: Fingerprint,
}

/// A command as it arrived.
#[derive(Clone, Copy)]
pub struct Arrived<'a> {
    /// When the server read it, since the world began.
    pub at: Duration,
    /// What is known of it.
    pub facts: &'a Facts,
    /// The fault that strikes it.
    pub fault: Option<&'a str>,
}

/// What became of a command.
pub struct Outcome {
    name: Option<String>,
    reply: String,
    is_error: bool,
    transaction: Option<u64>,
    published: Option<Arc<Vec<Published>>>,
}

impl Outcome {
    /// There is no reply; the command stands in this transaction.
    pub fn nothing(transaction: Option<u64>) -> Self {
        Self::of(&Reply::Nothing, transaction)
    }

    /// A reply that the server itself does not give, to a command in this transaction.
    pub fn of(reply: &Reply, transaction: Option<u64>) -> Self {
        Self {
            name: None,
            reply: reply.short(),
            is_error: reply.is_error(),
            transaction,
            published: None,
        }
    }

    /// What the server says.
    pub fn done(done: &Done) -> Self {
        Self {
            name: Some(done.command.clone()),
            reply: if done.blocked {
                "(waits)".to_owned()
            } else {
                done.reply.clone()
            },
            is_error: done.failed,
            transaction: done.transaction,
            published: (!done.published.is_empty())
                .then(|| Arc::new(done.published.iter().map(published).collect())),
        }
    }
}

fn published((channel, message): &(Bytes, Bytes)) -> Published {
    let (channel, message) = (
        String::from_utf8_lossy(channel),
        String::from_utf8_lossy(message),
    );
    Published {
        message: masked_message(&channel, &message).into(),
        channel: channel.into(),
    }
}

/// In capitals, with a space before the subcommand.
fn capitals(name: &str) -> String {
    name.replace('|', " ").to_uppercase()
}

/// The server looked at a login.
pub fn signed_in(session: &mut Session, tried: &Tried) {
    let tried = tried.clone();
    if tried.accepted {
        session.signed = Some(Signed {
            user: tried.user.clone(),
            token: tried.token,
        });
    }
    record(
        session,
        RedisEvent::SignedIn {
            connection: session.id,
            user: tried.user.into(),
            token: tried.token,
            accepted: tried.accepted,
            ended: tried.ended,
            why: tried.why.into(),
            until: tried.until,
        },
    );
}

/// The server took a command.
pub fn command(session: &Session, args: &[Bytes], arrived: &Arrived<'_>, outcome: Outcome) {
    let name = outcome.name.unwrap_or_else(|| command::full_name(args));
    record(
        session,
        RedisEvent::Command {
            connection: session.id,
            number: small(session.number),
            name: capitals(&name).into(),
            args: shown::arguments(args).join(" ").into(),
            user: session.signed.as_ref().map(|signed| (&signed.user).into()),
            token: session.signed.as_ref().map(|signed| signed.token),
            transaction: outcome
                .transaction
                .and_then(|number| NonZeroU32::new(small(number))),
            signs_in: shown::signs_in(args),
            reply: shown::reply(args, outcome.reply, outcome.is_error).into(),
            fault: arrived.fault.map(Into::into),
            facts: arrived.facts.clone(),
            published: outcome.published,
        },
    );
}

/// A number of the trace, which counts from 1; no run comes near the largest.
fn small(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn record(session: &Session, event: RedisEvent) {
    let at = session.elapsed();
    session.backend.journal().record(at, Kind::Redis(event));
}

/// What is known of a command that arrives. Faults look at it before the server does, and
/// expectations count it as it arrived, so that both mean the same commands.
pub fn facts(session: &Session, args: &[Bytes], is_within: bool) -> Facts {
    let name = command::full_name(args);
    let in_transaction = is_within || name == "multi";
    Facts::new(RedisFacts {
        name: capitals(&name),
        signs_in: shown::signs_in(args),
        connection: session.id,
        node: session.node,
        in_transaction,
    })
}
