//! The gate that every command passes before it is sent.
//!
//! An open gate costs one short lock. A held gate keeps new commands back while those under way are
//! answered, so that nothing else is under way with `AUTH`: some servers do not answer a refused
//! `AUTH` behind other commands, and every later answer then goes to the wrong caller (RA-09).

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use redis::{RedisError, Value};
use tokio::sync::Notify;

use super::{
    command::Verb,
    error::Ended,
    refusal::Refusal,
    schedule::Term,
    session::{Admission, Session, Ticket},
    transaction::Transaction,
};
use crate::{Platform, platform::TaskHandle};

/// The gate of one connection, and what is known of its state.
pub(super) struct Gate {
    platform: Platform,
    state: Mutex<GateState>,
    /// Wakes the commands that wait while the gate is held.
    released: Notify,
    /// Wakes the keeper of the connection.
    news: Notify,
}

struct GateState {
    session: Session,
    term: Term,
    in_flight: usize,
    /// The caller of a request has dropped it, so it may still be under way.
    in_doubt: bool,
    held: bool,
    /// A new token is due: the gate is to be held as soon as no transaction is open.
    wanted: bool,
    /// The caller has dropped the authentication (`RESET`).
    reset: bool,
    ended: Option<Ended>,
    driver: Option<TaskHandle>,
}

/// A request that may be sent.
pub(super) struct Entry<'a> {
    pub pass: Pass<'a>,
    /// `DISCARD` must be sent in place of the request, which then fails with this.
    pub instead: Option<Refusal>,
    /// Whether a transaction is open, in which no command blocks.
    pub in_transaction: bool,
    /// For [`Request::Blocking`]: how long it may block from now on. Measured under the lock that
    /// lets it pass, so that no wait at the gate makes it outdated.
    pub slice: Duration,
}

/// Why a request may not be sent.
pub(super) enum Rejected {
    Ended(Ended),
    Refused(Refusal),
}

impl From<Rejected> for RedisError {
    fn from(rejected: Rejected) -> Self {
        match rejected {
            Rejected::Ended(ended) => (&ended).into(),
            Rejected::Refused(refusal) => refusal.into(),
        }
    }
}

/// The kinds of requests that the gate distinguishes.
#[derive(Clone, Copy)]
pub(super) enum Request<'a> {
    /// A command, or the commands of a plain pipeline.
    Plain(&'a [Verb]),
    /// A command that blocks. It also waits while the token is about to end.
    Blocking,
    /// A pipeline that is a transaction.
    Atomic,
}

/// The state of the gate, as the keeper sees it.
pub(super) struct Sight {
    pub term: Term,
    pub open: bool,
    pub reset: bool,
    pub ended: bool,
}

impl Gate {
    pub fn new(platform: Platform, term: Term) -> Arc<Self> {
        Arc::new(Self {
            platform,
            state: Mutex::new(GateState {
                session: Session::default(),
                term,
                in_flight: 0,
                in_doubt: false,
                held: false,
                wanted: false,
                reset: false,
                ended: None,
                driver: None,
            }),
            released: Notify::new(),
            news: Notify::new(),
        })
    }

    pub fn platform(&self) -> &Platform {
        &self.platform
    }

    fn lock(&self) -> MutexGuard<'_, GateState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes over the task that moves the bytes; it ends with the connection.
    pub fn own(&self, driver: TaskHandle) {
        let mut state = self.lock();
        if state.ended.is_none() {
            state.driver = Some(driver);
        }
    }

