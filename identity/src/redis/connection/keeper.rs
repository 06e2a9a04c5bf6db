//! Keeps one connection authenticated.

use std::{future, sync::Arc, time::Duration};

use redis::{Cmd, RedisResult, Value, aio::MultiplexedConnection, cmd};

use super::{
    error::Ended,
    gate::{Gate, Sight},
    options::ConnectionOptions,
    schedule::{Term, retry_after},
    session::{Refusal, Transaction},
};
use crate::{
    Error,
    platform::BoxFuture,
    redis::{
        CredentialsSubscription, EntraIdCredentialsProvider, RedisCredentials, RedisEvent,
        event::tell,
    },
};

/// How long a stepped wall clock may go unnoticed on an idle connection.
const LOOK: Duration = Duration::from_secs(60);

pub(super) type Renewal = BoxFuture<'static, Result<RedisCredentials, Error>>;

pub(super) struct Keeper {
    gate: Arc<Gate>,
    inner: MultiplexedConnection,
    provider: EntraIdCredentialsProvider,
    options: ConnectionOptions,
    connection: String,
    current: RedisCredentials,
    /// What to send next, and when.
    next: Option<(RedisCredentials, Duration)>,
    /// How many times in a row the server has refused a token.
    refused: u32,
    /// The token that is to be exchanged because the server has refused it.
    unwanted: Option<RedisCredentials>,
    /// A request for another token.
    renewal: Option<Renewal>,
}

/// What the connection can do after the layer has asked the server something.
enum Asked {
    Fine,
    /// It is over.
    Ended,
}

impl Keeper {
    pub fn new(
        gate: Arc<Gate>,
        inner: MultiplexedConnection,
        provider: EntraIdCredentialsProvider,
        options: ConnectionOptions,
        connection: String,
        current: RedisCredentials,
    ) -> Self {
        Self {
            gate,
            inner,
            provider,
            options,
            connection,
            current,
            next: None,
            refused: 0,
            unwanted: None,
            renewal: None,
        }
    }

