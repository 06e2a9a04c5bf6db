//! The processes of a simulated host.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// The process of the subject. The ids of others are theirs to choose.
pub const SUBJECT: u32 = 1000;

/// The processes of a host that live, by id.
pub struct Processes(Mutex<BTreeMap<u32, Duration>>);

impl Default for Processes {
    /// The subject's, since the world began.
    fn default() -> Self {
        Self(Mutex::new(BTreeMap::from([(SUBJECT, Duration::ZERO)])))
    }
}

impl Processes {
    /// A process with this id starts when the world is `at` old; an earlier one of this id has
    /// ended.
    pub fn start(&self, id: u32, at: Duration) {
        self.lock().insert(id, at);
    }

    /// The process with this id ends.
    pub fn end(&self, id: u32) {
        self.lock().remove(&id);
    }

    /// How old the world was when the process with this id started; none if there is none.
    pub(super) fn started(&self, id: u32) -> Option<Duration> {
        self.lock().get(&id).copied()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u32, Duration>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
