//! The queue between the task that reads and the caller that listens.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use tokio::sync::Notify;

use super::{event::PubSubEvent, message::Message};
use crate::platform::Clock;

/// Holds unread events up to a limit, so that a slow reader delays neither the connection nor its
/// re-authentication. Messages beyond the limit are dropped, which a gap reports (PR-37).
pub(super) struct Queue {
    clock: Arc<dyn Clock>,
    limit: usize,
    state: Mutex<State>,
    news: Notify,
}

#[derive(Default)]
struct State {
    events: VecDeque<PubSubEvent>,
    /// When messages were dropped, first and last.
    dropped: Option<(Timestamp, Timestamp)>,
    closed: bool,
}

impl State {
    fn dropped(&mut self) -> Option<PubSubEvent> {
        let (from, until) = self.dropped.take()?;
        Some(PubSubEvent::Gap {
            from,
            until,
            why: "too many messages were left unread".to_owned(),
        })
    }
}

impl Queue {
    pub fn new(clock: Arc<dyn Clock>, limit: usize) -> Arc<Self> {
        Arc::new(Self {
            clock,
            limit: limit.max(1),
            state: Mutex::default(),
            news: Notify::new(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn push(&self, event: PubSubEvent) {
        let mut state = self.lock();
        // Only messages are dropped; other events must not be lost.
        if state.events.len() >= self.limit && matches!(event, PubSubEvent::Message { .. }) {
            let now = self.clock.now();
            let from = state.dropped.map_or(now, |(from, _)| from);
            state.dropped = Some((from, now));
            return;
        }
        let dropped = state.dropped();
        state.events.extend(dropped);
        state.events.push_back(event);
        drop(state);
        self.news.notify_one();
    }

    /// Adds a message.
    pub fn deliver(&self, message: Message) {
        self.push(PubSubEvent::Message {
            channel: message.channel,
            pattern: message.pattern,
            payload: message.payload,
        });
    }

    pub fn close(&self) {
        self.lock().closed = true;
        self.news.notify_one();
    }

    pub async fn next(&self) -> Option<PubSubEvent> {
        loop {
            {
                let mut state = self.lock();
                if let Some(event) = state.events.pop_front() {
                    return Some(event);
                }
                if let Some(gap) = state.dropped() {
                    return Some(gap);
                }
                if state.closed {
                    // Wakes another waiting reader.
                    self.news.notify_one();
                    return None;
                }
            }
            self.news.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(name: u8) -> Message {
        Message {
            channel: vec![name],
            pattern: None,
            payload: Vec::new(),
        }
    }

    /// PR-37: what each event is, in the order in which a reader gets them.
    async fn read(queue: &Queue) -> Vec<String> {
        let mut read = Vec::new();
        while let Some(event) = queue.next().await {
            read.push(match event {
                PubSubEvent::Message { channel, .. } => channel[0].to_string(),
                PubSubEvent::Gap { from, until, .. } => {
                    assert!(from <= until);
                    "gap".to_owned()
                }
                PubSubEvent::Refused { .. } => "refused".to_owned(),
            });
        }
        read
    }

    #[tokio::test]
    async fn pr_37_a_gap_stands_where_messages_were_dropped() {
        let refused = || PubSubEvent::Refused {
            channels: Vec::new(),
            patterns: Vec::new(),
            error: String::new(),
        };
        let clock = crate::Platform::system().clock;
        let queue = Queue::new(Arc::clone(&clock), 2);
        (1..=4).for_each(|name| queue.deliver(message(name)));
        // Other events are never dropped, and come after the gap.
        queue.push(refused());
        queue.deliver(message(5));
        queue.close();
        assert_eq!(read(&queue).await, ["1", "2", "gap", "refused", "gap"]);
        assert!(queue.next().await.is_none(), "for every reader");

        let queue = Queue::new(clock, 0);
        (1..=2).for_each(|name| queue.deliver(message(name)));
        queue.close();
        assert_eq!(read(&queue).await, ["1", "gap"], "there is room for one");
    }
}
