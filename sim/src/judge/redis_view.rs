//! Connections, commands and pieces of work of Redis, put together from the events that tell of
//! them.

use std::{collections::BTreeMap, time::Duration};

use super::view::{Entry, View, Visit};
use crate::{
    scenario::RedisMatch,
    trace::{Kind, RedisEvent, RedisReply},
};

/// A piece of work from its beginning to its end.
pub(crate) struct Work<'a> {
    pub at: Duration,
    pub step: usize,
    pub started: Entry<'a>,
    /// The replies and the event that tells of them; none if the run ended before.
    pub end: Option<(Entry<'a>, &'a [RedisReply])>,
}

impl<'a> Work<'a> {
    /// The first error among the replies.
    pub fn error(&self) -> Option<&'a RedisReply> {
        let (_, replies) = self.end?;
        replies.iter().find(|reply| reply.error)
    }

    /// Whether it ended, and without an error.
    pub fn is_done(&self) -> bool {
        self.end.is_some() && self.error().is_none()
    }

    /// Its events: its beginning, and its end if it has one.
    pub fn events(&self) -> impl Iterator<Item = Entry<'a>> + use<'a> {
        std::iter::once(self.started).chain(self.end.map(|(event, _)| event))
    }
}

/// The piece of work that these two events tell of.
pub(super) fn work<'a>(started: Entry<'a>, ended: Option<Entry<'a>>) -> Option<Work<'a>> {
    let Kind::Redis(RedisEvent::WorkStarted { step, .. }) = &started.event.kind else {
        return None;
    };
    let end = ended.and_then(|ended| match &ended.event.kind {
        Kind::Redis(RedisEvent::WorkEnded { replies, .. }) => Some((ended, replies.as_slice())),
        _ => None,
    });
    Some(Work {
        at: started.at,
        step: *step,
        started,
        end,
    })
}

/// The commands that `of` means, in the order in which they reached the server.
pub(crate) fn visits<'a>(view: &View<'a>, of: &RedisMatch) -> Vec<Visit<'a>> {
    let mut nodes = BTreeMap::new();
    let mut visits = Vec::new();
    for event in view.lane("redis") {
        match &event.event.kind {
            Kind::Redis(RedisEvent::Opened { node, connection }) => {
                nodes.insert(*connection, node.as_str());
            }
            Kind::Redis(RedisEvent::Command {
                connection,
                name,
                transaction,
                signs_in,
                ..
            }) => {
                let command = of.command.as_ref();
                let is_wanted = command.is_none_or(|wanted| is_command(name, wanted))
                    && of.signs_in.is_none_or(|wanted| wanted == *signs_in)
                    && of.connection.is_none_or(|wanted| wanted == *connection)
                    && of
                        .in_transaction
                        .is_none_or(|wanted| wanted == transaction.is_some())
                    && of
                        .node
                        .is_none_or(|wanted| is_node(nodes.get(connection), wanted));
                if is_wanted {
                    visits.push(Visit {
                        arrived: event,
                        answered: Some(event),
                    });
                }
            }
            _ => {}
        }
    }
    visits
}

/// Whether a command of this name is meant: `CLIENT` means all its subcommands too.
fn is_command(name: &str, wanted: &str) -> bool {
    let is_it = name.eq_ignore_ascii_case(wanted);
    let family = name.split(' ').next().unwrap_or(name);
    is_it || family.eq_ignore_ascii_case(wanted)
}

fn is_node(host: Option<&&str>, wanted: u32) -> bool {
    let first = host.and_then(|host| host.split('.').next());
    // A single server is node 1, as it is for faults.
    first == Some(format!("redis-{wanted}").as_str()) || (wanted == 1 && first == Some("redis"))
}

/// What the commands are called in a sentence.
pub(crate) fn words(of: &RedisMatch) -> String {
    let mut words = match (&of.command, of.signs_in) {
        (Some(command), _) => format!("{} commands", command.to_uppercase()),
        (None, Some(true)) => "sign-ins at redis".to_owned(),
        (None, _) => "redis commands".to_owned(),
    };
    match of.in_transaction {
        Some(true) => words += " within a transaction",
        Some(false) => words += " outside of transactions",
        None => {}
    }
    if let Some(connection) = of.connection {
        words += &format!(" on connection {connection}");
    }
    if let Some(node) = of.node {
        words += &format!(" on node {node}");
    }
    words
}
