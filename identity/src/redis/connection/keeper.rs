//! Keeps one connection authenticated.

use std::{sync::Arc, time::Duration};

use redis::{Cmd, RedisResult, Value, aio::MultiplexedConnection, cmd};

use super::{
    error::Ended,
    gate::{Gate, Sight},
    options::ConnectionOptions,
    reauthentication::Reauthentication,
    refusal::Refusal,
    schedule::Term,
    tokens::Tokens,
    transaction::Transaction,
};
use crate::{Platform, redis::RedisEvent};

/// The interval at which an idle connection checks the wall clock, which may have been set.
const LOOK: Duration = Duration::from_secs(60);

/// The task of one connection: it sends each new token in time, discards a transaction that would
/// outlast its token, and ends the connection with its token.
pub(super) struct Keeper {
    gate: Arc<Gate>,
    inner: MultiplexedConnection,
    platform: Platform,
    options: ConnectionOptions,
    /// How events call the connection.
    connection: String,
    reauthentication: Reauthentication,
}

/// The state of the connection after a command of this layer.
enum Asked {
    Fine,
    /// It is over.
    Ended,
}

impl Keeper {
    pub fn new(
        gate: Arc<Gate>,
        inner: MultiplexedConnection,
        platform: Platform,
        options: ConnectionOptions,
        connection: String,
        reauthentication: Reauthentication,
    ) -> Self {
        Self {
            gate,
            inner,
            platform,
            options,
            connection,
            reauthentication,
        }
    }

    /// Runs until the connection ends.
    pub async fn run(mut self, tokens: &mut Tokens) {
        tokens.need_no_other();
        loop {
            let now = self.now();
            let Sight {
                term,
                open,
                reset,
                ended,
            } = self.gate.sight();
            if ended {
                return;
            }
            if term.is_over(&self.platform) {
                self.gate.end(Ended::Expired);
                return;
            }
            if open && now >= term.close_down() {
                self.give_up_transaction(term, tokens).await;
                continue;
            }
            let due = self.reauthentication.due();
            // If a RESET was refused, the transaction around it is still open, and `hold` waits for
            // it.
            let is_due = reset || due.is_some_and(|at| now >= at);
            if is_due && self.gate.hold(false) {
                self.reauthenticate(term, tokens).await;
                continue;
            }
            let mut wake = term.end().min(now + LOOK);
            if open {
                wake = wake.min(term.close_down());
            }
            if let Some(at) = due.filter(|_| !is_due) {
                wake = wake.min(at);
            }
            let sleep = self.platform.clock.sleep(wake.saturating_sub(now));
            tokio::select! { biased;
                () = self.gate.news() => {}
                token = tokens.news() => {
                    if let Some(token) = token {
                        self.reauthentication.offer(token);
                    }
                }
                () = sleep => {}
            }
        }
    }

    fn now(&self) -> Duration {
        self.platform.clock.monotonic()
    }

    /// Discards an open transaction before the token ends, and sends `AUTH` if there is a newer
    /// token.
    async fn give_up_transaction(&mut self, term: Term, tokens: &mut Tokens) {
        self.gate.hold(true);
        if !self.drained(term).await {
            return;
        }
        if let Asked::Ended = self.discard(Transaction::GivenUp(Refusal::Expiring)).await {
            return;
        }
        match self.reauthentication.due() {
            Some(_) => self.reauthenticate(term, tokens).await,
            None => self.gate.release(),
        }
    }

    /// Waits until no request is under way on the held gate, at most until the token ends. Returns
    /// whether the connection is still alive.
    async fn drained(&mut self, term: Term) -> bool {
        let left = term.end().saturating_sub(self.now());
        let drained = self.platform.within(left, self.gate.drained());
        if drained.await.is_none() {
            self.gate.end(Ended::Expired);
        }
        self.gate.ended().is_none()
    }

