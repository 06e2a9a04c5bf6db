//! An application that signs in with a client secret.

use std::{fmt, sync::Arc};

use zeroize::Zeroizing;

use crate::{
    AccessToken, Error, ErrorKind, TokenCredential, TokenRef, TokenRequest,
    cache::{CacheKey, DEFAULT_CAPACITY, TokenCache},
    chain::{Observer, ObserverRef},
    entra::{self, Application, Authority, Tenants},
    platform::{BoxFuture, Platform},
    retry::{RetryOptions, RetryPolicy},
};

const NAME: &str = "ClientSecretCredential";

/// Tenants in which no application can sign in as itself (EN-07).
const NO_TENANT: [&str; 3] = ["common", "organizations", "consumers"];

/// Tokens of an application (service principal) that proves itself with a client secret: the OAuth
/// 2.0 client credentials grant (EN-23).
///
/// Retried as PR-14 and PR-12 say, cached as PR-20 to PR-26 say. Nothing but the token endpoint is
/// ever asked. Clones share one cache; a new instance starts with an empty one (PR-06).
#[derive(Clone)]
pub struct ClientSecretCredential {
    application: Arc<Application>,
    tenants: Tenants,
    cache: TokenCache,
}

impl ClientSecretCredential {
    /// Starts with the tenant (id or domain name), the client (application) id and the value of
    /// the client secret.
    pub fn builder(
        tenant_id: impl Into<String>,
        client_id: impl Into<String>,
        client_secret: impl Into<String>,
    ) -> ClientSecretCredentialBuilder {
        ClientSecretCredentialBuilder {
            name: NAME,
            tenant_id: tenant_id.into(),
            client_id: client_id.into(),
            client_secret: Zeroizing::new(client_secret.into()),
            authority_host: None,
            additionally_allowed_tenants: Vec::new(),
            retry: RetryOptions::default(),
            platform: None,
            observer: None,
            cache_capacity: None,
        }
    }

    fn key(&self, request: &TokenRequest) -> Result<(CacheKey, String), Error> {
        let name = self.application.name;
        if request.scopes().is_empty() || request.scopes().iter().any(String::is_empty) {
            return Err(Error::new(ErrorKind::Configuration, name, "needs a scope")
                .with_help("ask for a scope such as https://vault.azure.net/.default"));
        }
        let tenant = self
            .tenants
            .resolve(name, request)?
            .unwrap_or_default()
            .to_owned();
        let key = CacheKey::of(request)
            .tenant(tenant.to_ascii_lowercase())
            .client(&self.application.client_id)
            .authority(self.application.authority.as_str());
        Ok((key, tenant))
    }

    /// `None` for a request that can't be answered.
    fn known_key(&self, request: &TokenRequest) -> Option<CacheKey> {
        self.key(request).ok().map(|(key, _)| key)
    }
}

impl TokenCredential for ClientSecretCredential {
    fn name(&self) -> &str {
        self.application.name
    }

    fn get_token<'a>(
        &'a self,
        request: &'a TokenRequest,
    ) -> BoxFuture<'a, Result<AccessToken, Error>> {
        Box::pin(async move {
            if let Some(hit) = self.hit(request) {
                return Ok(hit.into_token());
            }
            let (key, tenant) = self.key(request)?;
            let fetch = || -> BoxFuture<'static, _> {
                let (application, request) = (Arc::clone(&self.application), request.clone());
                Box::pin(async move {
                    entra::client_secret_token(&application, &tenant, &request).await
                })
            };
            self.cache.get(key, request, fetch).await
        })
    }

    fn hit(&self, request: &TokenRequest) -> Option<TokenRef> {
        self.cache.hit(request, |request| self.known_key(request))
    }

    fn hit_scopes(&self, scopes: &[&str]) -> Option<TokenRef> {
        self.cache
            .hit_scopes(scopes, |request| self.known_key(request))
    }

    fn cached(&self, request: &TokenRequest) -> Option<AccessToken> {
        self.cache.cached(&self.known_key(request)?)
    }

    fn dispose(&self) {
        self.cache.dispose();
    }
}

