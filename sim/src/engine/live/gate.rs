//! The gate of a held link: bytes wait until it opens.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

/// The gate in front of a host. Clones are the same gate; it begins open.
#[derive(Clone, Default)]
pub(super) struct Gate(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    closed: bool,
    waiting: Vec<Waker>,
}

impl Gate {
    /// Closes the gate: bytes wait from now on.
    pub fn close(&self) {
        self.state().closed = true;
    }

    /// Everybody passes again.
    pub fn open(&self) {
        let waiting = {
            let mut state = self.state();
            state.closed = false;
            std::mem::take(&mut state.waiting)
        };
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Whether it is open.
    pub fn is_open(&self) -> bool {
        !self.state().closed
    }

    /// Ready when it is open.
    pub fn poll_pass(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.state();
        if !state.closed {
            return Poll::Ready(());
        }
        if !state
            .waiting
            .iter()
            .any(|known| known.will_wake(cx.waker()))
        {
            state.waiting.push(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Completes when it is open.
    pub async fn pass(&self) {
        std::future::poll_fn(|cx| self.poll_pass(cx)).await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
