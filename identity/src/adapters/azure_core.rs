//! Credentials of this crate for clients of `azure_core`, and credentials of `azure_core` in chains
//! and caches of this crate.
//!
//! ```
//! use std::sync::Arc;
//! use credsim_identity::{AzureCliCredential, Cached, ChainedTokenCredential};
//! use credsim_identity::adapters::azure_core::{AzureCoreCredential, ForAzureCore};
//! # fn for_a_client(_: Arc<dyn azure_core::credentials::TokenCredential>) {}
//! # fn example(theirs: Arc<dyn azure_core::credentials::TokenCredential>)
//! # -> Result<(), credsim_identity::Error> {
//! let theirs = AzureCoreCredential::new("ContosoCredential", theirs);
//! let chain = ChainedTokenCredential::builder()
//!     .credential(Cached::new(theirs))
//!     .credential(AzureCliCredential::builder().build()?)
//!     .build()?;
//! for_a_client(Arc::new(ForAzureCore::new(chain)));
//! # Ok(())
//! # }
//! ```

use std::{fmt, sync::Arc};

use azure_core::{
    credentials::{self, TokenRequestOptions},
    error::ErrorKind as TheirKind,
    time::{ComponentRange, OffsetDateTime},
};
use jiff::Timestamp;

use crate::{
    AccessToken, Error, ErrorKind, TokenCredential, TokenRef, TokenRequest, platform::BoxFuture,
};

/// A credential of this crate as [`azure_core::credentials::TokenCredential`].
///
/// A token in the cache costs what that trait requires: a boxed future and a copy of the token,
/// because its `AccessToken` owns one. Errors have the kind `Credential` and the
/// [`Error`] of this crate as their source.
#[derive(Clone, Debug)]
pub struct ForAzureCore<C>(C);

impl<C: TokenCredential> ForAzureCore<C> {
    /// Wraps `credential` for clients of `azure_core`.
    pub fn new(credential: C) -> Self {
        Self(credential)
    }
}

#[async_trait::async_trait]
impl<C: TokenCredential> credentials::TokenCredential for ForAzureCore<C> {
    async fn get_token(
        &self,
        scopes: &[&str],
        _: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<credentials::AccessToken> {
        let hit = (self.0.fast_path()).and_then(|fast_path| fast_path.hit_scopes(scopes));
        match hit {
            Some(token) => theirs(&token),
            // Boxed, so that the future of a hit has no room for this one.
            None => theirs(&Box::pin(asked(&self.0, scopes)).await?),
        }
    }
}

async fn asked(credential: &dyn TokenCredential, scopes: &[&str]) -> azure_core::Result<TokenRef> {
    let request = TokenRequest::new(scopes.iter().copied());
    let token = credential.get_token(&request).await;
    let token = token.map_err(|error| azure_core::Error::new(TheirKind::Credential, error))?;
    Ok(TokenRef::from(token))
}

fn theirs(token: &TokenRef) -> azure_core::Result<credentials::AccessToken> {
    let expires_on = date(token.expires_on())
        .map_err(|error| azure_core::Error::new(TheirKind::DataConversion, error))?;
    Ok(credentials::AccessToken::new(
        token.secret().to_owned(),
        expires_on,
    ))
}

/// Converts seconds and nanoseconds one by one: a division of all nanoseconds since 1970 takes as
/// long as a fifth of a hit.
fn date(at: Timestamp) -> Result<OffsetDateTime, ComponentRange> {
    let before_1970 = at.subsec_nanosecond() < 0;
    let second = at.as_second() - i64::from(before_1970);
    let nanosecond = at.subsec_nanosecond().rem_euclid(1_000_000_000);
    OffsetDateTime::from_unix_timestamp(second)?.replace_nanosecond(nanosecond.unsigned_abs())
}

/// A credential of `azure_core` as one of this crate, for chains and for [`Cached`](crate::Cached),
/// which adds the cache of this crate.
///
/// The trait of `azure_core` takes scopes only. A request with a tenant or with claims fails with
/// [`Configuration`](ErrorKind::Configuration), and a forced refresh returns what the credential's
/// own cache returns. Its errors do not say whether a credential is unavailable or has failed: they
/// are [`Failed`](ErrorKind::Failed) unless [`unavailable_when`](Self::unavailable_when) decides
/// otherwise.
#[derive(Clone)]
pub struct AzureCoreCredential {
    name: String,
    inner: Arc<dyn credentials::TokenCredential>,
    is_unavailable: fn(&azure_core::Error) -> bool,
}

impl AzureCoreCredential {
    /// Wraps `credential`; logs, errors and tokens call it `name`.
    pub fn new(name: impl Into<String>, credential: Arc<dyn credentials::TokenCredential>) -> Self {
        Self {
            name: name.into(),
            inner: credential,
            is_unavailable: |_| false,
        }
    }

    /// Sets which errors mean that the credential is unavailable here, so that a chain goes on.
    /// Default: none (PR-02).
    #[must_use]
    pub fn unavailable_when(self, is_unavailable: fn(&azure_core::Error) -> bool) -> Self {
        Self {
            is_unavailable,
            ..self
        }
    }

    fn error(&self, error: azure_core::Error) -> Error {
        let kind = if (self.is_unavailable)(&error) {
            ErrorKind::Unavailable
        } else {
            ErrorKind::Failed
        };
        Error::new(kind, &self.name, error.to_string()).with_cause(error)
    }

    fn ours(&self, token: &credentials::AccessToken) -> Result<AccessToken, Error> {
        let expires_on = Timestamp::from_nanosecond(token.expires_on.unix_timestamp_nanos());
        let expires_on = expires_on.map_err(|error| {
            let message =
                format!("its token has an expiry time that cannot be represented: {error}");
            Error::new(ErrorKind::Failed, &self.name, message)
        })?;
        let secret = token.token.secret().to_owned();
        Ok(AccessToken::new(secret, expires_on, &self.name))
    }
}

impl TokenCredential for AzureCoreCredential {
    fn name(&self) -> &str {
        &self.name
    }

    fn get_token<'a>(
        &'a self,
        request: &'a TokenRequest,
    ) -> BoxFuture<'a, Result<AccessToken, Error>> {
        Box::pin(async move {
            let asks_for_more = [
                (request.tenant().is_some(), "a tenant"),
                (request.claims().is_some(), "claims"),
            ];
            if let Some((_, what)) = asks_for_more.iter().find(|(asked, _)| *asked) {
                let message = format!("takes scopes only, and the request has {what}");
                return Err(Error::new(ErrorKind::Configuration, &self.name, message)
                    .with_help("use a credential of this crate for that"));
            }
            let scopes: Vec<&str> = request.scopes().iter().map(String::as_str).collect();
            let answer = self.inner.get_token(&scopes, None).await;
            let token = answer.map_err(|error| self.error(error))?;
            self.ours(&token)
        })
    }
}

impl fmt::Debug for AzureCoreCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple(&self.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_keeps_its_nanoseconds() {
        for at in [
            "2026-11-30T12:00:00.123456789Z",
            "2026-11-30T12:00:00Z",
            "1970-01-01T00:00:00Z",
            "1969-12-31T23:59:59.999999999Z",
            "1901-01-01T00:00:00.5Z",
        ] {
            let at: Timestamp = at.parse().unwrap();
            let theirs = date(at).unwrap();
            assert_eq!(theirs.unix_timestamp_nanos(), at.as_nanosecond(), "{at}");
        }
    }
}
