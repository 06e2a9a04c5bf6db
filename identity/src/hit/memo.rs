//! What a prepared request remembers.

use std::sync::{Arc, OnceLock};

use super::{
    lent::{Approved, Lent},
    slot::{Owner, Slot},
};

/// The slots in which a request found its answer: of the first cache and of the first chain that
/// had one. Others find theirs by their index.
#[derive(Clone, Default)]
pub(crate) struct Memo {
    lent: OnceLock<Arc<Slot<Lent>>>,
    approved: OnceLock<Arc<Slot<Approved>>>,
}

/// An answer that a [`Memo`] has room for.
pub(crate) trait Remembered: Sized {
    fn cell(memo: &Memo) -> &OnceLock<Arc<Slot<Self>>>;
}

impl Remembered for Lent {
    fn cell(memo: &Memo) -> &OnceLock<Arc<Slot<Self>>> {
        &memo.lent
    }
}

impl Remembered for Approved {
    fn cell(memo: &Memo) -> &OnceLock<Arc<Slot<Self>>> {
        &memo.approved
    }
}

impl Memo {
    /// The slot of `owner`, unless it was closed.
    pub(crate) fn find<T: Remembered>(&self, owner: &Owner<T>) -> Option<&Arc<Slot<T>>> {
        let slot = T::cell(self).get()?;
        (slot.belongs_to(owner) && !slot.is_closed()).then_some(slot)
    }

    /// Remembers `slot`, if nothing is remembered yet.
    pub(crate) fn note<T: Remembered>(&self, slot: &Arc<Slot<T>>) {
        // Whoever was first stays.
        let _ = T::cell(self).set(Arc::clone(slot));
    }
}
