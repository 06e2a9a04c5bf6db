//! Access tokens.

use std::{fmt, sync::Arc};

use jiff::Timestamp;
use zeroize::Zeroizing;

use crate::{Error, ErrorKind, Principal, chain::ChainRecord};

/// A bearer token and what is known about it. Cloning is cheap: clones share the secret, whose
/// memory is overwritten when the last one is dropped. `Debug` never shows the secret.
#[derive(Clone)]
pub struct AccessToken {
    inner: Arc<Inner>,
    /// Outside of `inner`, so that a chain can add it without a copy of the secret.
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
    /// Creates a token that expires at `expires_on` and comes from the credential called
    /// `answered_by`.
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

    /// Sets the time from which the source wants the token to be renewed.
    #[must_use]
    pub fn with_refresh_on(mut self, at: Option<Timestamp>) -> Self {
        Arc::make_mut(&mut self.inner).refresh_on = at;
        self
    }

    /// Sets the record of the chain that returns the token.
    #[must_use]
    pub fn with_chain(mut self, record: Arc<ChainRecord>) -> Self {
        self.chain = Some(record);
        self
    }

    /// Returns the token itself, for the `Authorization` header and nothing else.
    #[inline]
    pub fn secret(&self) -> &str {
        &self.inner.secret
    }

    /// Returns when the token expires, by the wall clock of the host that received it.
    pub fn expires_on(&self) -> Timestamp {
        self.inner.expires_on
    }

    /// Returns the time from which the token should be renewed; a caller that keeps its token need
    /// not ask again before. Every token from a cache of this crate has one, either the source's or
    /// one computed from the token's life. `None` for a token that was never in such a cache and
    /// whose source named none (PR-21).
    pub fn refresh_on(&self) -> Option<Timestamp> {
        self.inner.refresh_on
    }

    /// Returns the name of the credential that the token comes from, such as `AzureCliCredential`;
    /// in a chain that of the member, not of the chain.
    pub fn answered_by(&self) -> &str {
        &self.inner.answered_by
    }

    /// Returns the principal that the token's claims name; `None` for opaque tokens. The signature
    /// is not verified: this is for logs and comparison, never for authorization.
    pub fn principal(&self) -> Option<&Principal> {
        self.inner.principal.as_ref()
    }

    /// Returns the record of the walk that found the token; `None` if it did not come from a
    /// chain.
    pub fn chain(&self) -> Option<&Arc<ChainRecord>> {
        self.chain.as_ref()
    }

    /// Returns the error of `credential`, which has received this token after its end.
    pub(crate) fn had_expired(&self, credential: &str) -> Error {
        let message = format!(
            "the token received had already expired, at {}",
            self.expires_on()
        );
        Error::new(ErrorKind::Failed, credential, message)
            .with_help("check this host's clock")
            .with_transient()
    }

    /// Pointer identity, not equality.
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
        let debug = format!("{added:?}");
        assert!(
            debug.contains("1970-01-01T00:00:00Z") && debug.contains("Test"),
            "{debug}"
        );
        assert!(!debug.contains("secret"), "{debug}");
    }
}
