//! The hit: a token that can be handed out at once, while nothing else is to be done about it.
//!
//! Everything else in this crate exists so that this is what almost every call is. So it takes no
//! lock, allocates nothing and touches no count that threads share: a prepared request knows the
//! [`Slot`] in which its cache shows the token; the slot is read through a guard; and the times in
//! it are compared with one [`Reading`](crate::platform::Reading) of the clock. A request that is
//! not prepared finds its slot by an [`Index`], which is read without a lock, too.
//!
//! It decides nothing: whatever is not plainly a hit goes to [`cache`](crate::cache), which writes
//! into the slots under its own lock.

mod index;
mod lent;
mod memo;
mod slot;
mod terms;

pub(crate) use index::{Asked, Index};
pub use lent::TokenRef;
pub(crate) use lent::{Approved, Lent};
pub(crate) use memo::Memo;
pub(crate) use slot::{Owner, Slot};
pub(crate) use terms::Terms;

use std::sync::Arc;

use memo::Remembered;

use crate::platform::Clock;

impl Slot<Lent> {
    /// The token, if it may be handed out at once to somebody who wants at least `min_remaining`
    /// nanoseconds of it.
    pub(crate) fn lend(&self, clock: &dyn Clock, min_remaining: u64) -> Option<TokenRef> {
        let lent = self.load();
        if !lent.terms.allow(clock.read(), min_remaining) {
            return None;
        }
        self.touch();
        Some(TokenRef::lent(lent))
    }
}

impl Slot<Approved> {
    /// The hit of the answerer with what its chain says about it, if that need not look for
    /// anything better. `hit` asks the member with this number.
    pub(crate) fn approve(
        &self,
        clock: &dyn Clock,
        hit: impl FnOnce(usize) -> Option<TokenRef>,
    ) -> Option<TokenRef> {
        let approved = self.load();
        if !approved.terms.allow(clock.read(), 0) {
            return None;
        }
        let token = hit(approved.member)?;
        // The answerer may have another token by now, or one of somebody else.
        token.is(&approved.token).then(|| token.approved(approved))
    }
}

impl<T: Remembered + Send + Sync + 'static> Index<T> {
    /// Uses the slot for `asked`, which `memo` may know, and which it knows from now on.
    pub(crate) fn find_prepared<S: AsRef<str>, R>(
        &self,
        memo: &Memo,
        asked: &Asked<'_, S>,
        then: impl FnOnce(&Arc<Slot<T>>) -> Option<R>,
    ) -> Option<R> {
        if let Some(slot) = memo.find(&self.owner) {
            return then(slot);
        }
        self.find(asked, |slot| {
            memo.note(slot);
            then(slot)
        })
    }
}
