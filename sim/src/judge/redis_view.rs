//! Connections, commands and pieces of work of Redis, put together from the events that tell of
//! them.

use std::{collections::BTreeMap, time::Duration};

use super::Run;
use super::view::{Visit, Window};
use crate::{
    scenario::RedisMatch,
    trace::{Event, Kind, RedisEvent, RedisReply, Trace},
};

/// A piece of work from its beginning to its end.
pub(crate) struct Work<'a> {
    pub at: Duration,
    pub step: usize,
    pub started: &'a Event,
    /// The replies and the event that tells of them; none if the run ended before.
    pub end: Option<(&'a Event, &'a [RedisReply])>,
}

impl<'a> Work<'a> {
    /// The first error among the replies.
    pub fn error(&self) -> Option<&'a RedisReply> {
        let (_, replies) = self.end?;
        replies.iter().find(|reply| reply.error)
    }

    /// Its events: its beginning, and its end if it has one.
    pub fn events(&self) -> impl Iterator<Item = &'a Event> + use<'a> {
        std::iter::once(self.started).chain(self.end.map(|(event, _)| event))
    }
}

/// The pieces of work that begin in a window, in the order in which they begin.
pub(crate) fn work<'a>(run: &'a Run, window: &Window) -> Vec<Work<'a>> {
    let mut all: Vec<Work<'a>> = Vec::new();
    let mut open = BTreeMap::new();
    for event in &run.trace.events {
        match &event.kind {
            Kind::Redis(RedisEvent::WorkStarted { call, step, .. }) => {
                open.insert(*call, all.len());
                all.push(Work {
                    at: event.at,
                    step: *step,
                    started: event,
                    end: None,
                });
            }
            Kind::Redis(RedisEvent::WorkEnded { call, replies, .. }) => {
                if let Some(work) = open.remove(call).and_then(|index| all.get_mut(index)) {
                    work.end = Some((event, replies));
                }
            }
            _ => {}
        }
    }
    all.retain(|work| window.holds(work.at) && window.step.is_none_or(|step| step == work.step));
    all
}

/// The commands that `of` means, in the order in which they reached the server.
pub(crate) fn visits<'a>(trace: &'a Trace, of: &RedisMatch) -> Vec<Visit<'a>> {
    let mut nodes = BTreeMap::new();
    let mut visits = Vec::new();
    for (place, event) in trace.journal("redis").enumerate() {
        match &event.kind {
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
                        order: (place, Some(place)),
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
