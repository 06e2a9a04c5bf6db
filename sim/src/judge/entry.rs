//! Events with their positions in the trace.

use crate::trace::Event;

/// An event and its position in the trace.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// The index in the trace's events.
    pub position: usize,
    /// The event there.
    pub event: &'a Event,
}

impl std::ops::Deref for Entry<'_> {
    type Target = Event;

    fn deref(&self) -> &Event {
        self.event
    }
}

impl<'a> From<Entry<'a>> for &'a Event {
    fn from(entry: Entry<'a>) -> Self {
        entry.event
    }
}
