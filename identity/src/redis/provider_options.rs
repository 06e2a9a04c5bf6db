//! The options of every method of the factory.

use std::{fmt, sync::Arc};

use crate::{Error, Platform, RetryOptions};

use super::{
    EntraIdCredentialsProvider, EntraIdCredentialsProviderBuilder, RedisObserver,
    TokenManagerConfig,
};

/// The options of all methods of
/// [`EntraIdCredentialsProviderFactory`](super::EntraIdCredentialsProviderFactory). The defaults
/// suit most uses.
#[derive(Clone, Default)]
pub struct EntraIdProviderOptions {
    /// The scopes of the token. `None`, the default:
    /// [`REDIS_SCOPE_DEFAULT`](super::REDIS_SCOPE_DEFAULT) alone.
    pub scopes: Option<Vec<String>>,
    /// When the token is renewed and how failures are retried.
    pub config: TokenManagerConfig,
    /// The platform on which the provider runs. `None`, the default: [`Platform::system`].
    pub platform: Option<Platform>,
    /// An observer of what happens to the token and to the connections. Default: none.
    pub observer: Option<Arc<dyn RedisObserver>>,
    /// How a credential that the factory makes repeats its requests. `max_retries` is 0 unless it
    /// is set here, because the token manager repeats them, and the two loops would multiply.
    pub credential_retry: RetryOptions,
}

impl EntraIdProviderOptions {
    pub(super) fn retry(&self) -> RetryOptions {
        let mut retry = self.credential_retry.clone();
        retry.max_retries.get_or_insert(0);
        retry
    }

    pub(super) fn platform(&self) -> Platform {
        self.platform.clone().unwrap_or_default()
    }

    pub(super) fn provider(
        self,
        builder: EntraIdCredentialsProviderBuilder,
        platform: Platform,
    ) -> Result<EntraIdCredentialsProvider, Error> {
        let mut builder = builder.platform(platform).config(self.config);
        if let Some(scopes) = self.scopes {
            builder = builder.scopes(scopes);
        }
        if let Some(observer) = self.observer {
            builder = builder.observer(observer);
        }
        builder.build()
    }
}

impl fmt::Debug for EntraIdProviderOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EntraIdProviderOptions")
            .field("scopes", &self.scopes)
            .field("config", &self.config)
            .field("credential_retry", &self.credential_retry)
            .finish_non_exhaustive()
    }
}
