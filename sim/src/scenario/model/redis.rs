//! Redis with Entra ID: the simulated server, and what is expected of its clients.

use schemars::JsonSchema;
use serde::Deserialize;

pub use crate::service::redis::{Redis, RedisError, RedisMatch, RedisVersion};

/// Why a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RedisEnd {
    /// Its token ended, and the server closed it.
    Expired,
    /// The client closed it.
    Client,
    /// The server closed it for another reason: QUIT, a protocol error, too many clients.
    Server,
    /// The timeline broke it.
    Broken,
}

/// What a client can report about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RedisReport {
    /// It has a new token.
    Refreshed,
    /// It asked for a fresh token and got the one that it has.
    SameToken,
    /// A token request failed and will be tried again.
    Retrying,
    /// The attempts are used up; it goes on trying slowly.
    Failing,
    /// It has a token again.
    Recovered,
    /// A connection was made.
    Connected,
    /// A connection has signed in with the new token.
    Reauthenticated,
    /// A connection could not sign in with the new token.
    ReauthenticationFailed,
    /// A transaction was ended before the server could tear it.
    TransactionFailed,
    /// A connection was replaced by another one.
    Replaced,
}
