//! What every command passes on its way to the connection.
//!
//! Open, it costs one short lock. Held, it lets what is under way come to its end and keeps new
//! commands back, so that `AUTH` travels alone: behind other commands some servers leave a refused
//! `AUTH` without an answer, and every later answer goes to the wrong caller (RA-09).

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use redis::{RedisError, Value};
use tokio::sync::Notify;

use super::{
    command::Verb,
    error::Ended,
    schedule::Term,
    session::{Admission, Refusal, Session, Ticket, Transaction},
};
use crate::{Platform, platform::TaskHandle};

pub(super) struct Gate {
    platform: Platform,
    state: Mutex<State>,
    /// Commands wait here while the gate is held.
    released: Notify,
    /// The keeper of the connection waits here.
    news: Notify,
}

struct State {
    session: Session,
    term: Term,
    in_flight: usize,
    /// A request was given up by its caller, so nobody knows whether it is still under way.
    in_doubt: bool,
    held: bool,
    /// A new token is due: the gate is held as soon as no transaction is open.
    wanted: bool,
    /// The caller dropped the authentication (`RESET`).
    reset: bool,
    ended: Option<Ended>,
    driver: Option<TaskHandle>,
}

/// A request that may be sent.
pub(super) struct Entry<'a> {
    pub pass: Pass<'a>,
    /// `DISCARD` must be sent in place of the request, which then fails with this.
    pub instead: Option<Refusal>,
    /// Inside a transaction nothing blocks.
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

/// What a request is, as far as the gate is concerned.
#[derive(Clone, Copy)]
pub(super) enum Request<'a> {
    /// A command, or the commands of a plain pipeline.
    Plain(&'a [Verb]),
    /// A command that blocks. It also waits while the token is about to end.
    Blocking,
    /// A pipeline that is a transaction.
    Atomic,
}

/// What the keeper finds when it looks.
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
            state: Mutex::new(State {
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

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the gate the task that moves the bytes. It ends with the connection.
    pub fn own(&self, driver: TaskHandle) {
        let mut state = self.lock();
        if state.ended.is_none() {
            state.driver = Some(driver);
        }
    }

    /// Waits until the request may be sent. Dropping the future harms nothing.
    pub async fn enter(&self, request: Request<'_>) -> Result<Entry<'_>, Rejected> {
        match self.try_enter(request) {
            Some(entry) => entry,
            // Rare, and boxed so that the future of every command stays small.
            None => Box::pin(self.wait(request)).await,
        }
    }

    async fn wait(&self, request: Request<'_>) -> Result<Entry<'_>, Rejected> {
        loop {
            // Made before the look, so that no release in between is missed.
            let released = self.released.notified();
            if let Some(entry) = self.try_enter(request) {
                return entry;
            }
            released.await;
        }
    }

    fn try_enter(&self, request: Request<'_>) -> Option<Result<Entry<'_>, Rejected>> {
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
                if slice.is_none() && !was_open {
                    return None;
                }
                slice.unwrap_or_default()
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
        let changed = was_open != state.session.is_open() || state.reset;
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
        let was_open = state.session.is_open();
        if ticket.is_relevant() {
            state.session.settle(ticket, replies.unwrap_or_default());
        }
        // Right behind EXEC or DISCARD, before anybody else's command.
        if state.wanted && !state.session.is_open() {
            state.held = true;
        }
        let news = (state.held && state.in_flight == 0) || was_open != state.session.is_open();
        drop(state);
        if news {
            self.news.notify_one();
        }
    }

    /// Ends the connection; the first reason counts.
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

    /// Why the connection has ended; `None` while it has not.
    pub fn ended(&self) -> Option<Ended> {
        self.lock().ended.clone()
    }

    /// Goes on with the session that another connection has left behind. Before anybody enters.
    pub fn inherit(&self, session: Session) {
        self.lock().session = session;
    }

    /// The session as the connection leaves it behind.
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

    /// Completes when a look is worth it. At most one such event is remembered.
    pub async fn news(&self) {
        self.news.notified().await;
    }

    /// Holds the gate; while a transaction is open only if `even_open`, else as soon as it is
    /// over. Tells whether the gate is held.
    pub fn hold(&self, even_open: bool) -> bool {
        let mut state = self.lock();
        state.wanted = true;
        state.held |= even_open || !state.session.is_open();
        state.held
    }

    /// Waits until nothing is under way. The gate must be held.
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

    /// Whether something that a caller gave up may still be under way, and the transaction.
    pub fn doubts(&self) -> (bool, Transaction) {
        let state = self.lock();
        (state.in_doubt, state.session.transaction)
    }

    /// Nothing is under way any more, and the transaction is this.
    pub fn resolved(&self, transaction: Transaction) {
        let mut state = self.lock();
        state.in_doubt = false;
        state.session.transaction = transaction;
    }

    /// The connection runs on another token.
    pub fn renewed(&self, term: Term) {
        let mut state = self.lock();
        state.term = term;
        state.reset = false;
    }

    /// Lets commands through again.
    pub fn release(&self) {
        let mut state = self.lock();
        (state.held, state.wanted) = (false, false);
        drop(state);
        self.released.notify_waiters();
    }
}

/// Stands for one request under way. Dropped without an answer it leaves a doubt.
pub(super) struct Pass<'a> {
    gate: &'a Gate,
    ticket: Option<Ticket>,
}

impl Pass<'_> {
    /// The request was answered.
    pub fn answered(mut self, replies: &[Value]) {
        if let Some(ticket) = self.ticket.take() {
            self.gate.leave(&ticket, Some(replies));
        }
    }

    /// The request was never sent.
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