impl fmt::Debug for ClientSecretCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(self.application.name)
            .field("tenants", &self.tenants)
            .field("client_id", &self.application.client_id)
            .field("authority", &self.application.authority.as_str())
            .finish_non_exhaustive()
    }
}

/// Options of a [`ClientSecretCredential`].
#[derive(Clone)]
#[must_use = "a builder does nothing until `build`"]
pub struct ClientSecretCredentialBuilder {
    name: &'static str,
    tenant_id: String,
    client_id: String,
    client_secret: Zeroizing<String>,
    authority_host: Option<String>,
    additionally_allowed_tenants: Vec<String>,
    retry: RetryOptions,
    platform: Option<Platform>,
    observer: ObserverRef,
    cache_capacity: Option<usize>,
}

impl ClientSecretCredentialBuilder {
    /// The https URL of the authority. Default: `AZURE_AUTHORITY_HOST`, else
    /// `https://login.microsoftonline.com` (EN-02).
    pub fn authority_host(mut self, host: impl Into<String>) -> Self {
        self.authority_host = Some(host.into());
        self
    }

    /// Tenants besides its own in which a request may ask; `*` for all. Default: none.
    pub fn additionally_allowed_tenants<S: Into<String>>(
        mut self,
        tenants: impl IntoIterator<Item = S>,
    ) -> Self {
        self.additionally_allowed_tenants = tenants.into_iter().map(Into::into).collect();
        self
    }

    /// How failures are retried. Default: PR-14.
    pub fn retry(mut self, options: RetryOptions) -> Self {
        self.retry = options;
        self
    }

    /// The host it runs on. Default: the real machine.
    pub fn platform(mut self, platform: Platform) -> Self {
        self.platform = Some(platform);
        self
    }

    /// Is told when the principal of its tokens changes (PR-04).
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Its cache holds at most so many tokens, at least 1. Default: 10,000 (PR-29).
    pub fn cache_capacity(mut self, entries: usize) -> Self {
        self.cache_capacity = Some(entries);
        self
    }

    /// As the inside of another credential, which its tokens and errors then name.
    pub(super) fn within(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    /// The credential. Sends nothing.
    ///
    /// # Errors
    /// [`Configuration`](ErrorKind::Configuration) when a value is empty, the tenant is not a
    /// tenant id or domain name, or the authority host is not https.
    pub fn build(self) -> Result<ClientSecretCredential, Error> {
        let name = self.name;
        let wrong = |what: &str| Error::new(ErrorKind::Configuration, name, what);
        if NO_TENANT
            .iter()
            .any(|no| self.tenant_id.eq_ignore_ascii_case(no))
        {
            return Err(wrong("an application signs in to one tenant, not to any")
                .with_help("give the tenant's id or domain name"));
        }
        if self.client_id.trim().is_empty() {
            return Err(wrong("the client id is empty"));
        }
        if self.client_secret.is_empty() {
            return Err(wrong("the client secret is empty"));
        }
        let tenants = Tenants::new(
            name,
            Some(self.tenant_id),
            self.additionally_allowed_tenants,
        )?;
        let platform = self.platform.unwrap_or_default();
        let authority = Authority::new(name, self.authority_host.as_deref(), &platform)?;
        let cache = TokenCache::new(platform.clone(), name)
            .observer(self.observer)
            .capacity(self.cache_capacity.unwrap_or(DEFAULT_CAPACITY));
        let application = Arc::new(Application {
            name,
            platform,
            policy: RetryPolicy::entra().with(&self.retry),
            authority,
            client_id: self.client_id,
            secret: self.client_secret,
        });
        Ok(ClientSecretCredential {
            application,
            tenants,
            cache,
        })
    }
}

impl fmt::Debug for ClientSecretCredentialBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientSecretCredentialBuilder")
            .field("tenant_id", &self.tenant_id)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}