    /// Waits until the request may be sent. Cancel-safe. Its future is large: on the fast path,
    /// call [`try_enter`](Self::try_enter) first.
    pub async fn enter(&self, request: Request<'_>) -> Result<Entry<'_>, Rejected> {
        loop {
            // Made before the check, so that no release in between is missed.
            let released = self.released.notified();
            if let Some(entry) = self.try_enter(request) {
                return entry;
            }
            released.await;
        }
    }

    /// Lets the request pass if it need not wait.
    pub fn try_enter(&self, request: Request<'_>) -> Option<Result<Entry<'_>, Rejected>> {
        let mut state = self.lock();
        if let Some(ended) = &state.ended {
            return Some(Err(Rejected::Ended(ended.clone())));
        }
        if state.term.is_over(&self.platform) {
            drop(state);
            self.end(Ended::Expired);
            return Some(Err(Rejected::Ended(Ended::Expired)));
        }
        if state.held {
            return None;
        }
        let was_open = state.session.is_open();
        let slice = match request {
            Request::Blocking => {
                let slice = state.term.slice(self.platform.clock.monotonic());
                // Even in a transaction, where nothing blocks: it is about to be given up.
                slice?
            }
            Request::Plain(_) | Request::Atomic => Duration::ZERO,
        };
        let now = || self.platform.clock.monotonic();
        let admission = match request {
            Request::Plain(verbs) => state.session.admit(verbs, now),
            Request::Blocking => state.session.admit(&[Verb::Other], now),
            Request::Atomic => state.session.admit_atomic(),
        };
        let (ticket, instead) = match admission {
            Admission::Refuse(refusal) => return Some(Err(Rejected::Refused(refusal))),
            Admission::Pass(ticket) => (ticket, None),
            Admission::DiscardInstead(refusal) => {
                match state.session.admit(&[Verb::Discard], now) {
                    Admission::Pass(ticket) => (ticket, Some(refusal)),
                    _ => return Some(Err(Rejected::Refused(refusal))),
                }
            }
        };
        state.in_flight += 1;
        if ticket.resets() {
            (state.reset, state.held) = (true, true);
        }
        let in_transaction = state.session.transaction != Transaction::None;
        // The keeper hears of a RESET when its answer is there.
        let changed = was_open != state.session.is_open();
        drop(state);
        if changed {
            self.news.notify_one();
        }
        let pass = Pass {
            gate: self,
            ticket: Some(ticket),
        };
        Some(Ok(Entry {
            pass,
            instead,
            in_transaction,
            slice,
        }))
    }

    fn leave(&self, ticket: &Ticket, replies: Option<&[Value]>) {
        let mut state = self.lock();
        state.in_flight = state.in_flight.saturating_sub(1);
        if replies.is_none() {
            state.in_doubt = true;
        }
        if ticket.is_relevant() {
            state.session.settle(ticket, replies.unwrap_or_default());
        }
        // Directly after EXEC or DISCARD, before the command of another caller.
        if state.wanted && !state.session.is_open() {
            state.held = true;
        }
        let news = state.held && state.in_flight == 0;
        drop(state);
        if news {
            self.news.notify_one();
        }
    }

    /// Ends the connection. The first reason is kept.
    pub fn end(&self, why: Ended) {
        let driver = {
            let mut state = self.lock();
            if state.ended.is_some() {
                return;
            }
            state.ended = Some(why);
            state.driver.take()
        };
        drop(driver);
        self.released.notify_waiters();
        self.news.notify_one();
    }

    /// Returns why the connection has ended; `None` while it has not.
    pub fn ended(&self) -> Option<Ended> {
        self.lock().ended.clone()
    }

    /// Continues the session of the connection before this one. Called before the first command.
    pub fn inherit(&self, session: Session) {
        self.lock().session = session;
    }

    /// Returns the session, for the connection after this one.
    pub fn session(&self) -> Session {
        self.lock().session
    }
}

/// For the keeper of the connection.
impl Gate {
    pub fn sight(&self) -> Sight {
        let state = self.lock();
        Sight {
            term: state.term,
            open: state.session.is_open(),
            reset: state.reset,
            ended: state.ended.is_some(),
        }
    }

    /// Waits for a change of the state. At most one change is remembered.
    pub async fn news(&self) {
        self.news.notified().await;
    }

    /// Holds the gate. While a transaction is open it does so only if `even_open`; otherwise the
    /// gate is held as soon as the transaction ends. Returns whether the gate is held.
    pub fn hold(&self, even_open: bool) -> bool {
        let mut state = self.lock();
        state.wanted = true;
        state.held |= even_open || !state.session.is_open();
        state.held
    }

    /// Waits until no request is under way. The gate must be held.
    pub async fn drained(&self) {
        loop {
            let idle = {
                let state = self.lock();
                state.in_flight == 0 || state.ended.is_some()
            };
            if idle {
                return;
            }
            self.news.notified().await;
        }
    }

    /// Returns whether a dropped request may still be under way, and the state of the transaction.
    pub fn doubts(&self) -> (bool, Transaction) {
        let state = self.lock();
        (state.in_doubt, state.session.transaction)
    }

    /// Records that no dropped request is under way any more, and the state of the transaction.
    pub fn resolved(&self, transaction: Transaction) {
        let mut state = self.lock();
        state.in_doubt = false;
        state.session.transaction = transaction;
    }

    /// Records that the connection runs on another token.
    pub fn renewed(&self, term: Term) {
        let mut state = self.lock();
        state.term = term;
        state.reset = false;
    }

    /// Lets commands pass again.
    pub fn release(&self) {
        let mut state = self.lock();
        (state.held, state.wanted) = (false, false);
        drop(state);
        self.released.notify_waiters();
    }
}

/// One request under way. Dropping it without an answer marks the connection as in doubt.
pub(super) struct Pass<'a> {
    gate: &'a Gate,
    ticket: Option<Ticket>,
}

impl Pass<'_> {
    /// Records the answer of the request.
    pub fn answered(mut self, replies: &[Value]) {
        if let Some(ticket) = self.ticket.take() {
            self.gate.leave(&ticket, Some(replies));
        }
    }

