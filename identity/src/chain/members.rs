//! The members of a chain, asked in their order (PR-02).

use std::{ops::Deref, sync::Arc};

use crate::{
    AccessToken, Error, ErrorKind, TokenCredential, TokenRequest, cache::fast_path::FastPath,
    platform::Platform, wire,
};

use super::{ContinueAfter, Outcome, Tried};

/// A credential in a chain.
pub(super) struct Member {
    pub(super) credential: Arc<dyn TokenCredential>,
    pub(super) continue_after: ContinueAfter,
    /// Whether others use it, too: then it is not the chain's to dispose of.
    pub(super) shared: bool,
}

impl Member {
    /// What it holds for `request`; nothing where it is of another crate.
    pub(super) fn peek(&self, request: &TokenRequest) -> Option<AccessToken> {
        self.credential.fast_path()?.peek(request)
    }

    fn never_answers(&self) -> bool {
        let fast_path = self.credential.fast_path();
        fast_path.is_some_and(FastPath::never_answers)
    }

    fn lets_go_on(&self, error: &Error) -> bool {
        match self.continue_after {
            ContinueAfter::Unavailable => error.kind() == ErrorKind::Unavailable,
            ContinueAfter::Failure => error.kind() != ErrorKind::Cancelled,
        }
    }
}

/// All members of a chain, in order. Clones share; they know nothing of the chain, so that a walk
/// in the background does not keep it alive.
#[derive(Clone)]
pub(super) struct Members {
    chain: &'static str,
    pub(super) platform: Platform,
    all: Arc<[Member]>,
    /// The first that might answer some day.
    first: usize,
}

/// One walk: who answered, if anybody did, and what the members before did.
#[derive(Default)]
pub(super) struct Walk {
    pub(super) answer: Option<(usize, AccessToken)>,
    pub(super) tried: Vec<Tried>,
}

impl Members {
    pub(super) fn new(chain: &'static str, platform: &Platform, all: Vec<Member>) -> Self {
        let able = all.iter().position(|m| !m.never_answers());
        Self {
            chain,
            platform: platform.clone(),
            first: able.unwrap_or(all.len()),
            all: all.into(),
        }
    }

    /// Asks the first `count` members, from the top.
    pub(super) async fn ask(&self, count: usize, request: &TokenRequest) -> Walk {
        let request = &request.within_chain();
        let mut tried = Vec::with_capacity(count);
        for (index, member) in self.iter().enumerate().take(count) {
            let start = self.platform.clock.monotonic();
            let answer = member.credential.get_token(request).await;
            let took = self.platform.clock.monotonic().saturating_sub(start);
            let credential = member.credential.name().to_owned();
            let (outcome, answer) = match answer {
                Ok(token) => (Outcome::Answered, Some((index, token))),
                Err(error) if member.lets_go_on(&error) => {
                    self.log(&error, &credential, "passed over");
                    (Outcome::PassedOver(error), None)
                }
                Err(error) => {
                    self.log(&error, &credential, "ends the walk");
                    (Outcome::Stopped(error), None)
                }
            };
            let goes_on = matches!(outcome, Outcome::PassedOver(_));
            tried.push(Tried {
                credential,
                took,
                outcome,
            });
            if !goes_on {
                return Walk { answer, tried };
            }
        }
        Walk {
            answer: None,
            tried,
        }
    }

    /// Whether one of the first `count` members might answer some day.
    pub(super) fn might_answer(&self, count: usize) -> bool {
        self.first < count
    }

    fn log(&self, error: &Error, credential: &str, what: &str) {
        tracing::debug!(
            chain = self.chain,
            credential,
            kind = %error.kind(),
            reason = wire::one_line(error.message()),
            "{what}"
        );
    }
}

impl Deref for Members {
    type Target = [Member];

    fn deref(&self) -> &[Member] {
        &self.all
    }
}