    /// Runs until the connection ends.
    pub async fn run(mut self, subscription: &mut CredentialsSubscription) {
        let mut subscribed = true;
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
            if term.is_over(self.provider.platform()) {
                self.gate.end(Ended::Expired);
                return;
            }
            if open && now >= term.close_down() {
                self.give_up_transaction(term).await;
                continue;
            }
            // A transaction that is open after a RESET, because that was refused, is waited for, too.
            let due = reset || self.next.as_ref().is_some_and(|(_, at)| now >= *at);
            if due && self.gate.hold(false) {
                self.reauthenticate(term).await;
                continue;
            }
            let mut wake = term.end().min(now + LOOK);
            if open {
                wake = wake.min(term.close_down());
            }
            if let Some((_, at)) = self.next.as_ref().filter(|_| !due) {
                wake = wake.min(*at);
            }
            let sleep = (self.provider.platform().clock).sleep(wake.saturating_sub(now));
            tokio::select! { biased;
                () = self.gate.news() => {}
                change = subscription.next(), if subscribed => match change {
                    Some(Ok(credentials)) => self.plan(credentials, term),
                    // The provider tells of it, and goes on.
                    Some(Err(_)) => {}
                    None => subscribed = false,
                },
                renewed = renewal(&mut self.renewal) => {
                    self.renewal = None;
                    if let Ok(credentials) = renewed {
                        self.plan(credentials, term);
                    }
                }
                () = sleep => {}
            }
        }
    }

    fn now(&self) -> Duration {
        self.provider.platform().clock.monotonic()
    }

    /// Takes note of credentials that may be new.
    fn plan(&mut self, credentials: RedisCredentials, term: Term) {
        let known = self.next.as_ref().map(|(next, _)| next);
        if credentials == self.current || Some(&credentials) == known {
            return;
        }
        let now = self.now();
        // Nobody else waits for this token in the same instant after a refusal.
        let at = match self.refused {
            0 => {
                let random = &self.provider.platform().random;
                term.place(now, &self.options, random.unit("redis/reauthentication"))
            }
            _ => now,
        };
        // What is due stays due.
        let at = self.next.as_ref().map_or(at, |(_, due)| at.min(*due));
        self.next = Some((credentials, at));
    }

    /// Discards an open transaction before the token ends. `AUTH` follows if there is a token.
    async fn give_up_transaction(&mut self, term: Term) {
        self.gate.hold(true);
        if !self.drained(term).await {
            return;
        }
        if let Asked::Ended = self.discard(Transaction::GivenUp(Refusal::Expiring)).await {
            return;
        }
        match self.next {
            Some(_) => self.reauthenticate(term).await,
            None => self.gate.release(),
        }
    }

    /// Waits until nothing is under way on the held gate, at most until the token ends.
    async fn drained(&mut self, term: Term) -> bool {
        let left = term.end().saturating_sub(self.now());
        let drained = self.provider.platform().within(left, self.gate.drained());
        if drained.await.is_none() {
            self.gate.end(Ended::Expired);
        }
        self.gate.ended().is_none()
    }

    /// Ends whatever transaction may be open. `open` is what becomes of one that was.
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
                let told = match before {
                    Transaction::Open => open,
                    // Its caller never learnt that it was open.
                    _ => Transaction::None,
                };
                self.gate.resolved(told);
                self.tell(RedisEvent::TransactionFailed {
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

    /// Makes sure that nothing which a caller gave up is still under way.
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
            // After RESET, or for an identity that may not.
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
    async fn reauthenticate(&mut self, term: Term) {
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
        self.next = None;
        let newest = self.provider.current();
        let credentials = newest.unwrap_or_else(|| self.current.clone());
        // From before it is sent: the term is never longer than the token.
        let begun = Term::begin(self.provider.platform(), &credentials, &self.options);
        let mut auth = cmd("AUTH");
        auth.arg(credentials.user_name())
            .arg(credentials.password());
        match self.ask(&auth, "AUTH").await {
            None => {}
            Some(Value::Okay) => {
                self.gate.renewed(begun);
                self.gate.release();
                self.refused = 0;
                self.renewal = None;
                self.tell(RedisEvent::Reauthenticated {
                    connection: self.connection.clone(),
                    expires_on: credentials.expires_on(),
                });
                self.current = credentials;
            }
            Some(Value::ServerError(error)) => {
                let error = credentials.veil(&error.to_string());
                self.refused(credentials, &error);
            }
            Some(_) => {
                self.failed("the answer was neither OK nor an error");
                self.gate.end(Ended::Desynchronised("AUTH"));
            }
        }
    }

    /// The server goes on with the old token (RS-03).
    fn refused(&mut self, credentials: RedisCredentials, error: &str) {
        self.failed(error);
        if self.gate.sight().reset {
            self.gate.end(Ended::Expired);
            return;
        }
        self.gate.release();
        self.refused = self.refused.saturating_add(1);
        if self.refused == 1 {
            self.unwanted = Some(credentials.clone());
        }
        // Again and again until another one comes: a token that has just come is not exchanged.
        if self.renewal.is_none() && self.unwanted.as_ref() == Some(&credentials) {
            self.renewal = Some(ask_for_another(&self.provider));
        }
        self.next = Some((credentials, self.now() + retry_after(self.refused)));
    }

    fn failed(&self, error: &str) {
        self.tell(RedisEvent::ReauthenticationFailed {
            connection: self.connection.clone(),
            error: error.to_owned(),
        });
    }

    /// Asks the server something on the held gate. `None` when the connection is over.
    async fn ask(&mut self, cmd: &Cmd, what: &'static str) -> Option<Value> {
        let limit = self.options.auth_timeout;
        let sent = self.inner.send_packed_command(cmd);
        let reply: Option<RedisResult<Value>> = self.provider.platform().within(limit, sent).await;
        match reply {
            Some(Ok(value)) => return Some(value),
            Some(Err(_)) => {
                if what == "AUTH" {
                    self.failed("the connection broke");
                }
                self.gate.end(Ended::Broken);
            }
            None => {
                if what == "AUTH" {
                    self.failed("there was no answer in time");
                }
                self.gate.end(Ended::Unresponsive(what));
            }
        }
        None
    }

    fn tell(&self, event: RedisEvent) {
        tell(self.provider.observer(), &event);
    }
}

pub(super) fn ask_for_another(provider: &EntraIdCredentialsProvider) -> Renewal {
    let provider = provider.clone();
    Box::pin(async move { provider.renew().await })
}

/// What comes of a request for another token. Never anything if there is none.
pub(super) async fn renewal(pending: &mut Option<Renewal>) -> Result<RedisCredentials, Error> {
    match pending {
        Some(renewal) => renewal.await,
        None => future::pending().await,
    }
}
