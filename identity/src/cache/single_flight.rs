//! Single flight: one piece of work at a time per key, shared by all its waiters (PR-24).
//!
//! The work runs as a task of the platform. It ends with its last waiter, or with its owner if it
//! is owned, as a background refresh is.

use std::{collections::BTreeMap, fmt, sync::PoisonError, time::Duration};

use super::sync::{Arc, Mutex, MutexGuard, Weak, oneshot};
use crate::{
    AccessToken, Error, ErrorKind, Platform,
    platform::{BoxFuture, TaskHandle},
};

pub(crate) type Outcome = Result<AccessToken, Error>;
pub(crate) type Work = BoxFuture<'static, Outcome>;

/// Runs one piece of work at a time per key and keeps no result: for credentials that cache
/// nothing, such as the developer tools. Clones share the work; dropping the last clone ends it
/// (PR-24).
#[derive(Clone)]
pub struct SingleFlight(Flights<String>);

impl SingleFlight {
    /// Creates one for the credential called `credential`, without any work.
    pub fn new(platform: &Platform, credential: &str) -> Self {
        Self(Flights::new(platform, credential))
    }

    /// Joins the work in flight for `key`, or starts the future that `work` makes. That future may
    /// be dropped before it is polled, and must not hold a clone of this.
    ///
    /// # Errors
    /// Those of the work, the same for all callers that waited; [`Cancelled`](ErrorKind::Cancelled)
    /// if [`dispose`](Self::dispose) or the host ended it.
    pub async fn run<F>(&self, key: impl Into<String> + Send, work: F) -> Result<AccessToken, Error>
    where
        F: FnOnce() -> BoxFuture<'static, Result<AccessToken, Error>> + Send,
    {
        let mut waiter = self.0.join(&key.into(), work());
        waiter.outcome().await
    }

    /// Ends all work. Calls that wait, and all later calls, fail with
    /// [`Cancelled`](ErrorKind::Cancelled) (PR-29).
    pub fn dispose(&self) {
        self.0.close();
    }
}

impl fmt::Debug for SingleFlight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SingleFlight")
            .field(&self.0.0.credential)
            .finish()
    }
}

/// The work under way, by key. Clones share it.
pub(crate) struct Flights<K: Ord>(Arc<Inner<K>>);

struct Inner<K: Ord> {
    platform: Platform,
    credential: String,
    state: Mutex<State<K>>,
}

struct State<K> {
    closed: bool,
    last_id: u64,
    under_way: BTreeMap<K, Flight>,
}

struct Flight {
    id: u64,
    /// When it began, on the monotonic clock.
    begun: Duration,
    /// Whether it goes on without waiters.
    owned: bool,
    /// By the order in which they came, in which they are also woken.
    waiters: BTreeMap<u64, oneshot::Sender<Outcome>>,
    /// Dropping it ends the task and may run destructors, so it must not be dropped under the lock.
    task: Option<TaskHandle>,
}

impl<K: Ord + Clone + Send + Sync + 'static> Flights<K> {
    pub(crate) fn new(platform: &Platform, credential: &str) -> Self {
        let state = State {
            closed: false,
            last_id: 0,
            under_way: BTreeMap::new(),
        };
        Self(Arc::new(Inner {
            platform: platform.clone(),
            credential: credential.to_owned(),
            state: Mutex::new(state),
        }))
    }

    /// Joins the work under way for `key`, or starts `work`.
    pub(super) fn join(&self, key: &K, work: Work) -> Waiter<K> {
        let (sender, receiver) = oneshot::channel();
        let mut state = self.0.lock();
        state.last_id += 1;
        let id = state.last_id;
        let mut waiter = self.waiter(key, id, receiver);
        if state.closed {
            // The sender is dropped here, so the waiter fails at once.
            return waiter;
        }
        if let Some(flight) = state.under_way.get_mut(key) {
            flight.waiters.insert(id, sender);
            waiter.flight = flight.id;
            return waiter;
        }
        let waiters = BTreeMap::from([(id, sender)]);
        state.under_way.insert(
            key.clone(),
            Flight {
                id,
                begun: self.0.platform.clock.monotonic(),
                owned: false,
                waiters,
                task: None,
            },
        );
        drop(state);
        self.start(key, id, work);
        waiter
    }

    /// Makes the work for `key` owned; starts `work` if none is under way.
    pub(crate) fn run(&self, key: &K, work: impl FnOnce() -> Work) {
        if !self.adopt(key) {
            self.join(key, work()).adopt();
        }
    }

    /// Makes the work for `key` owned. Returns whether any is under way.
    pub(super) fn adopt(&self, key: &K) -> bool {
        let mut state = self.0.lock();
        let flight = state.under_way.get_mut(key);
        flight.map(|flight| flight.owned = true).is_some()
    }

    /// Waits for the end of the work under way for `key`, if there is any. Whether that is owned
    /// does not change, and the outcome is not returned.
    pub(crate) async fn wait(&self, key: &K) {
        if let Some(mut waiter) = self.join_under_way(key) {
            drop(waiter.outcome().await);
        }
    }

    /// Joins the work under way for `key`, if there is any.
    fn join_under_way(&self, key: &K) -> Option<Waiter<K>> {
        let (sender, receiver) = oneshot::channel();
        let mut state = self.0.lock();
        state.last_id += 1;
        let id = state.last_id;
        let flight = state.under_way.get_mut(key)?;
        flight.waiters.insert(id, sender);
        let mut waiter = self.waiter(key, id, receiver);
        waiter.flight = flight.id;
        Some(waiter)
    }

    /// Returns the waiter `id`, which is also the id of the flight that it starts.
    fn waiter(&self, key: &K, id: u64, receiver: oneshot::Receiver<Outcome>) -> Waiter<K> {
        Waiter {
            flights: self.clone(),
            key: key.clone(),
            flight: id,
            id,
            receiver,
            patience: None,
        }
    }

    fn start(&self, key: &K, id: u64, work: Work) {
        let landing = Landing {
            flights: Arc::downgrade(&self.0),
            key: key.clone(),
            flight: id,
        };
        let task = self.0.platform.spawner.spawn(Box::pin(async move {
            let outcome = work.await;
            landing.land(&outcome);
        }));
        let mut state = self.0.lock();
        match state.under_way.get_mut(key) {
            Some(flight) if flight.id == id => flight.task = Some(task),
            // The work has ended, or `close` was called before the handle was stored.
            _ => {
                drop(state);
                drop(task);
            }
        }
    }

    /// Ends all work and refuses new work.
    pub(crate) fn close(&self) {
        let mut state = self.0.lock();
        state.closed = true;
        let under_way = std::mem::take(&mut state.under_way);
        drop(state);
        drop(under_way);
    }
}

