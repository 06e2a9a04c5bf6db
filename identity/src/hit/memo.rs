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
        let known = self.0.iter().filter_map(OnceLock::get);
        let slot = known.into_iter().find(|slot| slot.belongs_to(owner))?;
        (!slot.is_closed()).then_some(slot)
    }

    /// Remembers `slot`, if there is room.
    pub(crate) fn note(&self, slot: &Arc<Slot>) {
        for cell in &self.0 {
            if cell.set(Arc::clone(slot)).is_ok() {
                return;
            }
        }
    }
}
