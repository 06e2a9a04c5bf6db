//! Where an answer is published for readers that take no lock.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use arc_swap::{ArcSwap, Guard};

use super::token_ref::Lent;

/// The identity of the owner of slots, and what a hidden slot shows.
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

/// One answer, read through a guard: readers neither wait nor write to a shared count. Writing
/// requires the lock of the owner.
pub(crate) struct Slot {
    owner: Owner,
    shown: ArcSwap<Lent>,
    /// Whether there was a hit since the last [`take_used`](Self::take_used).
    used: AtomicBool,
    closed: AtomicBool,
}

impl Slot {
    /// Creates a hidden slot.
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

    /// Returns what is shown.
    #[inline]
    pub(super) fn load(&self) -> Guard<Arc<Lent>> {
        self.shown.load()
    }

    /// Records a hit. Almost always only a read, so that threads share its memory without
    /// contention.
    #[inline]
    pub(crate) fn touch(&self) {
        if !self.used.load(Ordering::Relaxed) {
            self.used.store(true, Ordering::Relaxed);
        }
    }

    /// Returns whether there was a hit since the last call.
    pub(crate) fn take_used(&self) -> bool {
        self.used.swap(false, Ordering::Relaxed)
    }

    pub(crate) fn show(&self, answer: Lent) {
        self.shown.store(Arc::new(answer));
    }

    /// Hides the slot if it still shows `seen`. Needs no lock.
    pub(super) fn hide_if(&self, seen: &Guard<Arc<Lent>>) {
        self.shown.compare_and_swap(seen, Arc::clone(&self.owner.0));
    }

    /// Hides the slot, until something is shown again.
    pub(crate) fn hide(&self) {
        self.shown.store(Arc::clone(&self.owner.0));
    }

    /// Hides the slot for good: its owner has forgotten it.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.hide();
    }

    #[inline]
    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }
}
