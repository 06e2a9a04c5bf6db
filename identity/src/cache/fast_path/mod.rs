//! The fast path: returns a fresh token that needs no refresh.
//!
//! Nearly every call is one of these. So the fast path takes no lock, allocates nothing and writes
//! to no count that threads share: a prepared request refers to the [`Slot`] in which its cache
//! publishes the token; the slot is read through a guard; and the times in it are compared with one
//! [`Reading`](crate::platform::Reading) of the clock. A request that is not prepared finds its
//! slot in a [`Lookup`], which is read without a lock, too.
//!
//! The fast path has no rules of its own: [`Terms`](super::policy::Terms) come from the policy. A
//! token that is not fresh is left to [`TokenCache`](super::TokenCache), which writes into the
//! slots under its own lock.

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

/// What the credentials of this crate can do without a future. Public only for tests, in which
/// deliberately wrong credentials implement it.
pub trait FastPath: Send + Sync {
    /// Returns the token for `request` if it is valid by both clocks, enough of its life is left,
    /// and no refresh is due (PR-20 to PR-22).
    fn hit(&self, request: &TokenRequest) -> Option<TokenRef>;

    /// Returns what [`hit`](Self::hit) would return for a new request for these scopes.
    fn hit_scopes(&self, scopes: &[&str]) -> Option<TokenRef>;

    /// Returns the cached token for `request` if it is still valid, however little of its life is
    /// left. Starts nothing, not even a refresh that is due: a caller that uses the token should
    /// also call [`get_token`](crate::TokenCredential::get_token), which returns at once.
    fn peek(&self, request: &TokenRequest) -> Option<AccessToken>;

    /// Returns whether every call fails, for example because an environment variable was missing at
    /// construction. A chain does not ask such a credential again for a better token (PR-03).
    fn never_answers(&self) -> bool;
}

/// The fast path of a credential that never returns a token.
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
    /// Returns the token if it is fresh for a caller that wants at least `min_remaining`
    /// nanoseconds of its life.
    // Always inlined, so that the guard is not copied on its way to the caller.
    #[inline(always)]
    pub(crate) fn lend(&self, clock: &dyn Clock, min_remaining: u64) -> Option<TokenRef> {
        let lent = self.load();
        if !lent.terms.are_fresh(clock.read(), min_remaining) {
            return None;
        }
        self.touch();
        Some(TokenRef::lent(lent))
    }

    /// Returns the hit of the member that answered last, unless the chain has to look for a better
    /// token. `hit` asks the member with this number.
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
            // The member has another token, perhaps of another principal, or none. The slot is
            // hidden until the chain has compared it.
            _ => {
                self.hide_if(&lent);
                None
            }
        }
    }
}
