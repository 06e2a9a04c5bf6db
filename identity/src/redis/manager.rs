//! The token manager: one task that requests tokens in time while a subscription or a caller wants
//! one.

use std::{future::Future, pin::pin, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};

use crate::{AccessToken, Error, ErrorKind, cache::Life, platform::Reading};

use super::{
    NAME, RedisCredentials, RedisEvent, observer, schedule::AfterFailure, shared::Shared,
    state::ManagerState, user::user_name,
};

/// The interval at which the manager checks the wall clock, which may be set, or may go on while
/// the host sleeps and its monotonic clock does not (PR-20).
const LOOK: Duration = Duration::from_secs(30);

/// One run of the manager. Dropping it, even with a cancelled or panicking task, ends the run.
pub(super) struct Run {
    shared: Arc<Shared>,
    number: u64,
}

impl Run {
    pub(super) fn new(shared: Arc<Shared>, number: u64) -> Self {
        Self { shared, number }
    }

    /// Whether a token is still wanted. If not, this ends the run.
    fn goes_on(&self) -> bool {
        let mut state = self.shared.lock();
        if !state.runs(self.number) {
            return false;
        }
        state.errand = false;
        if state.is_wanted() {
            return true;
        }
        let task = state.end_run();
        drop(state);
        drop(task);
        false
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        if !state.runs(self.number) {
            return;
        }
        // Not stopped by its owner: the host went down, or the task has panicked.
        let task = state.end_run();
        drop(state);
        drop(task);
        let error = Error::new(
            ErrorKind::Cancelled,
            NAME,
            "the token manager was ended from outside",
        )
        .with_help("subscribe again, or create a new provider");
        self.shared
            .board
            .send_modify(|board| board.publish_failure(error));
    }
}

/// Starts the token manager unless it runs or the provider was disposed.
pub(super) fn start(shared: &Arc<Shared>) {
    let now = shared.now();
    let (number, anew) = {
        let mut state = shared.lock();
        if state.disposed || state.is_running {
            return;
        }
        state.run += 1;
        state.is_running = true;
        let anew = state.schedule.begin(now);
        (state.run, anew)
    };
    if anew {
        shared.board.send_modify(|board| board.error = None);
    }
    let work = run(Run::new(Arc::clone(shared), number));
    let task = shared.platform.spawner.spawn(Box::pin(work));
    let mut state = shared.lock();
    let late = if state.runs(number) {
        state.task.replace(task)
    } else {
        // It is over already, or was stopped before it was known.
        Some(task)
    };
    drop(state);
    drop(late);
}

/// Requests tokens until none is wanted any more.
async fn run(run: Run) {
    loop {
        run.wait().await;
        let outcome = run.watching_the_end(run.request()).await;
        run.land(outcome);
        if !run.goes_on() {
            return;
        }
    }
}

impl Run {
    /// Waits until the next request is due.
    async fn wait(&self) {
        loop {
            let (wait, watched) = {
                let now = self.shared.now();
                let state = self.shared.lock();
                let left = state.left(now);
                let unreported = (!state.end_reported && state.held.is_some()).then_some(left);
                (state.schedule.wait(now, left), unreported)
            };
            if wait.is_zero() {
                return;
            }
            let next = wait.min(watched.unwrap_or(LOOK)).min(LOOK);
            // Biased, so that runs are reproducible; neither branch loses anything when dropped.
            tokio::select! { biased;
                () = self.shared.nudge.notified() => {}
                () = self.shared.platform.clock.sleep(next) => self.report_end(),
            }
        }
    }

    /// Sends one token request, within its time limit.
    async fn request(&self) -> Result<AccessToken, Error> {
        // The first request may be answered from a cache; later ones must bring a newer token.
        let forced = self.shared.lock().is_supplied;
        let request = self.shared.request.clone().with_force_refresh(forced);
        let limit = self.shared.config.request_timeout;
        let answer = self.shared.credential.get_token(&request);
        let answer = self.shared.platform.within(limit, answer).await;
        answer.unwrap_or_else(|| {
            let message = format!("no token within {} s", limit.as_secs_f64());
            Err(
                Error::new(ErrorKind::Failed, self.shared.credential.name(), message)
                    .with_help(
                        "check request_timeout, and whether the source of the token is reachable",
                    )
                    .with_transient(),
            )
        })
    }

