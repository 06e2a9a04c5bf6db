//! A chain: it returns what the last answerer still holds, or walks through its members (PR-02,
//! PR-03).

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

use crate::{
    AccessToken, CommonOptions, Error, TokenCredential, TokenRequest,
    cache::{
        Flights,
        fast_path::{FastPath, Lent, Lookup},
    },
    platform::BoxFuture,
};

use super::{
    ChainRecord, FallbackPolicy, Identity, IdentityChange, Observer, ObserverRef, Outcome, Tried,
    failure,
    members::{Member, Members},
    memory::{Answer, Memory, Route, Verdict},
};

/// The members of a chain, its policy and its memory.
pub(super) struct Chain {
    pub(super) name: &'static str,
    pub(super) members: Members,
    fallback_policy: FallbackPolicy,
    observer: ObserverRef,
    memory: Mutex<Memory>,
    /// The image of the memory for lock-free reads: the answerer's tokens that may be returned as
    /// hits.
    pub(super) shown: Lookup,
    /// Wakes waiting callers after `dispose`.
    disposed: Notify,
    /// The background walk, if one is under way.
    pub(super) upward: Flights<()>,
}

impl Chain {
    pub(super) fn new(
        name: &'static str,
        common: &CommonOptions,
        members: Vec<Member>,
        fallback_policy: FallbackPolicy,
    ) -> Self {
        let (platform, observer) = (common.host(), common.observer.clone());
        let seed = platform.random.next(&format!("chain/{name}/index"));
        Self {
            name,
            shown: Lookup::new(seed),
            members: Members::new(name, &platform, members),
            fallback_policy,
            observer,
            memory: Mutex::new(Memory::new(&platform, fallback_policy)),
            disposed: Notify::new(),
            upward: Flights::new(&platform, name),
        }
    }

    pub(super) async fn get_token(
        self: &Arc<Self>,
        request: &TokenRequest,
    ) -> Result<AccessToken, Error> {
        // Created before the memory is read, so that no dispose in between is missed.
        let disposed = self.disposed.notified();
        if self.memory().disposed {
            return Err(failure::cancelled(self.name));
        }
        // Biased, because the error of a disposed member has more detail.
        tokio::select! { biased;
            outcome = self.ask(request) => outcome,
            () = disposed => Err(failure::cancelled(self.name)),
        }
    }

    async fn ask(self: &Arc<Self>, request: &TokenRequest) -> Result<AccessToken, Error> {
        loop {
            let (index, token, route) = match self.held(request).await {
                Some((index, Ok(token))) => (index, token, Route::Held),
                Some((_, Err(tried))) => return Err(self.unanswered(vec![tried])),
                None => {
                    let before = self.memory().last();
                    let walk = self.members.ask(request).await;
                    let Some((index, token)) = walk.answer else {
                        return Err(self.unanswered(walk.tried));
                    };
                    let route = Route::Walk {
                        tried: walk.tried,
                        was_held: walk.was_held,
                        before,
                    };
                    (index, token, route)
                }
            };
            if let Some(outcome) = self.conclude(request, index, token, route) {
                return outcome;
            }
        }
    }

    pub(super) fn dispose(&self) {
        {
            let mut memory = self.memory();
            memory.dispose();
            self.hide();
        }
        self.upward.close();
        self.members.close();
        self.disposed.notify_waiters();
        for member in self.members.iter().filter(|member| !member.shared) {
            member.credential.dispose();
        }
    }

    /// Returns the token of the last answerer if it still holds a valid one. The member is asked
    /// and not only peeked at, so that it refreshes the token in time.
    ///
    /// A forced request is sent to the last answerer alone while that holds a valid token: if it
    /// fails, so does the request, and the principal stays (PR-03).
    async fn held(
        self: &Arc<Self>,
        request: &TokenRequest,
    ) -> Option<(usize, Result<AccessToken, Tried>)> {
        // No member holds a token for new claims.
        if request.claims.is_some() {
            return None;
        }
        let (index, upward_is_due) = {
            let memory = self.memory();
            (memory.last()?, memory.upward_is_due())
        };
        let member = &self.members[index];
        let credential = &member.credential;
        member.peek(request)?;
        if upward_is_due {
            self.look_upward(request);
        }
        let start = self.members.platform.clock.monotonic();
        let answer = match credential.get_token(&request.within_chain()).await {
            Ok(token) => Ok(token),
            Err(error) if request.force_refresh() => Err(Tried {
                credential: credential.name().to_owned(),
                took: (self.members.platform.clock.monotonic()).saturating_sub(start),
                outcome: Outcome::Stopped(error),
            }),
            Err(_) => Ok(member.peek(request)?),
        };
        Some((index, answer))
    }

