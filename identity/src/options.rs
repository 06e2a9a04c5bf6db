//! Options that many credentials share. Each credential has a builder with a method for every
//! option; these structs set many at once.

use std::{fmt, sync::Arc, time::Duration};

use crate::{
    Platform, RetryOptions,
    cache::DEFAULT_CAPACITY,
    chain::{Observer, ObserverRef},
};

/// Options of every credential.
#[derive(Clone)]
#[non_exhaustive]
pub struct CommonOptions {
    /// The host that the credential runs on. Default: [`Platform::system`].
    pub platform: Option<Platform>,
    /// Is notified when the principal of the tokens changes. Default: none (PR-04).
    pub observer: ObserverRef,
    /// The maximum number of tokens in the cache, at least 1. Default: 10,000 (PR-29).
    pub cache_capacity: usize,
}

impl CommonOptions {
    /// Sets the host that the credential runs on.
    #[must_use]
    pub fn with_platform(self, platform: Platform) -> Self {
        Self {
            platform: Some(platform),
            ..self
        }
    }

    /// Sets the observer that is notified when the principal of the tokens changes.
    #[must_use]
    pub fn with_observer(self, observer: Arc<dyn Observer>) -> Self {
        Self {
            observer: Some(observer),
            ..self
        }
    }

    /// Sets the maximum number of tokens in the cache, at least 1.
    #[must_use]
    pub fn with_cache_capacity(self, entries: usize) -> Self {
        Self {
            cache_capacity: entries,
            ..self
        }
    }

    /// The host: the one given, or the real machine.
    pub(crate) fn host(&self) -> Platform {
        self.platform.clone().unwrap_or_default()
    }
}

impl Default for CommonOptions {
    fn default() -> Self {
        Self {
            platform: None,
            observer: None,
            cache_capacity: DEFAULT_CAPACITY,
        }
    }
}

impl fmt::Debug for CommonOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CommonOptions")
            .field("observer", &self.observer.is_some())
            .field("cache_capacity", &self.cache_capacity)
            .finish_non_exhaustive()
    }
}

/// Options of every credential that asks Microsoft Entra ID.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct EntraOptions {
    /// The options of every credential.
    pub common: CommonOptions,
    /// The https URL of the authority. Default: `AZURE_AUTHORITY_HOST`, else
    /// `https://login.microsoftonline.com` (EN-02).
    pub authority_host: Option<String>,
    /// Tenants besides the credential's own that a request may name; `*` for all. Default: none.
    pub additionally_allowed_tenants: Vec<String>,
    /// How failures are retried. Default: up to 3 retries after 1, 2 and 4 s (PR-14).
    pub retry: RetryOptions,
}

/// Options of every credential that asks a developer's tool.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ToolOptions {
    /// The options of every credential. `cache_capacity` has no effect, because these credentials
    /// cache nothing.
    pub common: CommonOptions,
    /// The tenant to ask in. Default: the tool's own, and a request may name any other.
    pub tenant_id: Option<String>,
    /// Tenants besides the credential's own that a request may name; `*` for all. Default: none.
    pub additionally_allowed_tenants: Vec<String>,
    /// How long a run of the tool may take before it is killed. Default: 15 s (PR-15).
    pub process_timeout: Option<Duration>,
}

/// Methods of a builder, by what it holds of the options above. `$at` leads from the builder to it.
macro_rules! setters {
    (host: $($at:ident).+) => {
        /// Sets the host that the credential runs on. Default:
        /// [`Platform::system`](crate::Platform::system).
        pub fn platform(mut self, platform: $crate::Platform) -> Self {
            self.$($at).+.platform = Some(platform);
            self
        }

        /// Sets the observer that is notified when the principal of the tokens changes. Default:
        /// none (PR-04).
        pub fn observer(mut self, observer: ::std::sync::Arc<dyn $crate::chain::Observer>) -> Self {
            self.$($at).+.observer = Some(observer);
            self
        }
    };
    (cache: $($at:ident).+) => {
        /// Sets the maximum number of tokens in the cache, at least 1. Default: 10,000 (PR-29).
        pub fn cache_capacity(mut self, entries: usize) -> Self {
            self.$($at).+.cache_capacity = entries;
            self
        }
    };
    (retry: $($at:ident).+) => {
        /// Sets how failures are retried. Default: see [`RetryOptions`](crate::RetryOptions).
        pub fn retry(mut self, options: $crate::RetryOptions) -> Self {
            self.$($at).+.retry = options;
            self
        }
    };
    (tenants: $($at:ident).+) => {
        /// Sets the tenants besides the credential's own that a request may name; `*` for all.
        /// Default: none.
        pub fn additionally_allowed_tenants<S: Into<String>>(
            mut self,
            tenants: impl IntoIterator<Item = S>,
        ) -> Self {
            self.$($at).+.additionally_allowed_tenants =
                tenants.into_iter().map(Into::into).collect();
            self
        }
    };
    (entra: $($at:ident).+) => {
        $crate::options::setters!(host: $($at).+.common);
        $crate::options::setters!(cache: $($at).+.common);
        $crate::options::setters!(retry: $($at).+);
        $crate::options::setters!(tenants: $($at).+);

        /// Sets the https URL of the authority. Default: `AZURE_AUTHORITY_HOST`, else
        /// `https://login.microsoftonline.com` (EN-02).
        pub fn authority_host(mut self, host: impl Into<String>) -> Self {
            self.$($at).+.authority_host = Some(host.into());
            self
        }

        /// Sets all these options at once.
        pub fn options(mut self, options: $crate::EntraOptions) -> Self {
            self.$($at).+ = options;
            self
        }
    };
    (tool: $($at:ident).+) => {
        $crate::options::setters!(host: $($at).+.common);
        $crate::options::setters!(tenants: $($at).+);

        /// Sets the tenant to ask in. Default: the tool's own, and a request may name any other.
        pub fn tenant_id(mut self, tenant: impl Into<String>) -> Self {
            self.$($at).+.tenant_id = Some(tenant.into());
            self
        }

        /// Sets how long a run of the tool may take before it is killed. Default: 15 s (PR-15).
        pub fn process_timeout(mut self, limit: ::std::time::Duration) -> Self {
            self.$($at).+.process_timeout = Some(limit);
            self
        }

        /// Sets all these options at once.
        pub fn options(mut self, options: $crate::ToolOptions) -> Self {
            self.$($at).+ = options;
            self
        }
    };
}
pub(crate) use setters;