    /// Runs `work`, and notifies subscribers if the current token ends meanwhile.
    async fn watching_the_end<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        loop {
            let left = {
                let now = self.shared.now();
                let state = self.shared.lock();
                (!state.end_reported && state.held.is_some()).then(|| state.left(now))
            };
            let Some(left) = left else {
                return work.await;
            };
            // Biased: an answer that arrives with the end is an answer.
            tokio::select! { biased;
                done = &mut work => return done,
                () = self.shared.platform.clock.sleep(left.min(LOOK)) => self.report_end(),
            }
        }
    }

    /// Notifies the subscribers once when the current token has ended. Waiting callers are not
    /// notified: their request is under way.
    fn report_end(&self) {
        let now = self.shared.now();
        let error = {
            let mut state = self.shared.lock();
            let Some(held) = state.held.as_ref().filter(|held| !held.is_alive(now)) else {
                return;
            };
            let error = ended(held.expires_on(), state.schedule.last_error());
            if std::mem::replace(&mut state.end_reported, true) {
                return;
            }
            error
        };
        self.shared
            .board
            .send_modify(|board| board.publish_error(error));
    }

    /// Handles the outcome of a request.
    fn land(&self, outcome: Result<AccessToken, Error>) {
        let now = self.shared.now();
        if outcome.is_ok() {
            self.shared.lock().is_supplied = true;
        }
        match outcome.and_then(|token| self.read(token, now)) {
            Ok(credentials) => self.succeed(credentials, now),
            Err(error) => self.fail(&error, now),
        }
    }

    /// Returns the credentials in `token`.
    fn read(&self, token: AccessToken, now: Reading) -> Result<RedisCredentials, Error> {
        let known = {
            let state = self.shared.lock();
            let held = state.held.as_ref();
            held.filter(|held| held.password() == token.secret())
                .map(|held| held.life)
        };
        let life = Life::of(&token, now).and_then(|life| match known {
            Some(known) => life.continuing(known, now),
            None => Some(life),
        });
        let Some(life) = life else {
            return Err(token.had_expired(self.shared.credential.name()));
        };
        let user_name = user_name(token.secret())?;
        Ok(RedisCredentials::new(&user_name, token, life))
    }

    fn succeed(&self, credentials: RedisCredentials, now: Reading) {
        let mut state = self.shared.lock();
        if !state.runs(self.number) {
            return;
        }
        let (event, recovered) = match keeps(&state, &credentials, now) {
            Some(left) => {
                let (wait, recovered) = state.schedule.same(now, left);
                let next_try = later(now.timestamp(), wait);
                (RedisEvent::SameToken { next_try }, recovered)
            }
            None => {
                let life = credentials.life.left(now);
                let recovered = state.schedule.renewed(now, life, &self.shared.config);
                let event = RedisEvent::Refreshed {
                    user: credentials.user_name().to_owned(),
                    expires_on: credentials.expires_on(),
                };
                state.held = Some(credentials.clone());
                state.end_reported = false;
                (event, recovered)
            }
        };
        drop(state);
        self.notify(&event);
        if recovered {
            self.notify(&RedisEvent::Recovered);
        }
        let is_new = matches!(event, RedisEvent::Refreshed { .. });
        self.shared.board.send_modify(|board| {
            board.error = None;
            board.answers += 1;
            if is_new {
                board.credentials = Some(credentials);
                board.credentials_number += 1;
            }
        });
    }

    fn fail(&self, error: &Error, now: Reading) {
        let policy = &self.shared.config.retry;
        // Code of the user, so it is not called under the lock.
        let is_retryable = (policy.is_retryable)(error);
        let number = self.shared.lock().schedule.failures().saturating_add(1);
        let unit = self
            .shared
            .platform
            .random
            .unit(&format!("redis/retry/{number}"));
        let mut state = self.shared.lock();
        if !state.runs(self.number) {
            return;
        }
        let after = state
            .schedule
            .failed(now, error, is_retryable, policy, unit);
        let attempt = state.schedule.failures();
        let valid_until = state.valid(now).map(RedisCredentials::expires_on);
        // A subscriber that has not read of the end yet must not read of the failure alone.
        let over = state.held.as_ref().filter(|_| state.end_reported);
        let over = over.map(RedisCredentials::expires_on);
        drop(state);
        let error = error.clone();
        match after {
            AfterFailure::Retry(wait) => self.notify(&RedisEvent::Retrying {
                attempt,
                wait,
                error,
            }),
            AfterFailure::AtCap { wait, first } => {
                self.notify(&RedisEvent::Failing {
                    error: error.clone(),
                    next_try: later(now.timestamp(), wait),
                    valid_until,
                });
                if first {
                    self.shared
                        .board
                        .send_modify(|board| board.publish_failure(error));
                } else {
                    let error = match over {
                        Some(at) => ended(at, Some(&error)),
                        None => error,
                    };
                    self.shared
                        .board
                        .send_modify(|board| board.error = Some(error));
                }
            }
        }
    }

    fn notify(&self, event: &RedisEvent) {
        observer::notify(self.shared.observer.as_ref(), event);
    }
}

/// Returns how long the current token is still valid if `new` is no better: the same token, or one
/// of the same user that ends no later. The remaining times are compared and not the wall-clock
/// ends, because the wall clock may have been set in between (RD-42).
fn keeps(state: &ManagerState, new: &RedisCredentials, now: Reading) -> Option<Duration> {
    let (held, left) = (state.valid(now)?, state.left(now));
    let is_no_newer = held.password() == new.password()
        || !state.schedule.is_hurried()
            && held.user_name() == new.user_name()
            && new.life.left(now) <= left;
    is_no_newer.then_some(left)
}

fn ended(at: Timestamp, cause: Option<&Error>) -> Error {
    let message = match cause {
        Some(cause) => format!("the token ended at {at}, and there is no newer one yet: {cause}"),
        None => format!("the token ended at {at}, and there is no newer one yet"),
    };
    let error = Error::new(ErrorKind::Failed, NAME, message).with_transient();
    match cause {
        Some(cause) => error.with_cause(cause.clone()),
        None => error,
    }
}

/// Returns `at` plus `wait`; saturates.
fn later(at: Timestamp, wait: Duration) -> Timestamp {
    SignedDuration::try_from(wait)
        .ok()
        .and_then(|wait| at.checked_add(wait).ok())
        .unwrap_or(Timestamp::MAX)
}