    /// Compares the answer with the previous one, reports a change, and accepts or refuses it.
    /// `None` if another member has become the answerer meanwhile.
    pub(super) fn conclude(
        &self,
        request: &TokenRequest,
        index: usize,
        token: AccessToken,
        route: Route,
    ) -> Option<Result<AccessToken, Error>> {
        let credential = &self.members[index].credential;
        let answer = Answer {
            request,
            token: &token,
            chain: self.name,
            member: index,
            name: credential.name(),
            route: &route,
            is_cached: self.fallback_policy == FallbackPolicy::Refuse
                && self.members[index].peek(request).as_ref() == Some(&token),
            is_second_best: self.members.might_answer(index),
        };
        let verdict = {
            let mut memory = self.memory();
            // The chain was disposed while the member answered.
            if memory.disposed {
                return Some(Err(failure::cancelled(self.name)));
            }
            let before = memory.terms();
            let verdict = memory.answer(answer);
            if let (Verdict::Same, Route::Held, Some(record)) = (&verdict, &route, memory.held()) {
                let token = token.with_chain(record);
                let answer = Lent {
                    token: token.clone(),
                    terms: memory.terms(),
                    member: index,
                };
                self.show(request, answer);
                return Some(Ok(token));
            }
            let is_nothing_new = matches!(verdict, Verdict::Same | Verdict::Late);
            if !is_nothing_new || memory.terms().life.ends_before(&before.life) {
                self.hide();
            }
            verdict
        };

        let mut change = None;
        let outcome = match verdict {
            Verdict::Late => return None,
            Verdict::Same => {
                tracing::debug!(chain = self.name, identity = %Identity::of(&token), "answered");
                Ok(token)
            }
            Verdict::First => {
                tracing::info!(chain = self.name, identity = %Identity::of(&token), "answered");
                Ok(token)
            }
            Verdict::Changed(changed) => {
                self.report(&changed);
                change = Some(*changed);
                Ok(token)
            }
            Verdict::Refused {
                change: refused,
                news,
                kept,
            } => {
                if news {
                    self.report(&refused);
                }
                let error = || failure::refusal(self.name, &refused);
                let outcome = kept.ok_or_else(error);
                change = Some(*refused);
                outcome
            }
        };
        Some(self.hand_out(outcome, index, route, change))
    }

    /// Adds the record to the outcome and notifies the observer.
    fn hand_out(
        &self,
        outcome: Result<AccessToken, Error>,
        index: usize,
        route: Route,
        change: Option<IdentityChange>,
    ) -> Result<AccessToken, Error> {
        let is_held = matches!(route, Route::Held);
        let is_upward = matches!(route, Route::Upward { .. });
        let record = Arc::new(ChainRecord {
            chain: self.name.to_owned(),
            tried: match route {
                Route::Held => vec![Tried::held(self.members[index].credential.name())],
                Route::Walk { tried, .. } | Route::Upward { tried, .. } => tried,
            },
            change,
        });
        match outcome {
            Ok(token) => {
                if !is_held {
                    self.notify(|observer| observer.answered(&record));
                }
                Ok(token.with_chain(record))
            }
            Err(error) => {
                if !is_upward {
                    self.notify(|observer| observer.failed(&record));
                }
                Err(error.with_chain(record))
            }
        }
    }

    /// Returns the error of a walk without an answer.
    fn unanswered(&self, tried: Vec<Tried>) -> Error {
        let error = failure::unanswered(self.name, &tried);
        let record = Arc::new(ChainRecord {
            chain: self.name.to_owned(),
            tried,
            change: None,
        });
        self.notify(|observer| observer.failed(&record));
        error.with_chain(record)
    }

    fn report(&self, change: &IdentityChange) {
        let IdentityChange { from, to, refused } = change;
        if *refused {
            tracing::warn!(chain = self.name, %from, %to, "identity change refused");
        } else {
            tracing::warn!(chain = self.name, %from, %to, "identity changed");
            tracing::info!(chain = self.name, identity = %to, "answered");
        }
        self.notify(|observer| observer.identity_changed(change));
    }

    fn notify(&self, what: impl FnOnce(&dyn Observer)) {
        if let Some(observer) = &self.observer {
            what(&**observer);
        }
    }

    pub(super) fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A shared chain, as the public credentials hold it.
#[derive(Clone)]
pub(super) struct ChainHandle(Arc<Chain>);

impl ChainHandle {
    pub(super) fn new(chain: Chain) -> Self {
        Self(Arc::new(chain))
    }
}

impl TokenCredential for ChainHandle {
    fn name(&self) -> &str {
        self.0.name
    }

    fn get_token<'a>(
        &'a self,
        request: &'a TokenRequest,
    ) -> BoxFuture<'a, Result<AccessToken, Error>> {
        Box::pin(async move {
            match self.0.hit(request) {
                Some(hit) => Ok(hit.into_token()),
                None => self.0.get_token(request).await,
            }
        })
    }

    fn dispose(&self) {
        self.0.dispose();
    }

    #[inline]
    fn fast_path(&self) -> Option<&dyn FastPath> {
        Some(&*self.0)
    }
}

impl fmt::Debug for ChainHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let members = self.members.iter().map(|member| member.credential.name());
        f.debug_struct(self.name)
            .field("members", &members.collect::<Vec<_>>())
            .field("fallback_policy", &self.fallback_policy)
            .finish_non_exhaustive()
    }
}
