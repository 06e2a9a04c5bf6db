//! Errors of this layer, as errors of the `redis` crate.

use std::{fmt, io, time::Duration};

use redis::{ErrorKind, RedisError};

/// Why a connection has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// The peer or the network has closed it.
    Broken,
    /// Its token has ended, and there is no newer one that the server accepts.
    Expired,
    /// This layer got no answer to a command of its own.
    Unresponsive(&'static str),
    /// An answer cannot belong to a command of this layer.
    Desynchronised(&'static str),
    /// Its owner has dropped it.
    Dropped,
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken => f.write_str("the connection to Redis broke"),
            Self::Expired => f.write_str(
                "the token of the connection to Redis has ended and there is no newer one that \
                 the server accepts, so the connection was closed",
            ),
            Self::Unresponsive(what) => write!(
                f,
                "Redis did not answer {what} in time, so the connection was closed"
            ),
            Self::Desynchronised(what) => write!(
                f,
                "Redis answered {what} with something else, so the connection was closed before \
                 answers could go to the wrong callers"
            ),
            Self::Dropped => f.write_str("the connection to Redis was closed by its owner"),
        }
    }
}

impl From<&Ended> for RedisError {
    /// Returns an error that every layer of the `redis` crate takes for a lost connection.
    fn from(ended: &Ended) -> Self {
        io::Error::new(io::ErrorKind::ConnectionAborted, ended.to_string()).into()
    }
}

/// Returns the error of a command without an answer in time; it may have been executed.
pub(super) fn no_response(limit: Duration) -> RedisError {
    let text = format!(
        "Redis did not answer within {} s; the command may have been executed",
        limit.as_secs_f64()
    );
    io::Error::new(io::ErrorKind::TimedOut, text).into()
}

/// Returns the error of an attempt to connect that took too long.
pub(super) fn no_connection(limit: Duration) -> RedisError {
    let text = format!("no connection to Redis within {} s", limit.as_secs_f64());
    io::Error::new(io::ErrorKind::TimedOut, text).into()
}

/// Returns the error of an attempt to connect without credentials.
pub(super) fn no_credentials(error: &crate::Error) -> RedisError {
    RedisError::from((
        ErrorKind::AuthenticationFailed,
        "there is no token for Redis",
        error.to_string(),
    ))
}
