//! A cache for any credential (PR-27).

use std::sync::Arc;

use super::{CacheKey, TokenCache};
use crate::{
    AccessToken, Error, Platform, TokenCredential, TokenRef, TokenRequest, chain::Observer,
    platform::BoxFuture,
};

/// Any credential with the cache of this crate (PR-27): for those that have none, such as the
/// commands, or that are somebody else's.
///
/// It answers by the name of what it wraps. Clones share one cache.
#[derive(Debug)]
pub struct Cached<C> {
    inner: Arc<C>,
    cache: TokenCache,
}

impl<C: TokenCredential> Cached<C> {
    /// `inner` with an empty cache, on the real machine.
    pub fn new(inner: C) -> Self {
        Self::on(Platform::default(), inner)
    }

    /// `inner` with an empty cache, on the host of `platform`.
    pub fn on(platform: Platform, inner: C) -> Self {
        let cache = TokenCache::new(platform, inner.name());
        Self {
            inner: Arc::new(inner),
            cache,
        }
    }

    /// Is told when the principal of the tokens changes (PR-04). A chain in `inner` tells its own
    /// observer instead.
    #[must_use]
    pub fn observer(self, observer: Arc<dyn Observer>) -> Self {
        Self {
            cache: self.cache.observer(Some(observer)),
            ..self
        }
    }

    /// Holds at most so many tokens. Default: 10,000 (PR-29).
    #[must_use]
    pub fn capacity(self, entries: usize) -> Self {
        Self {
            cache: self.cache.capacity(entries),
            ..self
        }
    }
}

impl<C> Clone for Cached<C> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            cache: self.cache.clone(),
        }
    }
}

impl<C: TokenCredential> TokenCredential for Cached<C> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn get_token<'a>(
        &'a self,
        request: &'a TokenRequest,
    ) -> BoxFuture<'a, Result<AccessToken, Error>> {
        Box::pin(self.cache.get(CacheKey::of(request), request, || {
            let (inner, request) = (Arc::clone(&self.inner), request.clone());
            Box::pin(async move { inner.get_token(&request).await })
        }))
    }

    fn hit(&self, request: &TokenRequest) -> Option<TokenRef> {
        self.cache
            .hit(request, |request| Some(CacheKey::of(request)))
    }

    fn hit_scopes(&self, scopes: &[&str]) -> Option<TokenRef> {
        self.cache
            .hit_scopes(scopes, |request| Some(CacheKey::of(request)))
    }

    fn cached(&self, request: &TokenRequest) -> Option<AccessToken> {
        self.cache.cached(&CacheKey::of(request))
    }

    fn never_answers(&self) -> bool {
        self.inner.never_answers()
    }

    fn dispose(&self) {
        self.cache.dispose();
        self.inner.dispose();
    }
}
