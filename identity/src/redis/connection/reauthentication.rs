//! Re-authentication of one connection: what connections and subscribers have in common.

use std::time::Duration;

use redis::{Cmd, cmd};

use super::{
    options::ConnectionOptions,
    schedule::Term,
    transition::{Due, Event, State},
};
use crate::redis::{EntraIdCredentialsProvider, RedisCredentials, RedisEvent, observer::notify};

/// Decides when a connection sends which token, and reports the outcome. It sends nothing
/// itself: a connection sends `AUTH` while nothing else travels, a RESP3 subscriber sends `AUTH` in
/// place, and a RESP2 subscriber makes a new connection. See [`State::on`] for the transitions.
pub(super) struct Reauthentication {
    provider: EntraIdCredentialsProvider,
    options: ConnectionOptions,
    /// How events call the connection.
    connection: String,
    /// The token that the server has accepted last.
    current: RedisCredentials,
    /// The time for which the connection may run on `current`.
    term: Term,
    state: State<RedisCredentials>,
}

/// One `AUTH` that is to be sent.
pub(super) struct Auth {
    pub command: Cmd,
    pub credentials: RedisCredentials,
    /// The term of the connection if the server accepts it. Measured before the command is sent, so
    /// it is never longer than the token.
    pub term: Term,
}

impl Reauthentication {
    /// For a connection that has just signed in with `current`.
    pub fn new(
        provider: EntraIdCredentialsProvider,
        options: ConnectionOptions,
        connection: String,
        current: RedisCredentials,
        term: Term,
    ) -> Self {
        Self {
            provider,
            options,
            connection,
            current,
            term,
            state: State::Settled,
        }
    }

    /// The time for which the connection may run on the token that was accepted last.
    pub fn term(&self) -> Term {
        self.term
    }

    /// When the next token is to be sent, by the monotonic clock. `None` while none is known.
    pub fn due(&self) -> Option<Duration> {
        self.state.due()
    }

    /// The token that is to be sent next, if one is known.
    pub fn next(&self) -> Option<&RedisCredentials> {
        self.state.next()
    }

    /// Takes note of credentials that may be new.
    pub fn offer(&mut self, token: RedisCredentials) {
        if token == self.current {
            return;
        }
        let at = match self.state.places(&token) {
            true => self.place(self.term),
            false => self.now(),
        };
        self.on(Event::Offered(Due { token, at }));
    }

    /// Begins an attempt with `AUTH` and the newest token that there is.
    pub fn authenticate(&mut self) -> Auth {
        let newest = self.provider.current();
        let credentials = newest.unwrap_or_else(|| self.current.clone());
        let term = Term::begin(self.provider.platform(), &credentials, &self.options);
        let mut command = cmd("AUTH");
        command
            .arg(credentials.user_name())
            .arg(credentials.password());
        self.sent(credentials.clone());
        Auth {
            command,
            credentials,
            term,
        }
    }

    /// Begins an attempt with a new connection, which is to sign in with `token`.
    pub fn sent(&mut self, token: RedisCredentials) {
        self.on(Event::Sent(token));
    }

    /// The server has accepted `token`, and the connection may run on it for `term`.
    pub fn accepted(&mut self, token: RedisCredentials, term: Term) {
        self.notify(RedisEvent::Reauthenticated {
            connection: self.connection.clone(),
            expires_on: token.expires_on(),
        });
        self.current = token.clone();
        self.term = term;
        // Only a token that came meanwhile needs a place.
        let at = match self.state.has_newer_than(&token) {
            true => self.place(term),
            false => self.now(),
        };
        self.on(Event::Accepted(Due { token, at }));
    }

    /// The server has refused `token` with `error`. Returns whether the provider should be asked
    /// for another one.
    #[must_use]
    pub fn refused(&mut self, token: &RedisCredentials, error: &str) -> bool {
        self.report(&token.veil(error));
        self.on(Event::Refused);
        self.state.wants_another()
    }

    /// The attempt did not get through, and another one follows.
    pub fn failed(&mut self, error: &str) {
        self.report(error);
        self.on(Event::Failed);
    }

    /// Reports that an attempt has failed for good: the connection is over.
    pub fn report(&self, error: &str) {
        self.notify(RedisEvent::ReauthenticationFailed {
            connection: self.connection.clone(),
            error: error.to_owned(),
        });
    }

    /// Notifies the observer of the provider.
    pub fn notify(&self, event: RedisEvent) {
        notify(self.provider.observer(), &event);
    }

    fn now(&self) -> Duration {
        self.provider.platform().clock.monotonic()
    }

    /// When to send a token that has just come, on a connection with this term.
    fn place(&self, term: Term) -> Duration {
        let unit = (self.provider.platform().random).unit("redis/reauthentication");
        term.place(self.now(), &self.options, unit)
    }

    fn on(&mut self, event: Event<RedisCredentials>) {
        let now = self.now();
        let state = std::mem::replace(&mut self.state, State::Settled);
        self.state = state.on(event, now);
    }
}
