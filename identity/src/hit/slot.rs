//! Where an answer is shown to whoever asks, without a lock.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use arc_swap::{ArcSwap, Guard};

/// Whose slots these are, and what they show when they show nothing.
pub(crate) struct Owner<T>(Arc<T>);

impl<T> Owner<T> {
    pub(crate) fn new(nothing: T) -> Self {
        Self(Arc::new(nothing))
    }
}

impl<T> Clone for Owner<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// One answer, read through a guard: readers neither wait nor touch a shared count. Whoever
/// writes holds the lock of the owner.
pub(crate) struct Slot<T> {
    owner: Owner<T>,
    shown: ArcSwap<T>,
    /// Since somebody last asked for it: see [`take_used`](Self::take_used).
    used: AtomicBool,
    closed: AtomicBool,
}

impl<T> Slot<T> {
    /// One that shows nothing.
    pub(crate) fn new(owner: &Owner<T>) -> Self {
        Self {
            owner: owner.clone(),
            shown: ArcSwap::new(Arc::clone(&owner.0)),
            used: AtomicBool::new(false),
            closed: AtomicBool::new(false),
        }
    }

    pub(crate) fn belongs_to(&self, owner: &Owner<T>) -> bool {
        Arc::ptr_eq(&self.owner.0, &owner.0)
    }

    /// What is shown.
    pub(crate) fn load(&self) -> Guard<Arc<T>> {
        self.shown.load()
    }

    /// Notes that it was of use. Almost always a read, so that readers share its memory in peace.
    pub(crate) fn touch(&self) {
        if !self.used.load(Ordering::Relaxed) {
            self.used.store(true, Ordering::Relaxed);
        }
    }

    /// Whether it was of use since this was last asked.
    pub(crate) fn take_used(&self) -> bool {
        self.used.swap(false, Ordering::Relaxed)
    }

    pub(crate) fn show(&self, answer: T) {
        self.shown.store(Arc::new(answer));
    }

    /// Shows nothing, until something is shown again.
    pub(crate) fn hide(&self) {
        self.shown.store(Arc::clone(&self.owner.0));
    }

    /// Shows nothing for good: its owner has forgotten it.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.hide();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }
}

impl<T> fmt::Debug for Slot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Slot")
    }
}
