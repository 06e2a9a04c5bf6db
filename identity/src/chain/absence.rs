//! Members from which no answer came: a walk waits for each of them once in five minutes, and
//! meanwhile asks them in the background (PR-07).

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

/// For how long after a finding walks do not wait for the member.
const NOT_WAITED_FOR: Duration = Duration::from_secs(5 * 60);

/// What the record of a walk adds to the error that is remembered.
const REMARK: &str = "it gave no answer, so it was not waited for and is asked in the background";

/// The members of one chain from which no answer came, and the background requests to them, which
/// end with the chain. Clones share.
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

    /// The error to record if a walk for `request` need not wait for `member`, which is then asked
    /// in the background if that is due. `None` if the walk has to wait for it.
    pub(super) fn skip(
        &self,
        member: usize,
        credential: &Arc<dyn TokenCredential>,
        request: &TokenRequest,
    ) -> Option<Error> {
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
        Some(error)
    }

    /// What a walk has learnt of `member`: see [`Known::learn`].
    pub(super) fn learn(&self, member: usize, error: Option<&Error>) -> Option<Finding> {
        self.known.learn(member, error)
    }

    /// Remembers what a walk has found, if another member has answered.
    pub(super) fn note(&self, findings: impl IntoIterator<Item = Finding>) {
        self.known.note(findings);
    }

    /// Ends the background requests, for good.
    pub(super) fn close(&self) {
        self.requests.close();
    }

    /// Asks `member` for what the caller wants, forced or not, unless it is being asked.
    fn ask_in_background(
        &self,
        member: usize,
        credential: Arc<dyn TokenCredential>,
        request: TokenRequest,
    ) {
        self.requests.run(&member, || {
            // Not the requests: this is one of them, and must not keep them alive.
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

/// What is known of the absent members, by their index. Clones share.
#[derive(Clone)]
struct Known {
    platform: Platform,
    absent: Arc<Mutex<BTreeMap<usize, Absence>>>,
}

struct Absence {
    error: Error,
    /// Until then walks do not wait for the member. Monotonic.
    until: Duration,
    /// Before then it is not asked in the background. Monotonic.
    next_request: Duration,
}

/// No answer came from a member.
pub(super) struct Finding {
    member: usize,
    error: Error,
    /// Monotonic.
    at: Duration,
}

impl Known {
    /// What `member` has just done, a token if there is no `error`. Whatever it is, it ends the
    /// absence, except that no answer came: that is a finding, to be [noted](Self::note) if another
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

    /// Lets the five minutes of each finding begin.
    fn note(&self, findings: impl IntoIterator<Item = Finding>) {
        let mut absent = self.lock();
        for Finding { member, error, at } in findings {
            let absence = Absence {
                error,
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
