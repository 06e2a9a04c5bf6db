//! Events of the provider and of the connections.

use std::{fmt, time::Duration};

use jiff::Timestamp;

use crate::Error;

/// An event in the life of a token or of a connection. Holds no secret.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RedisEvent {
    /// A new token was received.
    Refreshed {
        /// The user name in the token.
        user: String,
        /// When the token ends, by the wall clock.
        expires_on: Timestamp,
    },
    /// A request brought no newer token than the current one, which is not a failure (PR-25).
    SameToken {
        /// When the next request is sent, by the wall clock.
        next_try: Timestamp,
    },
    /// A request failed and is repeated.
    Retrying {
        /// Number of failed requests in a row.
        attempt: u32,
        /// The wait before the next request.
        wait: Duration,
        /// The error of the request.
        error: Error,
    },
    /// The attempts are used up, or the failure is not retryable. Requests continue at the longest
    /// wait; each one that fails causes this event again.
    Failing {
        /// The error of the last request.
        error: Error,
        /// When the next request is sent, by the wall clock.
        next_try: Timestamp,
        /// When the current token ends; `None` if there is no valid one.
        valid_until: Option<Timestamp>,
    },
    /// Requests succeed again after `Failing`.
    Recovered,
    /// A connection was made and authenticated.
    Connected {
        /// The name of the connection.
        connection: String,
    },
    /// A connection was re-authenticated with a new token.
    Reauthenticated {
        /// The name of the connection.
        connection: String,
        /// When that token ends, by the wall clock.
        expires_on: Timestamp,
    },
    /// The server refused the new token, or did not answer.
    ReauthenticationFailed {
        /// The name of the connection.
        connection: String,
        /// The error of the server, or why there was no valid answer.
        error: String,
    },
    /// A transaction was discarded, and none of its commands was executed.
    TransactionFailed {
        /// The name of the connection.
        connection: String,
        /// The reason.
        why: String,
    },
    /// A connection was replaced by a new one.
    Replaced {
        /// The name of the connection.
        connection: String,
        /// The reason.
        why: String,
        /// The time in which messages may have been lost, by the wall clock; `None` if none were.
        gap: Option<(Timestamp, Timestamp)>,
    },
    /// The server refuses subscriptions to a connection that was made anew. They are tried again;
    /// the other subscriptions are unaffected.
    SubscriptionRefused {
        /// The name of the connection.
        connection: String,
        /// The refused channels and patterns.
        names: Vec<String>,
        /// The error of the server.
        error: String,
    },
}

impl fmt::Display for RedisEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refreshed { user, expires_on } => {
                write!(f, "a new token for {user}, good until {expires_on}")
            }
            Self::SameToken { next_try } => write!(
                f,
                "nothing newer than the token at hand; next try at {next_try}"
            ),
            Self::Retrying {
                attempt,
                wait,
                error,
            } => write!(
                f,
                "token request {attempt} failed, the next one follows in {} s: {error}",
                wait.as_secs_f64()
            ),
            Self::Failing {
                error,
                next_try,
                valid_until,
            } => fmt_failing(f, error, *next_try, *valid_until),
            Self::Recovered => f.write_str("token requests succeed again"),
            Self::Connected { connection } => write!(f, "{connection} is connected"),
            Self::Reauthenticated {
                connection,
                expires_on,
            } => write!(
                f,
                "{connection} runs on the token that ends at {expires_on}"
            ),
            Self::ReauthenticationFailed { connection, error } => {
                write!(f, "{connection} was not re-authenticated: {error}")
            }
            Self::TransactionFailed { connection, why } => {
                write!(f, "a transaction on {connection} was given up: {why}")
            }
            Self::Replaced {
                connection,
                why,
                gap: None,
            } => write!(f, "{connection} was replaced: {why}"),
            Self::Replaced {
                connection,
                why,
                gap: Some((from, to)),
            } => write!(
                f,
                "{connection} was replaced: {why}; messages between {from} and {to} may be lost"
            ),
            Self::SubscriptionRefused {
                connection,
                names,
                error,
            } => {
                let names = names.join(", ");
                write!(
                    f,
                    "{connection} may no longer subscribe to {names}: {error}"
                )
            }
        }
    }
}

fn fmt_failing(
    f: &mut fmt::Formatter<'_>,
    error: &Error,
    next_try: Timestamp,
    valid_until: Option<Timestamp>,
) -> fmt::Result {
    match valid_until {
        Some(end) => write!(f, "the token at hand is good until {end}")?,
        None => f.write_str("there is no token")?,
    }
    write!(
        f,
        ", and requests keep failing; next try at {next_try}: {error}"
    )
}
