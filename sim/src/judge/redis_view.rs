//! Connections, commands and pieces of work of Redis, put together from the events that tell of
//! them.

use std::{collections::BTreeMap, time::Duration};

use super::Run;
use super::view::Window;
use crate::trace::{Event, Kind, RedisEvent, RedisReply};

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
