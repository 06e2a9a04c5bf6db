//! What the provider and the connections tell about themselves.

use std::{fmt, sync::Arc, time::Duration};

use jiff::Timestamp;

use crate::Error;

/// Is told what happens to the token and to the connections. Called synchronously, so it must not
/// block.
pub trait RedisObserver: Send + Sync + 'static {
    /// Something has happened. Default: nothing is done about it.
    fn event(&self, event: &RedisEvent) {
        let _ = event;
    }
}

/// What happened. Holds no secret.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RedisEvent {
    /// There is a new token.
    Refreshed {
        /// The user name that it stands for.
        user: String,
        /// When it ends.
        expires_on: Timestamp,
    },
    /// A request brought nothing newer than what is there, which is no failure (PR-25).
    SameToken {
        /// When the next request is sent, by the wall clock as it stands.
        next_try: Timestamp,
    },
    /// A request failed and is repeated.
    Retrying {
        /// How many requests in a row have failed.
        attempt: u32,
        /// The wait before the next one.
        wait: Duration,
        /// Why it failed.
        error: Error,
    },
    /// The attempts are used up, or no attempt can help soon. Requests go on at the longest wait;
    /// this is told for each of them that fails.
    Failing {
        /// Why the last one failed.
        error: Error,
        /// When the next request is sent, by the wall clock as it stands.
        next_try: Timestamp,
        /// Until when the token at hand is good; `None` if there is none.
        valid_until: Option<Timestamp>,
    },
    /// Requests succeed again after `Failing`.
    Recovered,
    /// A connection is up and authenticated.
    Connected {
        /// Which one.
        connection: String,
    },
    /// A connection runs on the new token.
    Reauthenticated {
        /// Which one.
        connection: String,
        /// When that token ends.
        expires_on: Timestamp,
    },
    /// The server refused the new token, or did not answer.
    ReauthenticationFailed {
        /// Which connection.
        connection: String,
        /// What the server said.
        error: String,
    },
    /// A transaction was given up, and nothing of it was executed.
    TransactionFailed {
        /// On which connection.
        connection: String,
        /// Why.
        why: String,
    },
    /// A connection was replaced by a new one.
    Replaced {
        /// Which one.
        connection: String,
        /// Why.
        why: String,
        /// From when to when messages may have been lost, if any.
        gap: Option<(Timestamp, Timestamp)>,
    },
    /// The server refuses subscriptions to a connection that was made anew. They are tried again;
    /// the other subscriptions go on.
    SubscriptionRefused {
        /// On which connection.
        connection: String,
        /// The refused channels and patterns.
        names: Vec<String>,
        /// What the server said.
        error: String,
    },
}

impl fmt::Display for RedisEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refreshed { user, expires_on } => {
                write!(f, "a new token for {user}, good until {expires_on}")
            }
            Self::SameToken { next_try } => {
                write!(
                    f,
                    "nothing newer than the token at hand; next try at {next_try}"
                )
            }
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
            } => {
                match valid_until {
                    Some(end) => write!(f, "the token at hand is good until {end}")?,
                    None => f.write_str("there is no token")?,
                }
                write!(
                    f,
                    ", and requests keep failing; next try at {next_try}: {error}"
                )
            }
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
                gap,
            } => {
                write!(f, "{connection} was replaced: {why}")?;
                match gap {
                    Some((from, to)) => write!(f, "; messages between {from} and {to} may be lost"),
                    None => Ok(()),
                }
            }
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

/// Logs `event` and tells `observer` of it.
pub(super) fn tell(observer: Option<&Arc<dyn RedisObserver>>, event: &RedisEvent) {
    let is_bad = match event {
        RedisEvent::Failing { .. }
        | RedisEvent::ReauthenticationFailed { .. }
        | RedisEvent::TransactionFailed { .. }
        | RedisEvent::SubscriptionRefused { .. } => true,
        RedisEvent::Replaced { gap, .. } => gap.is_some(),
        RedisEvent::Refreshed { .. }
        | RedisEvent::SameToken { .. }
        | RedisEvent::Retrying { .. }
        | RedisEvent::Recovered
        | RedisEvent::Connected { .. }
        | RedisEvent::Reauthenticated { .. } => false,
    };
    if is_bad {
        tracing::warn!("redis: {event}");
    } else {
        tracing::info!("redis: {event}");
    }
    if let Some(observer) = observer {
        observer.event(event);
    }
}
