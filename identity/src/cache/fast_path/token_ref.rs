//! A published token, and a reference to it.

use std::{fmt, sync::Arc};

use arc_swap::Guard;
use jiff::Timestamp;

use crate::{AccessToken, Principal, cache::policy::Terms, chain::ChainRecord};

/// A token as a cache or a chain publishes it.
pub(crate) struct Lent {
    pub(crate) token: AccessToken,
    pub(crate) terms: Terms,
    /// The number of the member that answered, in a chain.
    pub(crate) member: usize,
}

impl Lent {
    pub(super) fn nothing() -> Self {
        Self::own(AccessToken::new(String::new(), Timestamp::UNIX_EPOCH, ""))
    }

    fn own(token: AccessToken) -> Self {
        Self {
            token,
            terms: Terms::NOTHING,
            member: usize::MAX,
        }
    }
}

/// An access token lent by a cache, as [`token`](crate::TokenCredentialExt::token) returns it. A
/// task that keeps the token for long should hold an [`AccessToken`] instead.
// Two words, one of them never zero: it travels in registers, and so does an `Option` of it.
pub struct TokenRef(Guard<Arc<Lent>>);

impl TokenRef {
    #[inline]
    pub(super) fn lent(lent: Guard<Arc<Lent>>) -> Self {
        Self(lent)
    }

    /// Returns whether this is the same token, not only an equal one.
    #[inline]
    pub(super) fn is_that_of(&self, lent: &Lent) -> bool {
        self.0.token.is_same(&lent.token)
    }

    /// Returns the token itself, for the `Authorization` header and nothing else.
    #[inline]
    pub fn secret(&self) -> &str {
        self.0.token.secret()
    }

    /// See [`AccessToken::expires_on`].
    pub fn expires_on(&self) -> Timestamp {
        self.0.token.expires_on()
    }

    /// See [`AccessToken::refresh_on`].
    pub fn refresh_on(&self) -> Option<Timestamp> {
        self.0.token.refresh_on()
    }

    /// See [`AccessToken::answered_by`].
    pub fn answered_by(&self) -> &str {
        self.0.token.answered_by()
    }

    /// See [`AccessToken::principal`].
    pub fn principal(&self) -> Option<&Principal> {
        self.0.token.principal()
    }

    /// See [`AccessToken::chain`].
    pub fn chain(&self) -> Option<&Arc<ChainRecord>> {
        self.0.token.chain()
    }

    /// Returns an owned token.
    pub fn into_token(self) -> AccessToken {
        self.0.token.clone()
    }
}

impl From<AccessToken> for TokenRef {
    fn from(token: AccessToken) -> Self {
        Self(Guard::from_inner(Arc::new(Lent::own(token))))
    }
}

impl From<TokenRef> for AccessToken {
    fn from(token: TokenRef) -> Self {
        token.into_token()
    }
}

impl fmt::Debug for TokenRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.token.fmt(f)
    }
}
