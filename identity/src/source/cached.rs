//! A source with its cache.

use std::{fmt, sync::Arc};

use super::{AccountStore, ForUser, MemoryAccounts, OnBehalfOf, TokenSource, UserAssertion};
use crate::{
    AccessToken, CommonOptions, Error, TokenCredential, TokenRef, TokenRequest,
    cache::{CacheKey, TokenCache, fast_path::FastPath},
    chain::Observer,
    platform::BoxFuture,
};

/// A credential made of a source and a cache. [`TokenCache`] describes what the cache promises.
///
/// Clones share source and cache; a new instance starts with an empty cache (PR-06).
pub struct CachedCredential<S> {
    source: Arc<S>,
    cache: TokenCache,
    accounts: Arc<dyn AccountStore>,
}

impl<S: TokenSource> CachedCredential<S> {
    /// Creates a credential with an empty cache and the default options.
    pub fn new(source: S) -> Self {
        Self::with_options(source, &CommonOptions::default())
    }

    /// Creates a credential with an empty cache and these options.
    pub fn with_options(source: S, options: &CommonOptions) -> Self {
        let cache = TokenCache::new(options.host(), source.name())
            .observer(options.observer.clone())
            .capacity(options.cache_capacity);
        Self {
            source: Arc::new(source),
            cache,
            accounts: Arc::new(MemoryAccounts::default()),
        }
    }

    /// Sets the observer that is notified when the principal of the tokens changes. Default: none
    /// (PR-04).
    #[must_use]
    pub fn observer(self, observer: Arc<dyn Observer>) -> Self {
        Self {
            cache: self.cache.observer(Some(observer)),
            ..self
        }
    }

    /// Sets the maximum number of tokens in the cache, at least 1. Default: 10,000 (PR-29).
    #[must_use]
    pub fn capacity(self, entries: usize) -> Self {
        Self {
            cache: self.cache.capacity(entries),
            ..self
        }
    }

    /// Sets the store of the accounts of users. Default: in memory, for this instance alone.
    #[must_use]
    pub fn with_accounts(self, accounts: Arc<dyn AccountStore>) -> Self {
        Self { accounts, ..self }
    }

    /// Returns the source.
    pub fn source(&self) -> &S {
        &self.source
    }

    /// Returns a view of this credential for the user of one assertion. All users share the cache,
    /// whose keys contain the SHA-256 of the assertion, so no user gets the token of another.
    /// Disposing of the view does nothing; disposing of this credential drops the tokens of all
    /// users.
    pub fn for_user(&self, assertion: UserAssertion) -> CachedCredential<ForUser<S>>
    where
        S: OnBehalfOf,
    {
        CachedCredential {
            source: Arc::new(ForUser {
                source: Arc::clone(&self.source),
                assertion,
            }),
            cache: self.cache.clone(),
            accounts: Arc::clone(&self.accounts),
        }
    }

    /// `None` for a request that cannot be answered.
    fn known_key(&self, request: &TokenRequest) -> Option<CacheKey> {
        self.source.key(request).ok()
    }
}

impl<S: TokenSource> TokenCredential for CachedCredential<S> {
    fn name(&self) -> &str {
        self.source.name()
    }

    fn get_token<'a>(
        &'a self,
        request: &'a TokenRequest,
    ) -> BoxFuture<'a, Result<AccessToken, Error>> {
        Box::pin(async move {
            if let Some(hit) = FastPath::hit(self, request) {
                return Ok(hit.into_token());
            }
            let key = self.source.key(request)?;
            let client = key.client_id().to_owned();
            let fetch = || -> BoxFuture<'static, _> {
                let (source, accounts) = (Arc::clone(&self.source), Arc::clone(&self.accounts));
                let request = request.clone();
                Box::pin(async move {
                    let fetched = source.fetch(&request, &*accounts).await?;
                    // The token is valid even if its account cannot be stored.
                    if let Err(error) = accounts.keep(&client, &fetched).await {
                        let credential = source.name();
                        tracing::warn!(credential, %error, "the account could not be kept");
                    }
                    Ok(fetched.access)
                })
            };
            self.cache.get(key, request, fetch).await
        })
    }

    fn dispose(&self) {
        // A view for one user does not own the cache.
        if self.source.user().is_none() {
            self.cache.dispose();
            self.accounts.dispose();
            self.source.dispose();
        }
    }

    #[inline]
    fn fast_path(&self) -> Option<&dyn FastPath> {
        Some(self)
    }
}

impl<S: TokenSource> FastPath for CachedCredential<S> {
    #[inline]
    fn hit(&self, request: &TokenRequest) -> Option<TokenRef> {
        let user = self.source.user();
        self.cache
            .hit_for(user, request, |request| self.known_key(request))
    }

    fn hit_scopes(&self, scopes: &[&str]) -> Option<TokenRef> {
        let user = self.source.user();
        self.cache
            .hit_scopes_for(user, scopes, |request| self.known_key(request))
    }

    fn peek(&self, request: &TokenRequest) -> Option<AccessToken> {
        self.cache.cached(&self.known_key(request)?)
    }

    fn never_answers(&self) -> bool {
        self.source.never_answers()
    }
}

impl<S> Clone for CachedCredential<S> {
    fn clone(&self) -> Self {
        Self {
            source: Arc::clone(&self.source),
            cache: self.cache.clone(),
            accounts: Arc::clone(&self.accounts),
        }
    }
}

impl<S: TokenSource> fmt::Debug for CachedCredential<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.fmt(f)
    }
}
