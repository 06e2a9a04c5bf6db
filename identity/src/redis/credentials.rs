//! The user name and password that a connection sends with `AUTH`.

use std::{fmt, sync::Arc, time::Duration};

use jiff::Timestamp;

use crate::{
    AccessToken,
    cache::Life,
    platform::{Clock, Reading},
};

/// A user name and a password for Redis, valid until the token ends. Cheap to clone. `Debug` does
/// not show the token.
#[derive(Clone)]
pub struct RedisCredentials {
    user_name: Arc<str>,
    token: AccessToken,
    pub(super) life: Life,
}

impl RedisCredentials {
    pub(super) fn new(user_name: &str, token: AccessToken, life: Life) -> Self {
        Self {
            user_name: Arc::from(user_name),
            token,
            life,
        }
    }

    /// Returns the object id of the identity, which is the claim `oid` of the token (RD-01).
    pub fn user_name(&self) -> &str {
        &self.user_name
    }

    /// Returns the password, which is the token unchanged (RD-01).
    pub fn password(&self) -> &str {
        self.token.secret()
    }

    /// Returns when the token ends, by the wall clock of the host that received it. The server then
    /// closes the connections that were authenticated with it last (RS-41).
    pub fn expires_on(&self) -> Timestamp {
        self.token.expires_on()
    }

    /// Whether the token has not ended at `now` of the wall clock. The provider also checks the
    /// monotonic clock; see [`remaining`](Self::remaining).
    pub fn is_valid(&self, now: Timestamp) -> bool {
        now < self.expires_on()
    }

    /// Returns how long the token is still valid; zero once it has ended. `clock` is the clock of
    /// the host that received it. The shorter of two times counts: the one by the wall clock, and
    /// the one by the monotonic clock since the receipt, so that neither a wall clock set back nor
    /// a host that slept makes the token last longer (PR-20).
    pub fn remaining(&self, clock: &dyn Clock) -> Duration {
        self.life.left(Reading::exact(clock))
    }

    /// Returns `text` without the token. A server that does not know a command quotes its
    /// arguments, or their beginning (RS-16).
    #[cfg(feature = "redis")]
    pub(super) fn veil(&self, text: &str) -> String {
        const HEAD: usize = 8;
        let token = self.password();
        match text.split_once(token.get(..HEAD).unwrap_or(token)) {
            Some((before, _)) => format!("{before}[the token]"),
            None => text.to_owned(),
        }
    }

    /// Whether the token is valid by both clocks.
    pub(super) fn is_alive(&self, now: Reading) -> bool {
        !self.life.is_over(now)
    }
}

impl PartialEq for RedisCredentials {
    fn eq(&self, other: &Self) -> bool {
        self.user_name == other.user_name && self.token == other.token
    }
}

impl Eq for RedisCredentials {}

impl fmt::Debug for RedisCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisCredentials")
            .field("user_name", &self.user_name)
            .field("expires_on", &self.expires_on())
            .finish_non_exhaustive()
    }
}