    /// Discards a transaction that is or may be open. `open` is the state after an open one.
    async fn discard(&mut self, open: Transaction) -> Asked {
        let (_, before) = self.gate.doubts();
        if !matches!(
            before,
            Transaction::Open | Transaction::Opening | Transaction::Uncertain
        ) {
            return Asked::Fine;
        }
        match self.ask(&cmd("DISCARD"), "DISCARD").await {
            None => Asked::Ended,
            Some(Value::Okay) => {
                let resolution = match before {
                    Transaction::Open => open,
                    // Its caller has not learnt that it was open.
                    _ => Transaction::None,
                };
                self.gate.resolved(resolution);
                self.reauthentication.notify(RedisEvent::TransactionFailed {
                    connection: self.connection.clone(),
                    why: "it was discarded before its end because of the token".to_owned(),
                });
                Asked::Fine
            }
            Some(Value::ServerError(_)) => {
                self.gate.resolved(Transaction::None);
                Asked::Fine
            }
            Some(_) => {
                self.gate.end(Ended::Desynchronised("DISCARD"));
                Asked::Ended
            }
        }
    }

    /// Makes sure that no dropped request is still under way.
    async fn settle(&mut self) -> Asked {
        let (in_doubt, transaction) = self.gate.doubts();
        if transaction == Transaction::Uncertain {
            return self.discard(Transaction::None).await;
        }
        if !in_doubt {
            return Asked::Fine;
        }
        match self.ask(&cmd("PING"), "PING").await {
            None => Asked::Ended,
            Some(Value::SimpleString(pong)) if pong == "PONG" => {
                self.gate.resolved(transaction);
                Asked::Fine
            }
            // After RESET, or for an identity that may not send PING.
            Some(Value::ServerError(error)) if matches!(error.code(), "NOAUTH" | "NOPERM") => {
                self.gate.resolved(transaction);
                Asked::Fine
            }
            Some(_) => {
                self.gate.end(Ended::Desynchronised("PING"));
                Asked::Ended
            }
        }
    }

    /// Sends the next token on the held gate.
    async fn reauthenticate(&mut self, term: Term, tokens: &mut Tokens) {
        if !self.drained(term).await {
            return;
        }
        if self.gate.sight().open {
            // EXEC was refused for its form; the caller may send it again.
            self.gate.release();
            return;
        }
        if let Asked::Ended = self.settle().await {
            return;
        }
        let auth = self.reauthentication.authenticate();
        match self.ask(&auth.command, "AUTH").await {
            None => {}
            Some(Value::Okay) => {
                self.gate.renewed(auth.term);
                self.gate.release();
                self.reauthentication.accepted(auth.credentials, auth.term);
            }
            Some(Value::ServerError(error)) => {
                let error = error.to_string();
                let wants_another = self.reauthentication.refused(&auth.credentials, &error);
                if self.gate.sight().reset {
                    // The caller has dropped the old token.
                    self.gate.end(Ended::Expired);
                    return;
                }
                self.gate.release();
                if wants_another {
                    tokens.ask_for_another();
                }
            }
            Some(_) => {
                self.reauthentication
                    .report("the answer was neither OK nor an error");
                self.gate.end(Ended::Desynchronised("AUTH"));
            }
        }
    }

    /// Sends a command of this layer on the held gate. Returns `None` when the connection is over.
    async fn ask(&mut self, cmd: &Cmd, what: &'static str) -> Option<Value> {
        let limit = self.options.auth_timeout;
        let sent = self.inner.send_packed_command(cmd);
        let reply: Option<RedisResult<Value>> = self.platform.within(limit, sent).await;
        match reply {
            Some(Ok(value)) => return Some(value),
            Some(Err(_)) => {
                if what == "AUTH" {
                    self.reauthentication.report("the connection broke");
                }
                self.gate.end(Ended::Broken);
            }
            None => {
                if what == "AUTH" {
                    self.reauthentication.report("there was no answer in time");
                }
                self.gate.end(Ended::Unresponsive(what));
            }
        }
        None
    }
}
