//! Access tokens.

use std::{fmt, sync::Arc};

use jiff::Timestamp;
use zeroize::Zeroizing;

use crate::{Principal, chain::ChainRecord};

/// A bearer token and what is known about it. Cheap to clone. `Debug` never shows the secret, and
/// the memory of the secret is overwritten when the last clone goes.
#[derive(Clone)]
pub struct AccessToken {
    inner: Arc<Inner>,
    /// Beside the rest, so that a chain need not copy the secret to say how it found it.
    chain: Option<Arc<ChainRecord>>,
}

#[derive(Clone)]
struct Inner {
    secret: Zeroizing<String>,
    expires_on: Timestamp,
    refresh_on: Option<Timestamp>,
    answered_by: String,
    principal: Option<Principal>,
}

impl AccessToken {
    /// A token that ends at `expires_on` and was given by the credential called `answered_by`.
    pub fn new(secret: String, expires_on: Timestamp, answered_by: impl Into<String>) -> Self {
        let principal = Principal::of_token(&secret);
        Self {
            inner: Arc::new(Inner {
                secret: Zeroizing::new(secret),
                expires_on,
                refresh_on: None,
                answered_by: answered_by.into(),
                principal,
            }),
            chain: None,
        }
    }

    /// The same token with the moment from which its source wants it renewed.
    #[must_use]
    pub fn with_refresh_on(mut self, at: Option<Timestamp>) -> Self {
        Arc::make_mut(&mut self.inner).refresh_on = at;
        self
    }

    /// The same token with the record of the chain that found it.
    #[must_use]
    pub fn with_chain(mut self, record: Arc<ChainRecord>) -> Self {
        self.chain = Some(record);
        self
    }

    /// The token itself, for the `Authorization` header and nothing else.
    #[inline]
    pub fn secret(&self) -> &str {
        &self.inner.secret
    }

    /// When it ends, by the wall clock of whoever received it.
    pub fn expires_on(&self) -> Timestamp {
        self.inner.expires_on
    }

    /// From when on it should be renewed: a caller that keeps its token need not ask again before.
    /// What a cache of this crate hands out always says so, by its source or by its life; `None`
    /// for a token that no cache has seen and whose source said nothing (PR-21).
    pub fn refresh_on(&self) -> Option<Timestamp> {
        self.inner.refresh_on
    }

    /// The credential that gave it, such as `AzureCliCredential`; inside a chain the member, not
    /// the chain.
    pub fn answered_by(&self) -> &str {
        &self.inner.answered_by
    }

    /// As whom the bearer acts, read from the token's claims; `None` for opaque tokens. The
    /// signature is not checked: this is for logs and comparison, never for authorization.
    pub fn principal(&self) -> Option<&Principal> {
        self.inner.principal.as_ref()
    }

    /// How the chain came to it; `None` for a token that no chain gave.
    pub fn chain(&self) -> Option<&Arc<ChainRecord>> {
        self.chain.as_ref()
    }

    /// Whether this is the other, or a clone of it, and not one that equals it.
    #[inline]
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken")
            .field("expires_on", &self.inner.expires_on)
            .field("refresh_on", &self.inner.refresh_on)
            .field("answered_by", &self.inner.answered_by)
            .field("principal", &self.inner.principal)
            .finish_non_exhaustive()
    }
}

impl PartialEq for AccessToken {
    fn eq(&self, other: &Self) -> bool {
        self.inner.secret == other.inner.secret && self.inner.expires_on == other.inner.expires_on
    }
}
impl Eq for AccessToken {}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(secret: String) -> AccessToken {
        AccessToken::new(secret, Timestamp::UNIX_EPOCH, "Test")
    }

    #[test]
    fn what_is_added_to_a_token_changes_no_other() {
        let plain = token("secret".to_owned());
        let added = plain.clone().with_refresh_on(Some(Timestamp::UNIX_EPOCH));
        assert_eq!((plain.refresh_on(), added.secret()), (None, "secret"));
        assert!(added.refresh_on().is_some());
        assert!(!format!("{added:?}").contains("secret"));
    }
}
