//! Members that gave no answer. Walks do not wait for them for five minutes, and ask them in the
//! background meanwhile (PR-07).

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::{
    Error, TokenCredential, TokenRequest,
    cache::{Flights, LIMIT, policy::PAUSE},
    platform::Platform,
};

use super::failure;

/// How long after a finding walks do not wait for the member.
const NOT_WAITED_FOR: Duration = Duration::from_secs(5 * 60);

/// The remark that the record of a walk adds to the remembered error.
const REMARK: &str = "it gave no answer, so it was not waited for and is asked in the background";

/// The absent members of one chain and the background requests to them, which end with the chain.
/// Clones share both.
#[derive(Clone)]
pub(super) struct Absences {
    known: Known,
    /// At most one for each member.
    requests: Flights<usize>,
}

impl Absences {
    pub(super) fn new(platform: &Platform, chain: &str) -> Self {
        Self {
            known: Known {
                platform: platform.clone(),
                absent: Arc::default(),
            },
            requests: Flights::new(platform, chain),
        }
    }

    /// Returns how a walk for `request` skips `member`, and starts a background request to it if
    /// one is due. `None` if the walk has to wait for the member.
    pub(super) fn skip(
        &self,
        member: usize,
        credential: &Arc<dyn TokenCredential>,
        request: &TokenRequest,
    ) -> Option<Skipped> {
        let now = self.known.platform.clock.monotonic();
        let mut absent = self.known.lock();
        let absence = absent.get_mut(&member).filter(|it| now < it.until)?;
        let error = absence.error.clone().with_remark(REMARK);
        let is_due = now >= absence.next_request;
        if is_due {
            absence.next_request = now.saturating_add(PAUSE);
        }
        drop(absent);
        if is_due {
            self.ask_in_background(member, Arc::clone(credential), request.clone());
        }
        Some(Skipped {
            member,
            error,
            is_asked: is_due,
        })
    }

    /// Returns the error of a member that a walk has skipped and would ask now, if the member has
    /// given no answer since the walk began, at `begun` on the monotonic clock. Waits for the
    /// request that the walk itself has sent in the background; one of another walk may be for
    /// something else, and hang.
    pub(super) async fn found_since(&self, skipped: &Skipped, begun: Duration) -> Option<Error> {
        if skipped.is_asked {
            self.requests.wait(&skipped.member).await;
        }
        let absent = self.known.lock();
        let absence = absent.get(&skipped.member)?;
        (absence.found >= begun).then(|| absence.error.clone())
    }

    /// See [`Known::learn`].
    pub(super) fn learn(&self, member: usize, error: Option<&Error>) -> Option<Finding> {
        self.known.learn(member, error)
    }

    /// Remembers the findings of a walk. Called only if another member has answered.
    pub(super) fn note(&self, findings: impl IntoIterator<Item = Finding>) {
        self.known.note(findings);
    }

    /// Ends the background requests, and refuses new ones.
    pub(super) fn close(&self) {
        self.requests.close();
    }

    /// Sends `request` to `member` in the background, forced or not, unless one is under way.
    fn ask_in_background(
        &self,
        member: usize,
        credential: Arc<dyn TokenCredential>,
        request: TokenRequest,
    ) {
        self.requests.run(&member, || {
            // `Known` alone: a background request must not keep the requests alive.
            let known = self.known.clone();
            Box::pin(async move {
                let answer = credential.get_token(&request);
                let answer = known.platform.within(LIMIT, answer).await;
                let answer = answer.unwrap_or_else(|| Err(failure::cancelled(credential.name())));
                known.note(known.learn(member, answer.as_ref().err()));
                answer
            })
        });
    }
}

/// A member for which a walk did not wait.
pub(super) struct Skipped {
    pub(super) member: usize,
    /// For the record of the walk.
    pub(super) error: Error,
    /// Whether the walk has asked it in the background.
    is_asked: bool,
}

/// The absent members, by their index. Clones share them.
#[derive(Clone)]
struct Known {
    platform: Platform,
    absent: Arc<Mutex<BTreeMap<usize, Absence>>>,
}

struct Absence {
    error: Error,
    /// When it gave no answer for the last time, on the monotonic clock.
    found: Duration,
    /// Until then walks do not wait for the member, on the monotonic clock.
    until: Duration,
    /// Before then it is not asked in the background, on the monotonic clock.
    next_request: Duration,
}

/// A missing answer of a member.
pub(super) struct Finding {
    member: usize,
    error: Error,
    /// On the monotonic clock.
    at: Duration,
}

impl Known {
    /// Handles the outcome of a request to `member`: a token, or `error`. Any answer ends the
    /// absence. A missing answer is returned as a finding, to be [noted](Self::note) if another
    /// member has answered.
    fn learn(&self, member: usize, error: Option<&Error>) -> Option<Finding> {
        let Some(error) = error.filter(|error| error.is_without_answer()) else {
            self.lock().remove(&member);
            return None;
        };
        Some(Finding {
            member,
            error: error.clone(),
            at: self.platform.clock.monotonic(),
        })
    }

    /// Starts the five minutes of each finding.
    fn note(&self, findings: impl IntoIterator<Item = Finding>) {
        let mut absent = self.lock();
        for Finding { member, error, at } in findings {
            let absence = Absence {
                error,
                found: at,
                until: at.saturating_add(NOT_WAITED_FOR),
                next_request: at.saturating_add(PAUSE),
            };
            absent.insert(member, absence);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<usize, Absence>> {
        self.absent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
