//! Managed identities: tokens from the host itself, without any secret to keep.

mod imds;
mod probe;
mod response;
mod source;

use std::{fmt, sync::Arc};

use url::Url;

use crate::{
    AccessToken, Error, ErrorKind, TokenCredential, TokenRef, TokenRequest,
    cache::{CacheKey, DEFAULT_CAPACITY, TokenCache},
    chain::{Observer, ObserverRef},
    platform::{BoxFuture, Platform},
    retry::{RetryOptions, RetryPolicy},
    wire,
};

use probe::Probe;
use source::Source;

/// The class name in documentation, logs and errors.
pub(crate) const NAME: &str = "ManagedIdentityCredential";

/// Which identity of the host is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ManagedIdentityId {
    /// The identity that belongs to the host itself.
    SystemAssigned,
    /// A user-assigned identity by its client (application) id.
    ClientId(String),
    /// A user-assigned identity by its object (principal) id.
    ObjectId(String),
    /// A user-assigned identity by its Azure resource id.
    ResourceId(String),
}

/// Tokens of a managed identity, from the Instance Metadata Service of a virtual machine.
///
/// Retried as PR-10 to PR-12 say, cached as PR-20 to PR-26 say. Takes exactly one scope, whose
/// trailing `/.default` is removed (MI-06). The request's tenant is ignored: a managed identity
/// lives in one tenant. Clones share one cache; a new instance starts with an empty one (PR-06).
///
/// App Service, Azure Arc, Service Fabric, Azure Machine Learning, Cloud Shell and token exchange
/// are recognised by their variables (MI-01) but not supported yet: there,
/// [`get_token`](TokenCredential::get_token) answers [`Unavailable`](ErrorKind::Unavailable).
#[derive(Clone)]
pub struct ManagedIdentityCredential {
    fetcher: Arc<Fetcher>,
    cache: TokenCache,
}

impl ManagedIdentityCredential {
    /// Starts with the system-assigned identity and default options.
    pub fn builder() -> ManagedIdentityCredentialBuilder {
        ManagedIdentityCredentialBuilder::default()
    }

    /// The identity it stands for.
    pub fn identity(&self) -> &ManagedIdentityId {
        &self.fetcher.id
    }
}

impl TokenCredential for ManagedIdentityCredential {
    fn name(&self) -> &str {
        NAME
    }

    fn get_token<'a>(
        &'a self,
        request: &'a TokenRequest,
    ) -> BoxFuture<'a, Result<AccessToken, Error>> {
        Box::pin(async move {
            if let Some(hit) = self.hit(request) {
                return Ok(hit.into_token());
            }
            let resource = resource(request)?;
            let key = key(request, &resource);
            let fetch = || -> BoxFuture<'static, _> {
                let fetcher = Arc::clone(&self.fetcher);
                Box::pin(async move { fetcher.fetch(&resource).await })
            };
            self.cache.get(key, request, fetch).await
        })
    }

    fn hit(&self, request: &TokenRequest) -> Option<TokenRef> {
        self.cache.hit(request, known_key)
    }

    fn hit_scopes(&self, scopes: &[&str]) -> Option<TokenRef> {
        self.cache.hit_scopes(scopes, known_key)
    }

    fn cached(&self, request: &TokenRequest) -> Option<AccessToken> {
        self.cache.cached(&known_key(request)?)
    }

    fn never_answers(&self) -> bool {
        !self.fetcher.source.is_supported()
    }

    fn dispose(&self) {
        self.cache.dispose();
    }
}

impl fmt::Debug for ManagedIdentityCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(NAME)
            .field("source", &self.fetcher.source.name())
            .field("identity", &self.fetcher.id)
            .finish_non_exhaustive()
    }
}

/// The resource of the one scope.
fn resource(request: &TokenRequest) -> Result<String, Error> {
    match request.scopes() {
        [scope] if !scope.is_empty() => {
            Ok(scope.strip_suffix("/.default").unwrap_or(scope).to_owned())
        }
        scopes => Err(Error::new(
            ErrorKind::Configuration,
            NAME,
            format!("takes exactly one scope, not {}", scopes.len()),
        )
        .with_help("ask for one scope, such as https://vault.azure.net/.default")),
    }
}

fn key(request: &TokenRequest, resource: &str) -> CacheKey {
    CacheKey::of(request).resource(resource)
}

/// `None` for a request that can't be answered.
fn known_key(request: &TokenRequest) -> Option<CacheKey> {
    Some(key(request, &resource(request).ok()?))
}

/// What a fetch needs. It knows no cache, so that work of the cache never keeps the cache alive.
struct Fetcher {
    platform: Platform,
    source: Source,
    endpoint: Url,
    id: ManagedIdentityId,
    policy: RetryPolicy,
    probe: Option<Probe>,
}

