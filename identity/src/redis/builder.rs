//! The builder of a provider.

use std::{fmt, sync::Arc};

use crate::{Error, ErrorKind, Platform, TokenCredential, TokenRequest};

use super::{
    EntraIdCredentialsProvider, NAME, REDIS_SCOPE_DEFAULT, RedisObserver, TokenManagerConfig,
    settings::Settings, shared::Shared,
};

impl EntraIdCredentialsProvider {
    /// Returns a builder of a provider that owns `credential`: it is
    /// [disposed](TokenCredential::dispose) together with the provider.
    pub fn builder(credential: impl TokenCredential) -> EntraIdCredentialsProviderBuilder {
        EntraIdCredentialsProviderBuilder::new(Arc::new(credential), true)
    }

    /// Returns a builder of a provider over a shared `credential`, which the provider's
    /// [`dispose`](Self::dispose) does not dispose.
    pub fn builder_shared(
        credential: Arc<dyn TokenCredential>,
    ) -> EntraIdCredentialsProviderBuilder {
        EntraIdCredentialsProviderBuilder::new(credential, false)
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

    /// Sets the scopes of the token. Default: [`REDIS_SCOPE_DEFAULT`] alone (RD-50).
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Sets when the token is renewed and how failures are retried. Default:
    /// [`TokenManagerConfig::default`].
    pub fn config(mut self, config: TokenManagerConfig) -> Self {
        self.config = config;
        self
    }

    /// Sets the platform on which the provider runs. Default: [`Platform::system`].
    pub fn platform(mut self, platform: Platform) -> Self {
        self.platform = Some(platform);
        self
    }

    /// Sets an observer of what happens to the token and to the connections. Default: none.
    pub fn observer(mut self, observer: Arc<dyn RedisObserver>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Builds the provider. Sends no request.
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
        Ok(EntraIdCredentialsProvider::new(Shared::new(Settings {
            credential: self.credential,
            owns_credential: self.owns_credential,
            request: TokenRequest::new(self.scopes),
            config: self.config,
            platform: self.platform.unwrap_or_default(),
            observer: self.observer,
        })))
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
