//! The fast path: a token that can be handed out at once, while nothing else is to be done about
//! it.
//!
//! Everything else in this crate exists so that this is what almost every call is. So it takes no
//! lock, allocates nothing and touches no count that threads share: a prepared request knows the
//! [`Slot`] in which its cache shows the token; the slot is read through a guard; and the times in
//! it are compared with one [`Reading`](crate::platform::Reading) of the clock. A request that is
//! not prepared finds its slot by a [`Lookup`], which is read without a lock, too.
//!
//! It decides nothing of its own: [`Terms`](super::policy::Terms) are those of the policy, and whatever is not plainly
//! fresh goes to [`TokenCache`](super::TokenCache), which writes into the slots under its own lock.

mod lookup;
mod memo;
mod slot;
mod token_ref;

pub(crate) use lookup::{Asked, Lookup};
pub(crate) use memo::Memo;
pub(crate) use slot::{Owner, Slot};
pub(crate) use token_ref::Lent;
pub use token_ref::TokenRef;

use crate::{AccessToken, TokenRequest, platform::Clock};

/// What this crate's credentials can do without a future. It is public for tests only, in which
/// deliberately wrong credentials implement it.
pub trait FastPath: Send + Sync {
    /// The token for `request`, if it can be handed out at once and nothing else is to be done: it
    /// is valid by both clocks, enough of it is left, and no refresh is due (PR-20 to PR-22).
    fn hit(&self, request: &TokenRequest) -> Option<TokenRef>;

    /// What [`hit`](Self::hit) would find for a new request for these scopes.
    fn hit_scopes(&self, scopes: &[&str]) -> Option<TokenRef>;

    /// What is held for `request`, still valid, however short. Starts nothing, not even a refresh
    /// that is due: a caller that hands it out should also call
    /// [`get_token`](crate::TokenCredential::get_token), which answers at once.
    fn peek(&self, request: &TokenRequest) -> Option<AccessToken>;

    /// Whether all it will ever answer is an error, such as for want of an environment variable
    /// that was read at construction: a chain has no reason to ask it again for something better
    /// (PR-03).
    fn never_answers(&self) -> bool;
}

/// The fast path of a credential of which it is known that it never gives a token.
#[derive(Debug)]
pub(crate) struct NeverAnswers;

impl FastPath for NeverAnswers {
    fn hit(&self, _: &TokenRequest) -> Option<TokenRef> {
        None
    }

    fn hit_scopes(&self, _: &[&str]) -> Option<TokenRef> {
        None
    }

    fn peek(&self, _: &TokenRequest) -> Option<AccessToken> {
        None
    }

    fn never_answers(&self) -> bool {
        true
    }
}

impl Slot {
    /// The token, if it may be handed out at once to a caller that wants at least `min_remaining`
    /// nanoseconds of it.
    // Without a call in between, so that what is lent is not copied on its way up.
    #[inline(always)]
    pub(crate) fn lend(&self, clock: &dyn Clock, min_remaining: u64) -> Option<TokenRef> {
        let lent = self.load();
        if !lent.terms.are_fresh(clock.read(), min_remaining) {
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
        if !lent.terms.are_fresh(clock.read(), 0) {
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
