//! The members of a chain, and walks through them in their order (PR-02).

use std::{ops::Deref, sync::Arc, time::Duration};

use crate::{
    AccessToken, Error, ErrorKind, TokenCredential, TokenRequest, cache::fast_path::FastPath,
    http::redact, platform::Platform,
};

use super::{
    ContinueAfter, Outcome, Tried,
    absence::{Absences, Finding, Skipped},
};

/// A credential in a chain.
pub(super) struct Member {
    pub(super) credential: Arc<dyn TokenCredential>,
    pub(super) continue_after: ContinueAfter,
    /// Whether it is also used elsewhere, so that the chain must not dispose it.
    pub(super) shared: bool,
}

impl Member {
    /// Returns the token that it holds for `request`; `None` for a credential of another crate.
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

/// All members of a chain, in order. Clones share them. They do not refer to the chain, so that a
/// background walk does not keep it alive.
#[derive(Clone)]
pub(super) struct Members {
    chain: &'static str,
    pub(super) platform: Platform,
    all: Arc<[Member]>,
    /// The index of the first member that might answer.
    first: usize,
    /// The members for which walks do not wait.
    absences: Absences,
}

/// The result of a walk: the answer with the index of its member, if there is one, and the outcome
/// of each member.
#[derive(Default)]
pub(super) struct Walk {
    pub(super) answer: Option<(usize, AccessToken)>,
    /// Whether the member that answered held the token before it was asked.
    pub(super) was_held: bool,
    pub(super) tried: Vec<Tried>,
}

/// The state of a walk.
#[derive(Default)]
struct SoFar {
    answer: Option<(usize, AccessToken)>,
    was_held: bool,
    /// Whether the member that was asked last has answered, or failed in a way that ends the walk.
    is_over: bool,
    /// With the index of the member, in the order in which they were asked.
    tried: Vec<(usize, Tried)>,
    /// The members that gave no answer.
    findings: Vec<Finding>,
}

impl Members {
    pub(super) fn new(chain: &'static str, platform: &Platform, all: Vec<Member>) -> Self {
        let able = all.iter().position(|m| !m.never_answers());
        Self {
            chain,
            platform: platform.clone(),
            first: able.unwrap_or(all.len()),
            all: all.into(),
            absences: Absences::new(platform, chain),
        }
    }

    /// Walks through all members for a caller. Does not wait for members that gave no answer
    /// recently, unless no other member answers; then what a request in the background has found
    /// since the walk began is not asked again (PR-07).
    pub(super) async fn ask(&self, request: &TokenRequest) -> Walk {
        let request = &request.within_chain();
        let begun = self.platform.clock.monotonic();
        let mut walk = SoFar::default();
        let mut skipped = Vec::new();
        for index in 0..self.len() {
            if let Some(member) = self.skip(index, request) {
                walk.tried.push((index, self.record_of(&member)));
                skipped.push(member);
                continue;
            }
            self.ask_one(index, request, &mut walk).await;
            if walk.is_over {
                break;
            }
        }
        if walk.answer.is_none() {
            for member in skipped {
                walk.tried.retain(|(index, _)| *index != member.member);
                self.ask_skipped(&member, begun, request, &mut walk).await;
                if walk.is_over {
                    break;
                }
            }
        }
        if walk.answer.is_some() {
            self.absences.note(walk.findings.drain(..));
        }
        walk.end()
    }

    /// Walks through the first `count` members in the background. Waits for each of them, because
    /// no caller waits for the walk.
    pub(super) async fn ask_first(&self, count: usize, request: &TokenRequest) -> Walk {
        let request = &request.within_chain();
        let mut walk = SoFar::default();
        for index in 0..count {
            self.ask_one(index, request, &mut walk).await;
            if walk.is_over {
                break;
            }
        }
        self.absences.note(walk.findings.drain(..));
        walk.end()
    }

    /// Ends background requests, and refuses new ones.
    pub(super) fn close(&self) {
        self.absences.close();
    }

