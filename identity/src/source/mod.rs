//! Where a credential gets its tokens, and the one place that caches them.
//!
//! A credential with a cache is a [`TokenSource`] in a [`CachedCredential`]: the source says what
//! a request is about and asks its service; when to ask, how often and for whom is the cache's
//! business, and the same for every credential.
//!
//! ```
//! use credsim_identity::{
//!     AccessToken, CachedCredential, Error, TokenCredential, TokenCredentialExt, TokenRequest,
//!     cache::CacheKey,
//!     platform::BoxFuture,
//!     source::{AccountStore, Fetched, TokenSource},
//! };
//!
//! /// Tokens that a file system or a vault of your own hands out.
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
//! credential.token(&request).await?; // asks the source
//! credential.token(&request).await?; // does not
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

/// Where tokens come from: a service, a tool, a file. It caches nothing itself.
pub trait TokenSource: fmt::Debug + Send + Sync + 'static {
    /// The class name by which documentation, logs and errors call the credential.
    fn name(&self) -> &str;

    /// Which entry of the cache answers `request`. It depends on the request's scopes, tenant,
    /// claims and CAE, and on nothing else of it.
    ///
    /// # Errors
    /// [`Configuration`](crate::ErrorKind::Configuration) for a request that this source cannot
    /// answer, such as one without a scope. Nothing is fetched for it.
    fn key(&self, request: &TokenRequest) -> Result<CacheKey, Error>;

    /// Gets a new token from the service. `accounts` is what people have signed in to before: a
    /// source that finds a refresh token there need not ask the person again. A request that
    /// [forces a refresh](TokenRequest::force_refresh) wants a token from the service itself, not
    /// from a cache that the source knows.
    ///
    /// Runs once at a time per key, as work of the credential and not of a caller; dropping the
    /// future must end whatever it has begun (PR-24).
    ///
    /// # Errors
    /// Those of [`ErrorKind`](crate::ErrorKind), as a chain is to understand them.
    fn fetch<'a>(
        &'a self,
        request: &'a TokenRequest,
        accounts: &'a dyn AccountStore,
    ) -> BoxFuture<'a, Result<Fetched, Error>>;

    /// Whether all it will ever answer is an error, such as for want of an environment variable
    /// that was read at construction: a chain has no reason to ask it again for something better.
    /// Default: no (PR-03).
    fn never_answers(&self) -> bool {
        false
    }

    /// Ends what the source itself holds. Default: nothing to end.
    fn dispose(&self) {}

    /// For whom it acts, where that is one of many users of one cache.
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

/// What a service gave.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Fetched {
    /// The access token, which the cache keeps and hands out.
    pub access: AccessToken,
    /// By which the next access token comes without the person.
    pub refresh_token: Option<Secret>,
    /// Who signed in, as the service attests it.
    pub id_token: Option<Secret>,
    /// The account that signed in; `None` where no person did.
    pub account: Option<Account>,
    /// The family of clients that may use the refresh token, such as `1`.
    pub family: Option<String>,
}

impl From<AccessToken> for Fetched {
    /// A token behind which no person stands.
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
