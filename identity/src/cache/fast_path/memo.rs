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

#[cfg(test)]
mod tests {
    use super::*;

    fn finds(memo: &Memo, owner: &Owner, slot: &Arc<Slot>) -> bool {
        memo.find(owner)
            .is_some_and(|found| std::ptr::eq(found, &**slot))
    }

    #[test]
    fn two_owners_find_what_they_noted_until_it_is_closed() {
        let owners = [Owner::new(), Owner::new(), Owner::new()];
        let slots = [0, 1, 2].map(|n| Arc::new(Slot::new(&owners[n])));
        let memo = Memo::default();
        for (owner, slot) in owners.iter().zip(&slots) {
            assert!(memo.find(owner).is_none());
            memo.note(slot);
            memo.note(slot);
        }
        assert!(finds(&memo, &owners[0], &slots[0]));
        assert!(finds(&memo, &owners[1], &slots[1]));
        assert!(memo.find(&owners[2]).is_none(), "there is room for two");
        slots[0].close();
        assert!(memo.find(&owners[0]).is_none());
        assert!(finds(&memo, &owners[1], &slots[1]));
    }
}
