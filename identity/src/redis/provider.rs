//! The provider: who has the credentials, and who is told of new ones.

use std::{fmt, sync::Arc};

use crate::{Error, Platform};

use super::{
    CredentialsSubscription, NAME, RedisCredentials, RedisObserver, owner::Owner, shared::Shared,
};

/// Credentials for Redis from a [`TokenCredential`](crate::TokenCredential), renewed in time for as long as somebody
/// subscribes.
///
/// - A token is renewed after 70 % of its life, and 5 minutes before its end at the latest (RS-40,
///   [`TokenManagerConfig`](super::TokenManagerConfig)(super::TokenManagerConfig)). Requests are at least 1 s apart, however short it lives (RD-15).
/// - Only what is valid is handed out, by the wall clock and by the monotonic one (RD-14, PR-20).
/// - A failure is retried ([`TokenRetryPolicy`](super::TokenRetryPolicy)). When the attempts are
///   used up the subscribers are told, a token that is still valid stays, and requests go on at the
///   longest wait until one succeeds (RD-12, RD-23, RD-34).
/// - The user name is claim `oid` of the token, and a token without it is an error (RD-35, RD-54).
/// - A source that gives the same token again is asked later (PR-25, RD-38).
///
/// Clones are the same provider. When the last clone and the last subscription are dropped, all
/// its work ends.
#[derive(Clone)]
pub struct EntraIdCredentialsProvider(Arc<Owner>);

impl EntraIdCredentialsProvider {
    pub(super) fn new(shared: Shared) -> Self {
        let shared = Arc::new(shared);
        Self(Arc::new(Owner { shared }))
    }

    /// Valid credentials: those at hand, or else those of a token request that everybody who waits
    /// shares. Without a subscription nothing is renewed afterwards, except that a call for a
    /// token that is due sends for the next one.
    ///
    /// # Errors
    /// That of the request once its attempts are used up, the same for all who wait (RD-13), and
    /// at once while requests keep failing; [`Cancelled`](crate::ErrorKind::Cancelled) after
    /// [`dispose`](Self::dispose).
    pub async fn credentials(&self) -> Result<RedisCredentials, Error> {
        self.0.shared.credentials().await
    }

    /// Asks for another token now, whatever is left of the one at hand: for when the server has
    /// refused it. Everybody who waits shares the request, and subscribers get what it brings. The
    /// source may give the same token again; and within 30 s of its last answer it is not asked,
    /// and the credentials at hand are the answer.
    ///
    /// # Errors
    /// As [`credentials`](Self::credentials). The token at hand stays.
    pub async fn renew(&self) -> Result<RedisCredentials, Error> {
        self.0.shared.renew().await
    }

    /// The credentials at hand, if they are valid. Waits for nothing and causes nothing.
    pub fn current(&self) -> Option<RedisCredentials> {
        self.0.shared.current()
    }

    /// The credentials as they change. The token is renewed from now on.
    pub fn subscribe(&self) -> CredentialsSubscription {
        CredentialsSubscription::new(Arc::clone(&self.0))
    }

    /// Ends all background work and all subscriptions, of all clones and for good, and forgets the
    /// token (PR-29). A credential that the provider owns is disposed, too.
    pub fn dispose(&self) {
        self.0.shared.dispose();
    }

    /// Whether it has been disposed.
    #[cfg(feature = "redis")]
    pub(super) fn is_disposed(&self) -> bool {
        self.0.shared.lock().disposed
    }

    /// Why there are no credentials at the moment, if that is known.
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

    /// The host it runs on.
    pub fn platform(&self) -> &Platform {
        &self.0.shared.platform
    }

    /// Who is told what happens.
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
