//! Managed identities: tokens from the Azure host itself, without a secret to keep.
//!
//! ```no_run
//! use credsim_identity::{ManagedIdentityCredential, TokenCredentialExt, TokenRequest};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), credsim_identity::Error> {
//! // The identity of the host itself. A user-assigned one has an id:
//! let credential = ManagedIdentityCredential::builder()
//!     .client_id("00000000-0000-0000-0000-000000000001")
//!     .build()?;
//! let request = TokenRequest::new(["https://storage.azure.com/.default"]);
//! let token = credential.token(&request).await?;
//! println!("valid until {}, as {:?}", token.expires_on(), token.principal());
//! # Ok(())
//! # }
//! ```

mod answer;
mod app_service;
mod detect;
mod imds;
mod probe;
mod service;
mod service_fabric;
mod token_exchange;
mod variable;

use crate::{
    CachedCredential, CommonOptions, Error, ErrorKind, TokenRequest,
    cache::CacheKey,
    credential::credential,
    federation::Federated,
    http::{RetryOptions, RetryPolicy},
    options::setters,
    platform::{BoxFuture, Platform},
    source::{AccountStore, Fetched, TokenSource},
};

use probe::Probe;
use service::Service;

/// The class name in documentation, logs and errors.
pub(crate) const NAME: &str = "ManagedIdentityCredential";

/// Selects an identity of the host.
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

/// Gets tokens of a managed identity from the host: from the Instance Metadata Service (IMDS) of a
/// virtual machine, or from the token endpoint of an app on App Service or Functions, or of an
/// application on Service Fabric. Variables of the host say which (MI-01).
///
/// It takes exactly one scope, whose trailing `/.default` is removed (MI-06). The tenant of a
/// request is ignored, because a managed identity belongs to one tenant. Failures are retried up to
/// 5 times after 0.8 to 12.8 s (PR-10 to PR-12). Tokens are cached and renewed as
/// [`TokenCache`](crate::cache::TokenCache) describes (PR-20 to PR-26). Clones share one cache; a
/// new instance starts with an empty one (PR-06).
///
/// In a pod with workload identity, whose variables name a client id, a tenant and a token file,
/// the token of the pod is exchanged for one of that client, as
/// [`WorkloadIdentityCredential`](crate::WorkloadIdentityCredential) does (MI-40).
///
/// Service Fabric is asked over https only, and its certificate must have the thumbprint that its
/// variable names: another one gets no secret. It takes no id of an identity (MI-14, MI-106).
///
/// Azure Arc, Azure Machine Learning and Cloud Shell are recognised by their variables but not
/// supported yet: there, [`get_token`](crate::TokenCredential::get_token) answers
/// [`Configuration`](ErrorKind::Configuration), in Cloud Shell
/// [`Unavailable`](ErrorKind::Unavailable) (PR-08).
#[derive(Clone)]
pub struct ManagedIdentityCredential(CachedCredential<ManagedIdentity>);

impl ManagedIdentityCredential {
    /// Creates a builder with the system-assigned identity and default options.
    pub fn builder() -> ManagedIdentityCredentialBuilder {
        ManagedIdentityCredentialBuilder::default()
    }

    /// Returns the identity whose tokens this credential gets.
    pub fn identity(&self) -> &ManagedIdentityId {
        &self.0.source().id
    }
}

credential!(ManagedIdentityCredential);

/// The managed identity of a host, as a source of tokens.
#[derive(Debug)]
struct ManagedIdentity {
    id: ManagedIdentityId,
    /// Exchanges the token of this pod, instead of the service (MI-40).
    exchange: Option<Federated>,
    /// The service of this host, or why none can be used.
    service: Result<Box<dyn Service>, Error>,
    policy: RetryPolicy,
    probe: Option<Probe>,
    platform: Platform,
}

impl TokenSource for ManagedIdentity {
    fn name(&self) -> &str {
        NAME
    }

    fn key(&self, request: &TokenRequest) -> Result<CacheKey, Error> {
        Ok(CacheKey::of(request).resource(resource(request)?))
    }

