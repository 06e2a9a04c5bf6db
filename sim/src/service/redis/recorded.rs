//! What a connection does, as the trace tells it; and the faults that look at it.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;

use super::{
    command::{self, shown},
    entra::Tried,
    matcher::RedisFacts,
    resp::Reply,
    server::Done,
    session::Session,
};
use crate::{
    fault::Strike,
    trace::{Facts, Fingerprint, Kind, Published, RedisEvent},
};

/// A good login.
#[derive(Clone, Debug)]
pub struct Signed {
    user: String,
    token: Fingerprint,
}

/// What became of a command.
pub struct Outcome {
    name: Option<String>,
    reply: String,
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
            transaction: done.transaction,
            published: (!done.published.is_empty())
                .then(|| Arc::new(done.published.iter().map(published).collect())),
        }
    }
}

fn published((channel, message): &(Bytes, Bytes)) -> Published {
    Published {
        channel: String::from_utf8_lossy(channel).into(),
        message: String::from_utf8_lossy(message).into(),
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
pub fn command(session: &Session, args: &[Bytes], fault: Option<&str>, outcome: Outcome) {
    let name = outcome.name.unwrap_or_else(|| command::full_name(args));
    let name = capitals(&name);
    let facts = facts(session, name.clone(), args, outcome.transaction.is_some());
    record(
        session,
        RedisEvent::Command {
            connection: session.id,
            number: session.number,
            name: name.into(),
            args: shown::arguments(args).join(" ").into(),
            user: session.signed.as_ref().map(|signed| (&signed.user).into()),
            token: session.signed.as_ref().map(|signed| signed.token),
            transaction: outcome.transaction,
            signs_in: shown::signs_in(args),
            reply: outcome.reply.into(),
            fault: fault.map(Into::into),
            facts,
            published: outcome.published,
        },
    );
}

fn record(session: &Session, event: RedisEvent) {
    let at = session.elapsed();
    session.stage.journal().record(at, Kind::Redis(event));
}

/// The fault that strikes a command.
pub fn strike(
    session: &Session,
    args: &[Bytes],
    at: Duration,
    in_transaction: bool,
) -> Option<Strike> {
    let name = capitals(&command::full_name(args));
    session
        .stage
        .strike(&facts(session, name, args, in_transaction), at)
}

fn facts(session: &Session, name: String, args: &[Bytes], in_transaction: bool) -> Facts {
    Facts::new(RedisFacts {
        name,
        signs_in: shown::signs_in(args),
        connection: session.id,
        node: session.node,
        in_transaction,
    })
}
