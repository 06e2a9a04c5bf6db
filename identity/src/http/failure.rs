//! The reason why a request has no answer.

use std::{fmt, time::Duration};

use crate::platform::{TransportError, TransportErrorKind};

/// The reason why the last attempt brought no whole answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// No connection was made, or the exchange broke.
    Transport(TransportError),
    /// The answer was not complete within the limit of the attempt.
    TimedOut {
        /// The limit of the attempt.
        limit: Duration,
    },
}

impl Failure {
    /// Returns whether no connection to the peer was made.
    pub fn is_connect(&self) -> bool {
        matches!(self, Self::Transport(error) if error.kind.is_connect())
    }

    /// Returns whether another attempt may succeed. It cannot if the answer is too large, the
    /// client cannot send the request, or the peer's certificate was refused.
    pub(crate) fn is_retried(&self) -> bool {
        match self {
            Self::TimedOut { .. } => true,
            Self::Transport(error) => !matches!(
                error.kind,
                TransportErrorKind::TooLarge
                    | TransportErrorKind::NoClient
                    | TransportErrorKind::Unsupported
                    | TransportErrorKind::Certificate
            ),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transport(error) => write!(f, "{error}"),
            Self::TimedOut { limit } => write!(f, "no answer within {} s", limit.as_secs_f64()),
        }
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Transport(error) => Some(error),
            Self::TimedOut { .. } => None,
        }
    }
}
