//! Return to a better source. A member that caches renews its own token for ever, so the chain
//! would never ask the members before it again. Therefore the chain asks those in the background,
//! once per life of a token (PR-03).

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use crate::{
    AccessToken, TokenRequest,
    cache::{
        self, LIMIT,
        policy::{Decision, Life, PAUSE, Terms},
    },
    platform::{Reading, nanoseconds},
};

use super::{
    failure,
    members::{Members, Walk},
    memory::Route,
    walk::Chain,
};

/// How long a walk that was started is assumed to be under way, so that hits need not check.
const UNDER_WAY: Duration = Duration::from_secs(1);

/// The time at which the members before the answerer are asked again.
#[derive(Clone, Copy)]
pub(super) struct Due {
    /// The life of the token that the last walk returned.
    token: Terms,
    /// The earliest time, however short that life is, in nanoseconds of the monotonic clock.
    not_before: u64,
}

impl Due {
    /// After the life of `held`, the token that a walk which ends at `now` has returned.
    pub(super) fn after(held: Option<&AccessToken>, now: Reading) -> Self {
        let life = held.and_then(|token| Life::of(token, now));
        Self {
            token: life.map_or(Terms::NOTHING, |life| Terms {
                life,
                ..Terms::NOTHING
            }),
            not_before: now.monotonic.saturating_add(nanoseconds(PAUSE)),
        }
    }

    pub(super) fn has_come(&self, now: Reading) -> bool {
        now.monotonic >= self.not_before && self.token.decide(now, 0) == Decision::Ended
    }

    /// Returns the terms within which no walk is due, as seen at `now`. If one is due already, it
    /// is assumed to be under way for a second.
    pub(super) fn terms(&self, now: Reading) -> Terms {
        let until = |end| Terms {
            life: Life::lasting_until(end),
            ..Terms::NOTHING
        };
        if self.has_come(now) {
            return until(now.monotonic.saturating_add(nanoseconds(UNDER_WAY)));
        }
        match self.token.decide(now, 0) {
            Decision::Ended => until(self.not_before),
            Decision::Fresh | Decision::Due | Decision::Short => self.token,
        }
    }
}

impl Chain {
    /// Starts a walk through the members before the answerer, unless one is under way. The chain
    /// owns it, and it does not keep the chain alive.
    pub(super) fn look_upward(self: &Arc<Self>, request: &TokenRequest) {
        self.upward.run(&(), || {
            let (name, chain) = (self.name, Arc::downgrade(self));
            // No caller waits for this walk, so tokens in the caches of the members will do.
            let request = request.clone().with_force_refresh(false);
            Box::pin(async move {
                let gone = || Err(failure::cancelled(name));
                let Some((members, answerer)) = wanted(&chain) else {
                    return gone();
                };
                // A walk that hangs would block all later ones.
                let walk = members.ask_first(answerer, &request);
                let walk = members.platform.within(LIMIT, walk).await;
                let walk = walk.unwrap_or_default();
                match chain.upgrade() {
                    None => gone(),
                    Some(chain) => chain.arrive(&request, answerer, walk),
                }
            })
        });
    }

    /// Applies the result of a walk. If no member has answered, or the change is refused, the
    /// answerer stays, and the next walk is due after the life of the token that it holds.
    fn arrive(&self, request: &TokenRequest, answerer: usize, walk: Walk) -> cache::Outcome {
        let held = self.members[answerer].peek(request);
        self.memory().postpone_upward(held.as_ref());
        let Some((index, token)) = walk.answer else {
            return Err(failure::unanswered(self.name, &walk.tried));
        };
        let route = Route::Upward {
            tried: walk.tried,
            was_held: walk.was_held,
        };
        let outcome = self.conclude(request, index, token, route);
        // `None`: a walk for a caller has found this member or a better one meanwhile.
        outcome.unwrap_or_else(|| Err(failure::cancelled(self.name)))
    }
}

/// Returns the members and the index of the answerer; `None` if the walk is not due any more.
fn wanted(chain: &Weak<Chain>) -> Option<(Members, usize)> {
    let chain = chain.upgrade()?;
    let memory = chain.memory();
    let answerer = memory.last().filter(|_| memory.upward_is_due())?;
    Some((chain.members.clone(), answerer))
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::*;

    fn at(wall: i64, monotonic: u64) -> Reading {
        Reading::new(second(wall), Duration::from_secs(monotonic))
    }

    fn second(at: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(at)
    }

    fn after(end: i64) -> Due {
        let token = AccessToken::new("t".to_owned(), second(end), "Test");
        Due::after(Some(&token), at(0, 0))
    }

    #[test]
    fn pr_03_due_when_the_token_has_ended_by_either_clock() {
        let due = after(100);
        assert!(!due.has_come(at(99, 99)));
        assert!(due.has_come(at(0, 100)), "the clock was set back");
        assert!(due.has_come(at(100, 30)), "the host slept");
    }

    #[test]
    fn pr_03_never_more_often_than_every_thirty_seconds() {
        let nothing_held = Due::after(None, at(0, 0));
        for due in [after(1), nothing_held] {
            assert!(!due.has_come(at(1000, 29)));
            assert!(due.has_come(at(30, 30)));
        }
    }
}
