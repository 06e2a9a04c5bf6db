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
pub(crate) use lent::Lent;
pub use lent::TokenRef;
pub(crate) use memo::Memo;
pub(crate) use slot::{Owner, Slot};
pub(crate) use terms::Terms;

use crate::platform::Clock;

impl Slot {
    /// The token, if it may be handed out at once to somebody who wants at least `min_remaining`
    /// nanoseconds of it.
    // Without a call in between, so that what is lent is not copied on its way up.
    #[inline(always)]
    pub(crate) fn lend(&self, clock: &dyn Clock, min_remaining: u64) -> Option<TokenRef> {
        let lent = self.load();
        if !lent.terms.allow(clock.read(), min_remaining) {
            return None;
        }
        self.touch();
        Some(TokenRef::lent(lent))
    }

    /// What a chain says about the hit of its answerer, if it need not look for anything better.
    /// `hit` asks the member with this number.
    pub(crate) fn approve(
        &self,
        clock: &dyn Clock,
        hit: impl FnOnce(usize) -> Option<TokenRef>,
    ) -> Option<TokenRef> {
        let lent = self.load();
        if !lent.terms.allow(clock.read(), 0) {
            return None;
        }
        match hit(lent.member) {
            Some(token) if token.is_that_of(&lent) => Some(TokenRef::lent(lent)),
            // The answerer has another one, or one of somebody else; or it has none, or none for
            // this request. What is shown need not stay until the chain has looked at that.
            _ => {
                self.hide_if(&lent);
                None
            }
        }
    }
}
