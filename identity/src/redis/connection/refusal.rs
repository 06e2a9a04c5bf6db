//! Why a command of a transaction is refused.

use redis::{ErrorKind, RedisError};

/// Why a command of a transaction is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The layer discarded it, because the token was about to end.
    Expiring,
    /// The connection ended inside it.
    Replaced,
    /// The connection ended after `WATCH`.
    WatchLost,
}

impl From<Refusal> for RedisError {
    fn from(refusal: Refusal) -> Self {
        let text = match refusal {
            Refusal::Expiring => {
                "the transaction was discarded before its end because the token was about to \
                 expire; nothing of it was executed: run it again"
            }
            Refusal::Replaced => {
                "the connection was replaced inside the transaction; nothing of it was executed: \
                 run it again"
            }
            Refusal::WatchLost => {
                "the connection was replaced since WATCH, so the watched keys \
                 may have changed; the transaction was not executed: run it again from WATCH"
            }
        };
        Self::from((ErrorKind::Client, "transaction given up", text.to_owned()))
    }
}
