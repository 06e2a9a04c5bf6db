//! Whether a managed connection is there.

use redis::RedisError;

use super::EntraConnection;

/// What a manager has at the moment.
#[derive(Clone)]
pub(super) enum Availability {
    /// A connection, which may have ended since.
    Up(EntraConnection),
    /// No connection, and the last error.
    Down(Option<RedisError>),
}

impl Availability {
    /// The connection, unless it has ended.
    pub fn alive(&self) -> Option<&EntraConnection> {
        match self {
            Self::Up(connection) if connection.gate().ended().is_none() => Some(connection),
            Self::Up(_) | Self::Down(_) => None,
        }
    }
}
