//! The provider: who has the credentials, and who is told of new ones.

use std::{fmt, sync::Arc};

use crate::{Error, ErrorKind, Platform, TokenCredential, TokenRequest};

use super::{
    CredentialsSubscription, NAME, REDIS_SCOPE_DEFAULT, RedisCredentials, RedisObserver,
    TokenManagerConfig,
    owner::Owner,
    shared::{Settings, Shared},
};

/// Credentials for Redis from a [`TokenCredential`], renewed in time for as long as somebody
/// subscribes.
///
/// - A token is renewed after 70 % of its life, and 5 minutes before its end at the latest (RS-40,
///   [`TokenManagerConfig`]). Requests are at least 1 s apart, however short it lives (RD-15).
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
    /// Over `credential`, which is [disposed](TokenCredential::dispose) together with the provider.
    pub fn builder(credential: impl TokenCredential) -> EntraIdCredentialsProviderBuilder {
        EntraIdCredentialsProviderBuilder::new(Arc::new(credential), true)
    }

    /// Over a `credential` that others use, too: it outlives the provider's
    /// [`dispose`](Self::dispose).
    pub fn builder_shared(
        credential: Arc<dyn TokenCredential>,
    ) -> EntraIdCredentialsProviderBuilder {
        EntraIdCredentialsProviderBuilder::new(credential, false)
    }

    /// Valid credentials: those at hand, or else those of a token request that everybody who waits
    /// shares. Without a subscription nothing is renewed afterwards, except that a call for a
    /// token that is due sends for the next one.
    ///
    /// # Errors
    /// That of the request once its attempts are used up, the same for all who wait (RD-13), and
    /// at once while requests keep failing; [`Cancelled`](ErrorKind::Cancelled) after
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

/// Options of an [`EntraIdCredentialsProvider`].
#[derive(Clone)]
#[must_use = "a builder does nothing until `build`"]
pub struct EntraIdCredentialsProviderBuilder {
    credential: Arc<dyn TokenCredential>,
    owns_credential: bool,
    scopes: Vec<String>,
    config: TokenManagerConfig,
    platform: Option<Platform>,
    observer: Option<Arc<dyn RedisObserver>>,
}

impl EntraIdCredentialsProviderBuilder {
    fn new(credential: Arc<dyn TokenCredential>, owns_credential: bool) -> Self {
        Self {
            credential,
            owns_credential,
            scopes: vec![REDIS_SCOPE_DEFAULT.to_owned()],
            config: TokenManagerConfig::default(),
            platform: None,
            observer: None,
        }
    }

    /// The scopes of the token. Default: [`REDIS_SCOPE_DEFAULT`] alone (RD-50).
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// When the token is renewed and how failures are retried.
    pub fn config(mut self, config: TokenManagerConfig) -> Self {
        self.config = config;
        self
    }

    /// The host it runs on. Default: the real machine.
    pub fn platform(mut self, platform: Platform) -> Self {
        self.platform = Some(platform);
        self
    }

    /// Is told what happens to the token.
    pub fn observer(mut self, observer: Arc<dyn RedisObserver>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// The provider. Asks nobody.
    ///
    /// # Errors
    /// [`Configuration`](ErrorKind::Configuration) when there is no scope or a blank one (RD-37),
    /// or the configuration does not [validate](TokenManagerConfig::validate).
    pub fn build(self) -> Result<EntraIdCredentialsProvider, Error> {
        if self.scopes.is_empty() || self.scopes.iter().any(|scope| scope.trim().is_empty()) {
            let what = "needs at least one scope, and none that is blank";
            return Err(Error::new(ErrorKind::Configuration, NAME, what)
                .with_help(format!("the scope of Redis is {REDIS_SCOPE_DEFAULT}")));
        }
        self.config.validate()?;
        let shared = Shared::new(Settings {
            credential: self.credential,
            owns_credential: self.owns_credential,
            request: TokenRequest::new(self.scopes),
            config: self.config,
            platform: self.platform.unwrap_or_default(),
            observer: self.observer,
        });
        let shared = Arc::new(shared);
        Ok(EntraIdCredentialsProvider(Arc::new(Owner { shared })))
    }
}

impl fmt::Debug for EntraIdCredentialsProviderBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EntraIdCredentialsProviderBuilder")
            .field("credential", &self.credential)
            .field("scopes", &self.scopes)
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}
