//! The connection of a manager, or its absence.

use redis::RedisError;

use super::EntraConnection;

/// The connection of a manager, or its absence.
#[derive(Clone)]
pub(super) enum Availability {
    /// A connection, which may have ended since.
    Up(EntraConnection),
    /// No connection, and the last error.
    Down(Option<RedisError>),
}

impl Availability {
    /// Returns the connection unless it has ended.
    pub fn alive(&self) -> Option<&EntraConnection> {
        match self {
            Self::Up(connection) if connection.gate().ended().is_none() => Some(connection),
            Self::Up(_) | Self::Down(_) => None,
        }
    }
}
