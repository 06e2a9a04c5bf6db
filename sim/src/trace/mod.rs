//! The ordered list of typed events of one run. Its hash identifies the run; a journal is the
//! trace seen from one endpoint.

mod event;
mod facts;
mod hash;
mod redis;
mod shared;
mod text;

pub use event::{CallOutcome, Event, Kind, OUTSIDE, TriedMember};
pub use facts::{Facts, RequestFacts};
pub use hash::{Fingerprint, fingerprint};
pub use redis::{Published, RedisEnd, RedisEvent, RedisReply, RedisReport};
pub use shared::SharedStr;
pub(crate) use text::span;
pub use text::{fold, line};

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

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
    recorded: Arc<Mutex<Recorded>>,
    listener: Option<Listener>,
}

/// The events so far. In pieces, because a list of millions would be copied each time that it grows
/// and need twice its memory while that goes on.
#[derive(Default)]
struct Recorded {
    full: Vec<Vec<Event>>,
    last: Vec<Event>,
}

/// How many events a piece has: some megabytes of them.
const PIECE: usize = 1 << 15;

impl Recorded {
    fn push(&mut self, event: Event) {
        if self.last.len() == PIECE {
            let full = std::mem::replace(&mut self.last, Vec::with_capacity(PIECE));
            self.full.push(full);
        }
        self.last.push(event);
    }

    /// All events in one list. Each piece is freed once it is copied, so that the memory of the
    /// whole is needed only once.
    fn joined(self) -> Vec<Event> {
        if self.full.is_empty() {
            return self.last;
        }
        let mut all = Vec::with_capacity(self.full.len() * PIECE + self.last.len());
        for piece in self.full.into_iter().chain([self.last]) {
            all.extend(piece);
        }
        all
    }
}

/// Hears of every event as it is recorded.
pub type Listener = Arc<dyn Fn(&Event) + Send + Sync>;

impl Recorder {
    /// Tells `listener` of every event too.
    pub fn telling(listener: Listener) -> Self {
        Self {
            recorded: Arc::default(),
            listener: Some(listener),
        }
    }

    /// Appends an event that happened at `at`.
    pub fn record(&self, at: Duration, kind: Kind) {
        let event = Event { at, kind };
        // Under the lock, so that the listener hears them in the order of the trace.
        let mut recorded = self.lock();
        if let Some(listener) = &self.listener {
            listener(&event);
        }
        recorded.push(event);
    }

    /// Ends the recording.
    pub fn finish(&self) -> Trace {
        Trace {
            events: std::mem::take(&mut *self.lock()).joined(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Recorded> {
        self.recorded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_of_several_pieces_keeps_its_order() {
        let recorder = Recorder::default();
        let times = || (0..3 * PIECE as u64 - 7).map(Duration::from_nanos);
        for at in times() {
            recorder.record(at, Kind::Disposed { instance: 1 });
        }
        let events = recorder.finish().events;
        assert!(events.iter().map(|event| event.at).eq(times()));
        assert_eq!(events.capacity(), events.len());
        assert!(recorder.finish().events.is_empty());
    }
}
