//! A cache for any credential (PR-27).

use std::{fmt, sync::Arc};

use super::{CacheKey, fast_path::FastPath};
use crate::{
    AccessToken, CachedCredential, CommonOptions, Error, Platform, TokenCredential, TokenRequest,
    chain::Observer,
    platform::BoxFuture,
    source::{AccountStore, Fetched, TokenSource},
};

/// Adds the cache of this crate to a credential without one, such as a developer tool or a
/// credential of another crate.
///
/// It has the name of the credential that it wraps. Clones share one cache (PR-27).
pub struct Cached<C>(CachedCredential<Wrapped<C>>);

impl<C: TokenCredential> Cached<C> {
    /// Wraps `inner` with an empty cache, on the real machine.
    pub fn new(inner: C) -> Self {
        Self::with_options(inner, &CommonOptions::default())
    }

    /// Wraps `inner` with an empty cache, on the host of `platform`.
    pub fn on(platform: Platform, inner: C) -> Self {
        Self::with_options(inner, &CommonOptions::default().with_platform(platform))
    }

    /// Wraps `inner` with an empty cache and these options. If `inner` is a chain, changes of
    /// identity go to the observer of the chain, not to this one.
    pub fn with_options(inner: C, options: &CommonOptions) -> Self {
        Self(CachedCredential::with_options(Wrapped(inner), options))
    }

    /// Sets the observer that is notified when the principal of the tokens changes. If `inner` is a
    /// chain, its own observer is notified instead. Default: none (PR-04).
    #[must_use]
    pub fn observer(self, observer: Arc<dyn Observer>) -> Self {
        Self(self.0.observer(observer))
    }

    /// Sets the maximum number of tokens in the cache, at least 1. Default: 10,000 (PR-29).
    #[must_use]
    pub fn capacity(self, entries: usize) -> Self {
        Self(self.0.capacity(entries))
    }
}

impl<C> Clone for Cached<C> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<C: TokenCredential> TokenCredential for Cached<C> {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn get_token<'a>(
        &'a self,
        request: &'a TokenRequest,
    ) -> BoxFuture<'a, Result<AccessToken, Error>> {
        self.0.get_token(request)
    }

    fn dispose(&self) {
        self.0.dispose();
    }

    #[inline]
    fn fast_path(&self) -> Option<&dyn FastPath> {
        self.0.fast_path()
    }
}

impl<C: TokenCredential> fmt::Debug for Cached<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cached").field(&self.0).finish()
    }
}

/// A credential as a source.
struct Wrapped<C>(C);

impl<C: TokenCredential> TokenSource for Wrapped<C> {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn key(&self, request: &TokenRequest) -> Result<CacheKey, Error> {
        Ok(CacheKey::of(request))
    }

    fn fetch<'a>(
        &'a self,
        request: &'a TokenRequest,
        _: &'a dyn AccountStore,
    ) -> BoxFuture<'a, Result<Fetched, Error>> {
        Box::pin(async move { self.0.get_token(request).await.map(Fetched::from) })
    }

    fn never_answers(&self) -> bool {
        self.0.fast_path().is_some_and(FastPath::never_answers)
    }

    fn dispose(&self) {
        self.0.dispose();
    }
}

impl<C: TokenCredential> fmt::Debug for Wrapped<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
