//! Failures of requests.

use redis::RedisError;

use super::{gate::Rejected, refusal::Refusal};

/// Why a request brought no answer.
pub(super) enum Failure {
    /// The connection had ended, so nothing was sent.
    NotSent,
    Error(RedisError),
}

impl From<RedisError> for Failure {
    fn from(error: RedisError) -> Self {
        Self::Error(error)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Error(refusal.into())
    }
}

impl From<Rejected> for Failure {
    fn from(rejected: Rejected) -> Self {
        match rejected {
            Rejected::Ended(_) => Self::NotSent,
            Rejected::Refused(refusal) => refusal.into(),
        }
    }
}
