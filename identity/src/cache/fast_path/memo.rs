//! What a prepared request remembers.

use std::sync::{Arc, OnceLock};

use super::slot::{Owner, Slot};

/// The slots in which a request found its answer: room for a chain and for its answerer. Others
/// find theirs by their index.
#[derive(Clone, Default)]
pub(crate) struct Memo([OnceLock<Arc<Slot>>; 2]);

impl Memo {
    /// The slot of `owner`, unless it was closed.
    #[inline]
    pub(crate) fn find(&self, owner: &Owner) -> Option<&Slot> {
        let mut known = self.0.iter().filter_map(OnceLock::get);
        known
            .find(|slot| slot.belongs_to(owner) && !slot.is_closed())
            .map(|slot| &**slot)
    }

    /// Remembers `slot`, if there is room. A slot that was closed keeps its place: whoever is
    /// forgotten by a cache again and again is found by the index.
    pub(crate) fn note(&self, slot: &Arc<Slot>) {
        for cell in &self.0 {
            // Whoever shares the request may have been faster.
            if Arc::ptr_eq(cell.get_or_init(|| Arc::clone(slot)), slot) {
                return;
            }
        }
    }
}
