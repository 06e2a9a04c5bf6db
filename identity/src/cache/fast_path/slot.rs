//! Where an answer is shown to whoever asks, without a lock.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use arc_swap::{ArcSwap, Guard};

use super::token_ref::Lent;

/// Whose slots these are, and what they show when they show nothing.
pub(crate) struct Owner(Arc<Lent>);

impl Owner {
    pub(super) fn new() -> Self {
        Self(Arc::new(Lent::nothing()))
    }
}

impl Clone for Owner {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// One answer, read through a guard: readers neither wait nor touch a shared count. Whoever shows
/// something holds the lock of the owner.
pub(crate) struct Slot {
    owner: Owner,
    shown: ArcSwap<Lent>,
    /// Since somebody last asked for it: see [`take_used`](Self::take_used).
    used: AtomicBool,
    closed: AtomicBool,
}

impl Slot {
    /// One that shows nothing.
    pub(crate) fn new(owner: &Owner) -> Self {
        Self {
            owner: owner.clone(),
            shown: ArcSwap::new(Arc::clone(&owner.0)),
            used: AtomicBool::new(false),
            closed: AtomicBool::new(false),
        }
    }

    #[inline]
    pub(super) fn belongs_to(&self, owner: &Owner) -> bool {
        Arc::ptr_eq(&self.owner.0, &owner.0)
    }

    /// What is shown.
    #[inline]
    pub(super) fn load(&self) -> Guard<Arc<Lent>> {
        self.shown.load()
    }

    /// Notes that it was of use. Almost always a read, so that readers share its memory in peace.
    #[inline]
    pub(crate) fn touch(&self) {
        if !self.used.load(Ordering::Relaxed) {
            self.used.store(true, Ordering::Relaxed);
        }
    }

    /// Whether it was of use since this was last asked.
    pub(crate) fn take_used(&self) -> bool {
        self.used.swap(false, Ordering::Relaxed)
    }

    pub(crate) fn show(&self, answer: Lent) {
        self.shown.store(Arc::new(answer));
    }

    /// Shows nothing, unless it shows something else than `seen` by now. Needs no lock.
    pub(super) fn hide_if(&self, seen: &Guard<Arc<Lent>>) {
        self.shown.compare_and_swap(seen, Arc::clone(&self.owner.0));
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

    #[inline]
    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }
}