    /// Returns a member for which a walk does not wait. A member that holds a token is always
    /// asked, because it answers at once, unless the request is forced.
    fn skip(&self, index: usize, request: &TokenRequest) -> Option<Skipped> {
        let member = &self[index];
        if !request.force_refresh() && member.peek(request).is_some() {
            return None;
        }
        let credential = &member.credential;
        let skipped = self.absences.skip(index, credential, request)?;
        self.log(&skipped.error, credential.name(), "not waited for");
        Some(skipped)
    }

    /// Returns the record of a member for which a walk does not wait.
    fn record_of(&self, skipped: &Skipped) -> Tried {
        Tried {
            credential: self[skipped.member].credential.name().to_owned(),
            took: Duration::ZERO,
            outcome: Outcome::PassedOver(skipped.error.clone()),
        }
    }

    /// Waits for the answer of a member that the walk has skipped: of the request in the
    /// background, or of one of its own if that has found nothing.
    async fn ask_skipped(
        &self,
        skipped: &Skipped,
        begun: Duration,
        request: &TokenRequest,
        walk: &mut SoFar,
    ) {
        let start = self.platform.clock.monotonic();
        match self.absences.found_since(skipped, begun).await {
            Some(error) => self.record(skipped.member, start, Err(error), walk),
            None => self.ask_one(skipped.member, request, walk).await,
        }
    }

    /// Asks one member and waits for its answer.
    async fn ask_one(&self, index: usize, request: &TokenRequest, walk: &mut SoFar) {
        let member = &self[index];
        let held = member.peek(request);
        let start = self.platform.clock.monotonic();
        let answer = member.credential.get_token(request).await;
        let finding = self.absences.learn(index, answer.as_ref().err());
        walk.was_held = held.is_some() && held.as_ref() == answer.as_ref().ok();
        self.record(index, start, answer, walk);
        if !walk.is_over {
            walk.findings.extend(finding);
        }
    }

    /// Records the answer of a member that was waited for since `start`.
    fn record(
        &self,
        index: usize,
        start: Duration,
        answer: Result<AccessToken, Error>,
        walk: &mut SoFar,
    ) {
        let member = &self[index];
        let took = self.platform.clock.monotonic().saturating_sub(start);
        let credential = member.credential.name().to_owned();
        let outcome = match answer {
            Ok(token) => {
                walk.answer = Some((index, token));
                Outcome::Answered
            }
            Err(error) if member.lets_go_on(&error) => {
                self.log(&error, &credential, "passed over");
                Outcome::PassedOver(error)
            }
            Err(error) => {
                self.log(&error, &credential, "ends the walk");
                Outcome::Stopped(error)
            }
        };
        walk.is_over = !matches!(outcome, Outcome::PassedOver(_));
        let tried = Tried {
            credential,
            took,
            outcome,
        };
        walk.tried.push((index, tried));
    }

    /// Returns whether one of the first `count` members might answer.
    pub(super) fn might_answer(&self, count: usize) -> bool {
        self.first < count
    }

    fn log(&self, error: &Error, credential: &str, what: &str) {
        tracing::debug!(
            chain = self.chain,
            credential,
            kind = %error.kind(),
            reason = redact::one_line(error.message()),
            "{what}"
        );
    }
}

impl SoFar {
    /// Returns the result. Without an answer, the members are listed in the order of the chain
    /// (PR-05); with one, the member that answered is the last.
    fn end(mut self) -> Walk {
        if self.answer.is_none() {
            self.tried.sort_by_key(|(member, _)| *member);
        }
        let went_on = self.answer.is_some();
        let tried = self.tried.into_iter().map(|(_, mut tried)| {
            // Its failure did not end the walk after all, because a skipped member has answered.
            if let (true, Outcome::Stopped(error)) = (went_on, &tried.outcome) {
                tried.outcome = Outcome::PassedOver(error.clone());
            }
            tried
        });
        Walk {
            answer: self.answer,
            was_held: self.was_held,
            tried: tried.collect(),
        }
    }
}

impl Deref for Members {
    type Target = [Member];

    fn deref(&self) -> &[Member] {
        &self.all
    }
}
