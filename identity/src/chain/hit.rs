//! The fast path of a chain: the hit of the member that answered last, unless the chain has to
//! compare or report an identity or to look for a better source (PR-03, PR-04).

use crate::{
    AccessToken, TokenRef, TokenRequest,
    cache::{
        DEFAULT_CAPACITY,
        fast_path::{Asked, FastPath, Lent, Slot},
    },
};

use super::walk::Chain;

impl FastPath for Chain {
    fn hit(&self, request: &TokenRequest) -> Option<TokenRef> {
        let approved = |slot: &Slot| self.approved(slot, |member| member.hit(request));
        if let Some(slot) = request.memo.find(&self.shown.owner) {
            return approved(slot);
        }
        self.shown.find(&request.asked(), |slot| {
            request.memo.note(slot);
            approved(slot)
        })
    }

    fn hit_scopes(&self, scopes: &[&str]) -> Option<TokenRef> {
        self.shown.find(&Asked::plain(scopes), |slot| {
            self.approved(slot, |member| member.hit_scopes(scopes))
        })
    }

    /// Returns the token that the last answerer holds for `request`, if the policy allows it.
    fn peek(&self, request: &TokenRequest) -> Option<AccessToken> {
        let index = self.memory().last()?;
        let token = self.members[index].peek(request)?;
        self.memory().allowed(request, index, token)
    }

    fn never_answers(&self) -> bool {
        !self.members.might_answer(self.members.len())
    }
}

impl Chain {
    fn approved(
        &self,
        slot: &Slot,
        hit: impl FnOnce(&dyn FastPath) -> Option<TokenRef>,
    ) -> Option<TokenRef> {
        slot.approve(&*self.members.platform.clock, |member| {
            hit(self.members.get(member)?.credential.fast_path()?)
        })
    }

    /// Publishes `answer` for `request` on the fast path until the next [`hide`](Self::hide). The
    /// caller holds the lock of the memory, so that both always agree.
    pub(super) fn show(&self, request: &TokenRequest, answer: Lent) {
        self.shown.show(&request.asked(), answer, DEFAULT_CAPACITY);
    }

    /// Withdraws all published answers after a change of the memory, whose lock the caller holds.
    pub(super) fn hide(&self) {
        self.shown.hide_all();
    }
}
