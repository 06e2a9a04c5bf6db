//! The ordered list of typed events of one run. Its hash identifies the run; a journal is the
//! trace seen from one endpoint.

mod event;
mod facts;
mod fingerprint;
mod hash;
mod redis;
mod shared;
mod text;
mod time;
mod walk;

pub use event::{CallOutcome, Event, Kind, OUTSIDE, TriedMember};
pub use facts::{Facts, RequestFacts};
pub use fingerprint::{Fingerprint, fingerprint};
pub use redis::{Published, RedisEnd, RedisEvent, RedisReply, RedisReport};
pub use shared::SharedStr;
pub(crate) use text::{call_end, call_without_end};
pub use text::{fold, line};
pub(crate) use time::span;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::limits::Budget;

/// The version of the JSON lines form. Raised when the meaning of a field changes.
pub const SCHEMA_VERSION: u32 = 2;

/// The events of a run in the order in which they happened.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    /// All events.
    pub events: Vec<Event>,
}

impl Trace {
    /// The events that `endpoint` (`imds`, `entra`, `az`, ...) saw or caused.
    pub fn journal<'a, 'n>(
        &'a self,
        endpoint: &'n str,
    ) -> impl Iterator<Item = &'a Event> + use<'a, 'n> {
        self.events
            .iter()
            .filter(move |event| event.kind.endpoint() == Some(endpoint))
    }
}

/// Where a running world writes its trace. Clones write to the same one.
#[derive(Clone, Default)]
pub struct Recorder {
    kept: Arc<Mutex<Kept>>,
    listener: Option<Listener>,
    budget: Budget,
}

/// The events that a recorder keeps.
struct Kept {
    events: VecDeque<Event>,
    /// How many at most.
    most: usize,
    /// How many were dropped, the oldest first.
    dropped: u64,
}

impl Default for Kept {
    /// All of them.
    fn default() -> Self {
        Self {
            events: VecDeque::new(),
            most: usize::MAX,
            dropped: 0,
        }
    }
}

/// Receives every event as it is recorded.
pub type Listener = Arc<dyn Fn(&Event) + Send + Sync>;

impl Recorder {
    /// Tells `listener` of every event, and keeps the latest `most` of them.
    pub fn telling(listener: Listener, most: usize) -> Self {
        let kept = Kept {
            most,
            ..Kept::default()
        };
        Self {
            kept: Arc::new(Mutex::new(kept)),
            listener: Some(listener),
            budget: Budget::default(),
        }
    }

    /// Keeps the events within `budget`: those beyond it are lost, and the world ends.
    pub fn within(budget: Budget) -> Self {
        Self {
            budget,
            ..Self::default()
        }
    }

    /// Appends an event that happened at `at`.
    pub fn record(&self, at: Duration, kind: Kind) {
        if !self.budget.event() {
            return;
        }
        let event = Event { at, kind };
        // Under the lock, so that the listener hears them in the order of the trace.
        let mut kept = self.lock();
        if let Some(listener) = &self.listener {
            listener(&event);
        }
        kept.events.push_back(event);
        if kept.events.len() > kept.most {
            kept.events.pop_front();
            kept.dropped += 1;
        }
    }

    /// Ends the recording.
    pub fn finish(&self) -> Trace {
        Trace {
            events: std::mem::take(&mut self.lock().events).into(),
        }
    }

    /// How many events were dropped so far, because there were more than are kept.
    pub fn dropped(&self) -> u64 {
        self.lock().dropped
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_served_world_keeps_the_latest_events_and_tells_of_all() {
        let told = Arc::new(Mutex::new(0));
        let count = told.clone();
        let listener: Listener = Arc::new(move |_| *count.lock().unwrap() += 1);
        let recorder = Recorder::telling(listener, 3);
        for number in 0..10 {
            let what = number.to_string();
            recorder.record(Duration::from_secs(number), Kind::World { what });
        }
        assert_eq!((recorder.dropped(), *told.lock().unwrap()), (7, 10));
        let kept = recorder.finish().events.into_iter();
        let kept: Vec<u64> = kept.map(|event| event.at.as_secs()).collect();
        assert_eq!(kept, [7, 8, 9]);
    }
}