    /// Records that the request was not sent.
    pub fn unused(self) {
        self.answered(&[]);
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.gate.leave(&ticket, None);
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::{
        AccessToken,
        cache::Life,
        platform::Reading,
        redis::{RedisCredentials, connection::options::ConnectionOptions},
    };

    fn gate() -> Arc<Gate> {
        let platform = Platform::system();
        let ends = platform.clock.now() + SignedDuration::from_hours(24);
        let token = AccessToken::new("t".to_owned(), ends, "Test");
        let life = Life::of(&token, Reading::exact(&*platform.clock)).unwrap();
        let credentials = RedisCredentials::new("user", token, life);
        let term = Term::begin(&platform, &credentials, &ConnectionOptions::default());
        Gate::new(platform, term)
    }

    fn run(gate: &Gate, verb: Verb, reply: Value) {
        let Some(Ok(entry)) = gate.try_enter(Request::Plain(&[verb])) else {
            panic!("{verb:?} has to wait");
        };
        entry.pass.answered(&[reply]);
    }

    fn has_news(gate: &Gate) -> bool {
        let notified = std::pin::pin!(gate.news.notified());
        let waker = std::task::Waker::noop();
        notified
            .poll(&mut std::task::Context::from_waker(waker))
            .is_ready()
    }

    /// PR-34: `AUTH` waits for the end of a transaction, and is then the next.
    #[test]
    fn pr_34_the_gate_is_held_directly_after_the_transaction_that_it_waited_for() {
        let gate = gate();
        run(&gate, Verb::Multi, Value::Okay);
        assert!(has_news(&gate) && !gate.hold(false));
        run(&gate, Verb::Other, Value::SimpleString("QUEUED".to_owned()));
        assert!(!gate.lock().held, "the transaction goes on");
        assert!(!has_news(&gate));
        run(&gate, Verb::Exec, Value::Array(Vec::new()));
        assert!(gate.lock().held && has_news(&gate));
        assert!(gate.try_enter(Request::Plain(&[Verb::Other])).is_none());
        gate.release();
        run(&gate, Verb::Other, Value::Okay);
        assert!(!gate.lock().held, "nothing is wanted any more");
    }

    #[test]
    fn a_request_that_is_dropped_leaves_doubt_and_one_that_was_not_sent_does_not() {
        let gate = gate();
        let enter = || match gate.try_enter(Request::Blocking) {
            Some(Ok(entry)) => entry,
            _ => panic!("it has to wait"),
        };
        enter().pass.unused();
        assert_eq!(gate.doubts(), (false, Transaction::None));
        drop(enter());
        assert_eq!(gate.doubts(), (true, Transaction::None));
        gate.resolved(Transaction::None);
        assert_eq!(gate.doubts(), (false, Transaction::None));
    }
}
