//! The credentials provider: hands out credentials, and notifies subscribers of new ones.

use std::{fmt, sync::Arc};

use crate::{Error, Platform};

use super::{
    CredentialsSubscription, NAME, RedisCredentials, RedisObserver, owner::Owner, shared::Shared,
};

/// Credentials for Redis from a [`TokenCredential`](crate::TokenCredential), renewed in time while
/// there is a subscription.
///
/// - A token is renewed after 70 % of its life, and 5 minutes before its end at the latest (RS-40,
///   [`TokenManagerConfig`](super::TokenManagerConfig)(super::TokenManagerConfig)). Requests are at
///   least 1 s apart, however short it lives (RD-15).
/// - Only a token that is valid by the wall clock and by the monotonic clock is handed out (RD-14,
///   PR-20).
/// - A failed request is retried ([`TokenRetryPolicy`](super::TokenRetryPolicy)). When the attempts
///   are used up the subscribers get the error, a token that is still valid is kept, and requests
///   continue at the longest wait until one succeeds (RD-12, RD-23, RD-34).
/// - The user name is the claim `oid` of the token; a token without it is an error (RD-35, RD-54).
/// - When the source returns the same token again, the next request is postponed (PR-25, RD-38).
///
/// Clones share one provider. Its background work ends when the last clone and the last
/// subscription are dropped.
#[derive(Clone)]
pub struct EntraIdCredentialsProvider(Arc<Owner>);

impl EntraIdCredentialsProvider {
    pub(super) fn new(shared: Shared) -> Self {
        let shared = Arc::new(shared);
        Self(Arc::new(Owner { shared }))
    }

    /// Returns valid credentials: the current ones, or else those of a token request that all
    /// waiting callers share. Without a subscription nothing is renewed afterwards, except that a
    /// call that finds the token due starts one request in the background.
    ///
    /// # Errors
    /// The error of the request once its attempts are used up, the same for all waiting callers
    /// (RD-13), and immediately while requests keep failing. The end of the current token is not an
    /// error here: the request under way decides (PR-32).
    /// [`Cancelled`](crate::ErrorKind::Cancelled) after [`dispose`](Self::dispose).
    pub async fn credentials(&self) -> Result<RedisCredentials, Error> {
        self.0.shared.credentials().await
    }

    /// Requests another token now, however long the current one is valid: for use after the server
    /// has refused it. All waiting callers share the request, and subscribers get the new token.
    /// The source may return the same token again. Within 30 s of its last answer the source is not
    /// asked, and the current credentials are returned.
    ///
    /// # Errors
    /// As [`credentials`](Self::credentials). The current token is kept.
    pub async fn renew(&self) -> Result<RedisCredentials, Error> {
        self.0.shared.renew().await
    }

    /// Returns the current credentials if they are valid. Does not wait and starts no request.
    pub fn current(&self) -> Option<RedisCredentials> {
        self.0.shared.current()
    }

    /// Subscribes to the credentials. The token is renewed from now on, until the last subscription
    /// is dropped.
    pub fn subscribe(&self) -> CredentialsSubscription {
        CredentialsSubscription::new(Arc::clone(&self.0))
    }

    /// Ends the background work and the subscriptions of all clones for good, and drops the token.
    /// A credential that the provider owns is disposed as well (PR-29).
    pub fn dispose(&self) {
        self.0.shared.dispose();
    }

    /// Whether [`dispose`](Self::dispose) was called.
    #[cfg(feature = "redis")]
    pub(super) fn is_disposed(&self) -> bool {
        self.0.shared.lock().disposed
    }

    /// Returns why there are no valid credentials, if there are none and the reason is known.
    #[cfg(feature = "redis")]
    pub(super) fn trouble(&self) -> Option<Error> {
        let now = self.0.shared.now();
        let state = self.0.shared.lock();
        if state.disposed {
            return Some(super::waiting::disposed());
        }
        match state.valid(now) {
            Some(_) => None,
            None => state.schedule.last_error().cloned(),
        }
    }

    /// The platform on which the provider runs.
    pub fn platform(&self) -> &Platform {
        &self.0.shared.platform
    }

    /// The observer of events, if one was set.
    pub fn observer(&self) -> Option<&Arc<dyn RedisObserver>> {
        self.0.shared.observer.as_ref()
    }
}

impl fmt::Debug for EntraIdCredentialsProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(NAME)
            .field("credential", &self.0.shared.credential)
            .field("scopes", &self.0.shared.request.scopes())
            .finish_non_exhaustive()
    }
}
