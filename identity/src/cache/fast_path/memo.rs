//! What a prepared request remembers.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicU8, Ordering},
};

use super::slot::{Owner, Slot};

/// How many look-ups of a request are not remembered: those of its first call, one by a chain and
/// one by its member. Remembering a slot writes to a count that all threads share, which is of no
/// use for a request that is made for one call.
const UNREMEMBERED: u8 = 2;

/// The slots in which a request found its answer: room for a chain and for its member. Other
/// owners find theirs by a look-up.
#[derive(Default)]
pub(crate) struct Memo {
    slots: [OnceLock<Arc<Slot>>; 2],
    look_ups: AtomicU8,
}

impl Memo {
    /// Returns the slot of `owner`, unless it was closed.
    #[inline]
    pub(crate) fn find(&self, owner: &Owner) -> Option<&Slot> {
        let mut known = self.slots.iter().filter_map(OnceLock::get);
        known
            .find(|slot| slot.belongs_to(owner) && !slot.is_closed())
            .map(|slot| &**slot)
    }

    /// Remembers `slot`, if there is room and this is not one of the first look-ups. A slot that
    /// was closed keeps its place: an entry that a cache drops again and again is found by
    /// look-ups.
    pub(crate) fn note(&self, slot: &Arc<Slot>) {
        // Two tasks that share the request may count one look-up for two. No harm: it is only a
        // matter of speed.
        let look_ups = self.look_ups.load(Ordering::Relaxed);
        if look_ups < UNREMEMBERED {
            self.look_ups.store(look_ups + 1, Ordering::Relaxed);
            return;
        }
        for place in &self.slots {
            // Another task may have been faster.
            if Arc::ptr_eq(place.get_or_init(|| Arc::clone(slot)), slot) {
                return;
            }
        }
    }
}

impl Clone for Memo {
    fn clone(&self) -> Self {
        Self {
            slots: self.slots.clone(),
            look_ups: AtomicU8::new(self.look_ups.load(Ordering::Relaxed)),
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
    fn a_request_made_for_one_call_writes_to_no_shared_count() {
        let owner = Owner::new();
        let slot = Arc::new(Slot::new(&owner));
        let memo = Memo::default();
        for _ in 0..UNREMEMBERED {
            memo.note(&slot);
            assert!(memo.find(&owner).is_none());
            assert_eq!(Arc::strong_count(&slot), 1);
        }
        memo.note(&slot);
        assert!(finds(&memo, &owner, &slot));
        assert!(finds(&memo.clone(), &owner, &slot));
        let twice_looked_up = Memo::default();
        twice_looked_up.note(&slot);
        twice_looked_up.note(&slot);
        let clone = twice_looked_up.clone();
        clone.note(&slot);
        assert!(finds(&clone, &owner, &slot), "a clone goes on counting");
    }

    #[test]
    fn two_owners_find_what_they_noted_until_it_is_closed() {
        let owners = [Owner::new(), Owner::new(), Owner::new()];
        let slots = [0, 1, 2].map(|n| Arc::new(Slot::new(&owners[n])));
        let memo = Memo::default();
        for _ in 0..UNREMEMBERED {
            memo.note(&slots[0]);
        }
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
