//! Credentials that act for many users, each identified by the assertion of a call.

use std::{fmt, sync::Arc};

use ring::digest::{SHA256, digest};

use super::{AccountStore, Fetched, TokenSource};
use crate::{Error, Secret, TokenRequest, cache::CacheKey, platform::BoxFuture};

/// The token with which a user called the application, which exchanges it to act for the user.
#[derive(Clone)]
pub struct UserAssertion {
    token: Secret,
    hash: [u8; 32],
}

impl UserAssertion {
    /// Creates an assertion from the token of the `Authorization` header, without `Bearer`.
    pub fn new(token: impl Into<Secret>) -> Self {
        let token = token.into();
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, token.expose().as_bytes()).as_ref());
        Self { token, hash }
    }

    /// Returns the assertion itself, for the token request and nothing else.
    pub fn token(&self) -> &Secret {
        &self.token
    }

    /// Returns its SHA-256, with which a cache distinguishes users without holding their tokens.
    #[inline]
    pub fn hash(&self) -> &[u8; 32] {
        &self.hash
    }
}

impl fmt::Debug for UserAssertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserAssertion(***)")
    }
}

/// A source that acts for users: see
/// [`CachedCredential::for_user`](super::CachedCredential::for_user).
pub trait OnBehalfOf: TokenSource {
    /// Gets a new token for the user of `assertion`; otherwise as [`TokenSource::fetch`].
    ///
    /// # Errors
    /// As those of [`TokenSource::fetch`].
    fn fetch_for<'a>(
        &'a self,
        assertion: &'a UserAssertion,
        request: &'a TokenRequest,
        accounts: &'a dyn AccountStore,
    ) -> BoxFuture<'a, Result<Fetched, Error>>;
}

/// A source, for one user.
#[derive(Debug)]
pub struct ForUser<S> {
    pub(super) source: Arc<S>,
    pub(super) assertion: UserAssertion,
}

impl<S: OnBehalfOf> TokenSource for ForUser<S> {
    fn name(&self) -> &str {
        self.source.name()
    }

    fn key(&self, request: &TokenRequest) -> Result<CacheKey, Error> {
        let key = self.source.key(request)?;
        Ok(key.user_assertion(self.assertion.hash()))
    }

    fn fetch<'a>(
        &'a self,
        request: &'a TokenRequest,
        accounts: &'a dyn AccountStore,
    ) -> BoxFuture<'a, Result<Fetched, Error>> {
        self.source.fetch_for(&self.assertion, request, accounts)
    }

    fn never_answers(&self) -> bool {
        self.source.never_answers()
    }

    fn user(&self) -> Option<&UserAssertion> {
        Some(&self.assertion)
    }
}
