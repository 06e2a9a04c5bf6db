//! The hit of a chain: that of its answerer, as long as the chain has nothing to compare, to report
//! or to look for (PR-03, PR-04).

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

    /// What the last answerer holds for `request`, as long as handing it out needs no questions.
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

    /// From now on, until the next [`hide`](Self::hide), whoever asks for the same need not come
    /// here. Under the lock of the memory, of which this is an image.
    pub(super) fn show(&self, request: &TokenRequest, answer: Lent) {
        self.shown.show(&request.asked(), answer, DEFAULT_CAPACITY);
    }

    /// The memory has changed. Under its lock.
    pub(super) fn hide(&self) {
        self.shown.hide_all();
    }
}
