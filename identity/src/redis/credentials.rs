//! What a connection sends with `AUTH`.

use std::{fmt, sync::Arc, time::Duration};

use jiff::Timestamp;

use crate::{
    AccessToken,
    cache::{Life, Moment},
    platform::Clock,
};

/// A user name and a password for Redis, good until the token ends. Cheap to clone. `Debug` shows
/// no token.
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

    /// The object id of the identity: claim `oid` of the token (RD-01).
    pub fn user_name(&self) -> &str {
        &self.user_name
    }

    /// The token as it came, which is the password (RD-01).
    pub fn password(&self) -> &str {
        self.token.secret()
    }

    /// When it ends, by the wall clock of the host that received it. The server closes the
    /// connections that run on it then (RS-41).
    pub fn expires_on(&self) -> Timestamp {
        self.token.expires_on()
    }

    /// Whether it has not ended at `now` of the wall clock. The provider hands out what is valid by
    /// the monotonic clock, too; see [`remaining`](Self::remaining).
    pub fn is_valid(&self, now: Timestamp) -> bool {
        now < self.expires_on()
    }

    /// How long it is still good by both clocks of the host that received it, whose `clock` this
    /// is: by the wall clock, and by the monotonic time since the receipt, so that neither a clock
    /// set back nor a host that slept stretches it (PR-20). Zero once it has ended.
    pub fn remaining(&self, clock: &dyn Clock) -> Duration {
        self.life.left(Moment::of(clock))
    }

    /// `text` without the token. Who does not know a command may repeat its arguments, or the
    /// beginning of them (RS-16).
    #[cfg(feature = "redis")]
    pub(super) fn veil(&self, text: &str) -> String {
        const HEAD: usize = 8;
        let token = self.password();
        match text.split_once(token.get(..HEAD).unwrap_or(token)) {
            Some((before, _)) => format!("{before}[the token]"),
            None => text.to_owned(),
        }
    }

    /// Whether it is valid by both clocks.
    pub(super) fn is_alive(&self, now: Moment) -> bool {
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
