//! Sources of tokens, and the credential that adds a cache to a source.
//!
//! A credential with a cache is a [`TokenSource`] in a [`CachedCredential`]. The source derives a
//! cache key from a request and gets a token from its service. The cache decides when the source is
//! asked, in the same way for every credential.
//!
//! ```
//! use credsim_identity::{
//!     AccessToken, CachedCredential, Error, TokenCredentialExt, TokenRequest,
//!     cache::CacheKey,
//!     platform::BoxFuture,
//!     source::{AccountStore, Fetched, TokenSource},
//! };
//!
//! /// Gets tokens from a vault of your own.
//! #[derive(Debug)]
//! struct FromVault;
//!
//! impl TokenSource for FromVault {
//!     fn name(&self) -> &str {
//!         "VaultCredential"
//!     }
//!
//!     fn key(&self, request: &TokenRequest) -> Result<CacheKey, Error> {
//!         Ok(CacheKey::of(request))
//!     }
//!
//!     fn fetch<'a>(
//!         &'a self,
//!         _request: &'a TokenRequest,
//!         _accounts: &'a dyn AccountStore,
//!     ) -> BoxFuture<'a, Result<Fetched, Error>> {
//!         Box::pin(async {
//!             let ends = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1);
//!             Ok(AccessToken::new("a token".to_owned(), ends, "VaultCredential").into())
//!         })
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Error> {
//! let credential = CachedCredential::new(FromVault);
//! let request = TokenRequest::new(["https://vault.azure.net/.default"]);
//! credential.token(&request).await?; // from the source
//! credential.token(&request).await?; // from the cache
//! # Ok(())
//! # }
//! ```

mod account;
mod cached;
mod user;

use std::{fmt, sync::Arc};

pub use account::{Account, AccountStore, MemoryAccounts};
pub use cached::CachedCredential;
pub use user::{ForUser, OnBehalfOf, UserAssertion};

use crate::{AccessToken, Error, Secret, TokenRequest, cache::CacheKey, platform::BoxFuture};

/// Gets tokens from a service, a tool or a file, without a cache of its own.
pub trait TokenSource: fmt::Debug + Send + Sync + 'static {
    /// Returns the class name of the credential that documentation, logs and errors use.
    fn name(&self) -> &str;

    /// Returns the key of the cache entry for `request`. It must depend only on scopes, tenant,
    /// claims and CAE of the request.
    ///
    /// # Errors
    /// [`Configuration`](crate::ErrorKind::Configuration) for a request that this source cannot
    /// answer, such as one without a scope. Nothing is fetched for it.
    fn key(&self, request: &TokenRequest) -> Result<CacheKey, Error>;

    /// Gets a new token from the service. `accounts` holds the accounts and refresh tokens of users
    /// that have signed in before. For a request that [forces a
    /// refresh](TokenRequest::force_refresh) the source must not answer from a cache of its own, if
    /// it can.
    ///
    /// One call per key is in flight at a time, owned by the credential and not by a caller.
    /// Dropping the future must end the work that it has begun (PR-24).
    ///
    /// # Errors
    /// The kind of the error decides whether a chain goes on: see
    /// [`ErrorKind`](crate::ErrorKind).
    fn fetch<'a>(
        &'a self,
        request: &'a TokenRequest,
        accounts: &'a dyn AccountStore,
    ) -> BoxFuture<'a, Result<Fetched, Error>>;

    /// Returns whether every fetch will fail, for example because an environment variable was
    /// missing at construction. A chain then does not look for a better token here. Default:
    /// `false` (PR-03).
    fn never_answers(&self) -> bool {
        false
    }

    /// Releases the resources of the source when the credential is disposed. Default: does nothing.
    fn dispose(&self) {}

    /// The user for whom it acts, if the cache serves many users.
    #[doc(hidden)]
    #[inline]
    fn user(&self) -> Option<&UserAssertion> {
        None
    }
}

impl<S: TokenSource> TokenSource for Arc<S> {
    fn name(&self) -> &str {
        (**self).name()
    }

    fn key(&self, request: &TokenRequest) -> Result<CacheKey, Error> {
        (**self).key(request)
    }

    fn fetch<'a>(
        &'a self,
        request: &'a TokenRequest,
        accounts: &'a dyn AccountStore,
    ) -> BoxFuture<'a, Result<Fetched, Error>> {
        (**self).fetch(request, accounts)
    }

    fn never_answers(&self) -> bool {
        (**self).never_answers()
    }

    fn dispose(&self) {
        (**self).dispose();
    }

    fn user(&self) -> Option<&UserAssertion> {
        (**self).user()
    }
}

/// The answer of a service: an access token and, for a user, what comes with it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Fetched {
    /// The access token, which the cache stores and returns.
    pub access: AccessToken,
    /// The refresh token, which gets the next access token without an interactive sign-in.
    pub refresh_token: Option<Secret>,
    /// The id token, which identifies the user that signed in.
    pub id_token: Option<Secret>,
    /// The account that signed in; `None` if it was not a user.
    pub account: Option<Account>,
    /// The family of clients that may use the refresh token, such as `1`; `None` for no family.
    pub family: Option<String>,
}

impl From<AccessToken> for Fetched {
    /// Wraps a token that does not belong to a user.
    fn from(access: AccessToken) -> Self {
        Self {
            access,
            refresh_token: None,
            id_token: None,
            account: None,
            family: None,
        }
    }
}