    fn fetch<'a>(
        &'a self,
        request: &'a TokenRequest,
        _: &'a dyn AccountStore,
    ) -> BoxFuture<'a, Result<Fetched, Error>> {
        Box::pin(async move {
            if let Some(exchange) = &self.exchange {
                let scope = format!("{}/.default", resource(request)?);
                let token = exchange.token_in_own_tenant(request, &scope).await;
                return token.map(Fetched::from);
            }
            let service = &**self.service.as_ref().map_err(Error::clone)?;
            if let Some(probe) = &self.probe
                && let Some(request) = service.probe_request(&self.platform)
            {
                probe.check(&self.platform, request).await?;
            }
            let resource = resource(request)?;
            let token = service::token(service, &self.platform, &self.policy, resource, &self.id);
            token.await.map(Fetched::from)
        })
    }

    fn never_answers(&self) -> bool {
        self.service.is_err() && self.exchange.is_none()
    }
}

/// The resource of the one scope.
fn resource(request: &TokenRequest) -> Result<&str, Error> {
    match request.scopes() {
        [scope] if !scope.is_empty() => Ok(scope.strip_suffix("/.default").unwrap_or(scope)),
        scopes => Err(Error::new(
            ErrorKind::Configuration,
            NAME,
            match scopes.len() {
                1 => "the scope is empty".to_owned(),
                count => format!("takes exactly one scope, not {count}"),
            },
        )
        .with_help("ask for one scope, such as https://vault.azure.net/.default")),
    }
}

/// Options of a [`ManagedIdentityCredential`].
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until `build`"]
pub struct ManagedIdentityCredentialBuilder {
    client_id: Option<String>,
    object_id: Option<String>,
    resource_id: Option<String>,
    retry: RetryOptions,
    common: CommonOptions,
    in_default_chain: bool,
}

impl ManagedIdentityCredentialBuilder {
    setters!(host: common);
    setters!(cache: common);

    /// Selects the user-assigned identity with this client id.
    pub fn client_id(mut self, id: impl Into<String>) -> Self {
        self.client_id = Some(id.into());
        self
    }

    /// Selects the user-assigned identity with this object id.
    pub fn object_id(mut self, id: impl Into<String>) -> Self {
        self.object_id = Some(id.into());
        self
    }

    /// Selects the user-assigned identity with this Azure resource id.
    pub fn resource_id(mut self, id: impl Into<String>) -> Self {
        self.resource_id = Some(id.into());
        self
    }

    /// Sets how failures are retried. Default: up to 5 retries after 0.8, 1.6, 3.2, 6.4 and 12.8 s
    /// (PR-10).
    pub fn retry(mut self, options: RetryOptions) -> Self {
        self.retry = options;
        self
    }

    /// Sets all common options at once.
    pub fn options(mut self, options: CommonOptions) -> Self {
        self.common = options;
        self
    }

    /// As a member of `DefaultAzureCredential`: where the host does not name its service, a probe
    /// first, then a single attempt (PR-13).
    pub(crate) fn in_default_chain(mut self) -> Self {
        self.in_default_chain = true;
        self
    }

    /// Builds the credential. Reads the environment variables of the host once and sends nothing.
    ///
    /// # Errors
    /// [`Configuration`](ErrorKind::Configuration) if more than one id was given or an id is empty
    /// (MI-07).
    pub fn build(self) -> Result<ManagedIdentityCredential, Error> {
        let id = one_id(self.client_id, self.object_id, self.resource_id)?;
        let platform = self.common.host();
        let exchange = token_exchange::detect(&platform, &id, &self.common, &self.retry)?;
        let service = detect::detect(&platform, &id)?;
        let is_probed = |service: &dyn Service| service.probe_request(&platform).is_some();
        let policy = match &service {
            Ok(service) if self.in_default_chain && is_probed(&**service) => {
                RetryPolicy::in_default_chain()
            }
            Ok(service) => service.retry_policy().with(&self.retry),
            Err(_) => RetryPolicy::managed_identity(),
        };
        let source = ManagedIdentity {
            id,
            exchange,
            service,
            policy,
            probe: self.in_default_chain.then(Probe::default),
            platform,
        };
        let credential = CachedCredential::with_options(source, &self.common);
        Ok(ManagedIdentityCredential(credential))
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
