//! The session that one connection leaves to the next.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::{command::Verb, refusal::Refusal, session::Session};

/// What the last connection has left behind, until the next one takes it over. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Inheritance(Arc<Mutex<Session>>);

impl Inheritance {
    fn lock(&self) -> MutexGuard<'_, Session> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the session of a connection that has ended.
    pub fn leave(&self, session: Session) {
        *self.lock() = session;
    }

    /// Hands over the session, and keeps none.
    pub fn take(&self) -> Session {
        std::mem::take(&mut *self.lock())
    }

    /// Whether a request is refused without a connection: it belongs to a transaction that went
    /// with the last one.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn admit(&self, verbs: &[Verb], now: impl FnOnce() -> Duration) -> Result<(), Refusal> {
        match self.lock().refuses(verbs, now) {
            Some(refusal) => Err(refusal),
            None => Ok(()),
        }
    }
}