impl Fetcher {
    async fn fetch(&self, resource: &str) -> Result<AccessToken, Error> {
        if !self.source.is_supported() {
            let message = format!(
                "{} managed identity is not supported yet",
                self.source.name()
            );
            return Err(Error::new(ErrorKind::Unavailable, NAME, message)
                .with_help("use another credential on this host"));
        };
        if let Some(probe) = &self.probe {
            probe.check(&self.platform, &self.endpoint).await?;
        }
        let request = imds::token_request(&self.platform, &self.endpoint, resource, &self.id);
        match wire::exchange(&self.platform, &self.policy, "managed-identity", request).await {
            Ok(exchange) => response::token(exchange, &self.id),
            Err(failure) => Err(wire::unanswered(
                NAME,
                "IMDS",
                failure,
                ErrorKind::Unavailable,
                "is this an Azure host, and is 169.254.169.254 reachable from it?",
            )),
        }
    }
}

/// Options of a [`ManagedIdentityCredential`].
#[derive(Clone, Default)]
#[must_use = "a builder does nothing until `build`"]
pub struct ManagedIdentityCredentialBuilder {
    client_id: Option<String>,
    object_id: Option<String>,
    resource_id: Option<String>,
    retry: RetryOptions,
    platform: Option<Platform>,
    observer: ObserverRef,
    in_default_chain: bool,
    cache_capacity: Option<usize>,
}

impl ManagedIdentityCredentialBuilder {
    /// The user-assigned identity with this client id.
    pub fn client_id(mut self, id: impl Into<String>) -> Self {
        self.client_id = Some(id.into());
        self
    }

    /// The user-assigned identity with this object id.
    pub fn object_id(mut self, id: impl Into<String>) -> Self {
        self.object_id = Some(id.into());
        self
    }

    /// The user-assigned identity with this Azure resource id.
    pub fn resource_id(mut self, id: impl Into<String>) -> Self {
        self.resource_id = Some(id.into());
        self
    }

    /// How failures are retried. Default: PR-10.
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

    /// As a member of `DefaultAzureCredential`: a probe first, then a single attempt (PR-13).
    pub(crate) fn in_default_chain(mut self) -> Self {
        self.in_default_chain = true;
        self
    }

    /// The credential. Looks at the environment variables of the host once, and sends nothing.
    ///
    /// # Errors
    /// [`Configuration`](ErrorKind::Configuration) when more than one id was given (MI-07), an id
    /// is empty, or `AZURE_POD_IDENTITY_AUTHORITY_HOST` is no URL.
    pub fn build(self) -> Result<ManagedIdentityCredential, Error> {
        let id = one_id(self.client_id, self.object_id, self.resource_id)?;
        let platform = self.platform.unwrap_or_default();
        let has_client_id = matches!(id, ManagedIdentityId::ClientId(_));
        let source = Source::detect(&platform, has_client_id);
        let endpoint = match &source {
            Source::Imds { authority } => imds::endpoint(authority.as_deref())?,
            _ => imds::endpoint(None)?,
        };
        let policy = if self.in_default_chain {
            RetryPolicy::in_default_chain()
        } else {
            RetryPolicy::managed_identity().with(&self.retry)
        };
        let cache = TokenCache::new(platform.clone(), NAME)
            .observer(self.observer)
            .capacity(self.cache_capacity.unwrap_or(DEFAULT_CAPACITY));
        let probe = self.in_default_chain.then(Probe::default);
        let fetcher = Arc::new(Fetcher {
            platform,
            source,
            endpoint,
            id,
            policy,
            probe,
        });
        Ok(ManagedIdentityCredential { fetcher, cache })
    }
}

fn one_id(
    client_id: Option<String>,
    object_id: Option<String>,
    resource_id: Option<String>,
) -> Result<ManagedIdentityId, Error> {
    let mut given = [
        client_id.map(ManagedIdentityId::ClientId),
        object_id.map(ManagedIdentityId::ObjectId),
        resource_id.map(ManagedIdentityId::ResourceId),
    ]
    .into_iter()
    .flatten();
    let wrong = |what| {
        Error::new(ErrorKind::Configuration, NAME, what)
            .with_help("give one of client_id, object_id and resource_id, or none")
    };
    let id = given.next().unwrap_or(ManagedIdentityId::SystemAssigned);
    if given.next().is_some() {
        return Err(wrong("more than one id of a managed identity was given"));
    }
    match &id {
        ManagedIdentityId::ClientId(id)
        | ManagedIdentityId::ObjectId(id)
        | ManagedIdentityId::ResourceId(id)
            if id.trim().is_empty() =>
        {
            Err(wrong("the id of the managed identity is empty"))
        }
        _ => Ok(id),
    }
}