impl<K: Ord> Clone for Flights<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K: Ord> Inner<K> {
    fn lock(&self) -> MutexGuard<'_, State<K>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes and returns the flight with this id, if it is still under way.
    fn take(&self, key: &K, id: u64) -> Option<Flight> {
        let mut state = self.lock();
        let is_this = state
            .under_way
            .get(key)
            .is_some_and(|flight| flight.id == id);
        if is_this {
            state.under_way.remove(key)
        } else {
            None
        }
    }
}

/// Owned by the task of a flight, so that the flight ends with the task even if that is aborted or
/// panics.
struct Landing<K: Ord> {
    flights: Weak<Inner<K>>,
    key: K,
    flight: u64,
}

impl<K: Ord> Landing<K> {
    fn take(&self) -> Option<Flight> {
        self.flights.upgrade()?.take(&self.key, self.flight)
    }

    fn land(self, outcome: &Outcome) {
        if let Some(flight) = self.take() {
            for waiter in flight.waiters.into_values() {
                // Fails only if the waiter was dropped at the same time.
                let _ = waiter.send(outcome.clone());
            }
        }
    }
}

impl<K: Ord> Drop for Landing<K> {
    fn drop(&mut self) {
        drop(self.take());
    }
}

/// A caller that waits for a flight. Dropping it ends the flight if it was the last waiter and the
/// flight is not owned.
pub(super) struct Waiter<K: Ord> {
    flights: Flights<K>,
    key: K,
    flight: u64,
    id: u64,
    receiver: oneshot::Receiver<Outcome>,
    /// See [`take_over_after`](Self::take_over_after).
    patience: Option<Duration>,
}

impl<K: Ord> Waiter<K> {
    /// Waits for the outcome of the work. Cancel-safe. Must not be called again after it has
    /// completed.
    pub(super) async fn outcome(&mut self) -> Outcome {
        match (&mut self.receiver).await {
            Ok(outcome) => outcome,
            Err(_) => Err(cancelled(&self.flights.0.credential)),
        }
    }

    /// Makes the flight owned. Has no effect on a later flight of the same key.
    pub(super) fn adopt(&self) {
        self.set_owned(true);
    }

    /// Makes the flight end with its last waiter, although it was owned. A flight may hang; a
    /// caller that needs its answer must be able to give up and start another one.
    pub(super) fn take_over(&self) {
        self.set_owned(false);
    }

    /// Makes this waiter, when it is dropped as the last one, also end an owned flight if that has
    /// been under way for `patience`.
    pub(super) fn take_over_after(&mut self, patience: Duration) {
        self.patience = Some(patience);
    }

    fn set_owned(&self, owned: bool) {
        let mut state = self.flights.0.lock();
        let flight = state.under_way.get_mut(&self.key);
        if let Some(flight) = flight.filter(|flight| flight.id == self.flight) {
            flight.owned = owned;
        }
    }
}

impl<K: Ord> Drop for Waiter<K> {
    fn drop(&mut self) {
        let flights = &self.flights.0;
        let now = self.patience.map(|_| flights.platform.clock.monotonic());
        let mut state = flights.lock();
        let Some(flight) = state
            .under_way
            .get_mut(&self.key)
            .filter(|f| f.id == self.flight)
        else {
            return;
        };
        let sender = flight.waiters.remove(&self.id);
        let hangs = now
            .zip(self.patience)
            .is_some_and(|(now, patience)| now.saturating_sub(flight.begun) >= patience);
        let is_last = flight.waiters.is_empty() && (!flight.owned || hangs);
        let ended = is_last.then(|| state.under_way.remove(&self.key));
        drop(state);
        // Dropping the sender wakes the task that has polled this waiter, so it is not dropped
        // under the lock either.
        drop((sender, ended));
    }
}

/// Returns the error of calls whose work was ended, and of all calls after `close`.
pub(super) fn cancelled(credential: &str) -> Error {
    Error::new(
        ErrorKind::Cancelled,
        credential,
        "the credential was disposed, or its host shut down",
    )
    .with_help("create a new credential")
}
