//! Pieces of work for Redis, put together from the events that tell of them.

use std::time::Duration;

use super::entry::Entry;
use crate::trace::{Kind, RedisEvent, RedisReply};

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
