//! Work that counts, and gates that hold it.

use std::{
    future::{pending, poll_fn},
    sync::{Arc, PoisonError},
    task::{Poll, Waker},
};

use credsim_identity::{AccessToken, Error, platform::BoxFuture};
use jiff::Timestamp;
use loom::sync::Mutex;

use super::{Flights, OTHER};

type Work = BoxFuture<'static, Result<AccessToken, Error>>;

/// All work of one world.
#[derive(Clone)]
pub(super) struct Works {
    counts: Arc<Mutex<Counts>>,
    /// Asked by every destructor, which deadlocks if its lock is held.
    asked: Arc<std::sync::Mutex<Option<Flights<u8>>>>,
}

#[derive(Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) started: usize,
    /// Started, and neither over nor dropped.
    pub(super) in_flight: usize,
    /// How many there were in flight at most.
    pub(super) peak: usize,
    pub(super) completed: usize,
}

impl Default for Works {
    fn default() -> Self {
        Self {
            counts: Arc::new(Mutex::new(Counts::default())),
            asked: Arc::default(),
        }
    }
}

impl Works {
    pub(super) fn counts(&self) -> Counts {
        *self.counts.lock().unwrap()
    }

    /// From now on every drop of work calls `flights`.
    pub(super) fn call_back(&self, flights: Option<Flights<u8>>) {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *asked, flights);
        drop(asked);
        drop(before);
    }

    fn make(&self, until: impl Future<Output = ()> + Send + 'static) -> Work {
        let mut one = One {
            works: self.clone(),
            started: false,
        };
        Box::pin(async move {
            let number = one.start();
            until.await;
            one.works.counts.lock().unwrap().completed += 1;
            Ok(AccessToken::new(number.to_string(), Timestamp::MAX, "Test"))
        })
    }

    pub(super) fn ready(&self) -> Work {
        self.make(async {})
    }

    pub(super) fn endless(&self) -> Work {
        self.make(pending())
    }

    pub(super) fn panicking(&self) -> Work {
        self.make(async { std::panic::resume_unwind(Box::new("for the test")) })
    }

    pub(super) fn behind(&self, gate: &Gate) -> Work {
        let gate = gate.clone();
        self.make(async move { gate.passed().await })
    }
}

/// One piece of work, from its making to its end.
struct One {
    works: Works,
    started: bool,
}

impl One {
    fn start(&mut self) -> usize {
        self.started = true;
        let mut counts = self.works.counts.lock().unwrap();
        counts.started += 1;
        counts.in_flight += 1;
        counts.peak = counts.peak.max(counts.in_flight);
        counts.started
    }
}

impl Drop for One {
    fn drop(&mut self) {
        if self.started {
            self.works.counts.lock().unwrap().in_flight -= 1;
        }
        let asked = self.works.asked.lock();
        let asked = asked.unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(flights) = asked {
            flights.adopt(&OTHER);
        }
    }
}

/// Closed until it has been opened so many times.
#[derive(Clone)]
pub(super) struct Gate(Arc<Mutex<(usize, Vec<Waker>)>>);

impl Gate {
    pub(super) fn closed(times: usize) -> Self {
        Self(Arc::new(Mutex::new((times, Vec::new()))))
    }

    pub(super) fn open(&self) {
        let mut state = self.0.lock().unwrap();
        state.0 = state.0.saturating_sub(1);
        if state.0 > 0 {
            return;
        }
        let wakers = std::mem::take(&mut state.1);
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }

    pub(super) async fn passed(&self) {
        poll_fn(|cx| {
            let mut state = self.0.lock().unwrap();
            if state.0 == 0 {
                return Poll::Ready(());
            }
            state.1.push(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }
}
