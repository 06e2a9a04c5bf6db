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

pub use event::{CallOutcome, Event, Kind, OUTSIDE, TriedMember};
pub use facts::{Facts, RequestFacts};
pub use fingerprint::{Fingerprint, fingerprint};
pub use redis::{Published, RedisEnd, RedisEvent, RedisReply, RedisReport};
pub use shared::SharedStr;
pub use text::{fold, line};
pub(crate) use time::span;

use std::{
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
    events: Arc<Mutex<Vec<Event>>>,
    listener: Option<Listener>,
    budget: Budget,
}

/// Receives every event as it is recorded.
pub type Listener = Arc<dyn Fn(&Event) + Send + Sync>;

impl Recorder {
    /// Tells `listener` of every event too.
    pub fn telling(listener: Listener) -> Self {
        Self {
            events: Arc::default(),
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
        let mut events = self.lock();
        if let Some(listener) = &self.listener {
            listener(&event);
        }
        events.push(event);
    }

    /// Ends the recording.
    pub fn finish(&self) -> Trace {
        Trace {
            events: std::mem::take(&mut *self.lock()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Event>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
