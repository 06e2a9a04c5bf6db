//! The chain that fits most applications, in development and when deployed.

use std::{fmt, sync::Arc, time::Duration};

use crate::{
    AccessToken, AzureCliCredential, AzureDeveloperCliCredential, AzurePowerShellCredential,
    EnvironmentCredential, Error, ManagedIdentityCredential, TokenCredential, TokenRef,
    TokenRequest,
    platform::{BoxFuture, Platform},
    retry::RetryOptions,
};

use super::{
    ContinueAfter, FallbackPolicy, Observer, ObserverRef,
    members::Member,
    selection::{self, Kind, Selection},
    standin::StandIn,
    walk::Chain,
};

/// The class name in documentation, logs and errors.
pub(super) const NAME: &str = "DefaultAzureCredential";

/// Environment, workload identity, managed identity, Visual Studio Code, Azure CLI, Azure
/// PowerShell, Azure Developer CLI and broker, in this order (CH-01).
///
/// It goes on after [`Unavailable`](crate::ErrorKind::Unavailable) and stops at anything else; its
/// developer credentials let it go on after any failure (PR-02). The managed identity is probed
/// first and asked once (PR-13). While the member that answered last holds a valid token, that is
/// the answer; once per life of a token, the members before it that might answer are asked again in
/// the background (PR-03). Another credential or principal than before is reported or refused,
/// never silent (PR-04). Members that are not built yet answer `Unavailable` by name, and so does a
/// member whose constructor failed, with that error (PR-05).
///
/// `AZURE_TOKEN_CREDENTIALS` selects `dev`, `prod` or one member by name (CH-03); naming
/// `ManagedIdentityCredential` gives it the retries of PR-10 and no probe, and keeps its options.
/// All variables are read once, at construction. Clones share members and memory.
#[derive(Clone)]
pub struct DefaultAzureCredential(Arc<Chain>);

impl DefaultAzureCredential {
    /// Starts with default options.
    pub fn builder() -> DefaultAzureCredentialBuilder {
        DefaultAzureCredentialBuilder::default()
    }
}

impl TokenCredential for DefaultAzureCredential {
    fn name(&self) -> &str {
        NAME
    }

    fn get_token<'a>(
        &'a self,
        request: &'a TokenRequest,
    ) -> BoxFuture<'a, Result<AccessToken, Error>> {
        Box::pin(self.0.get_token(request))
    }

    fn hit(&self, request: &TokenRequest) -> Option<TokenRef> {
        self.0.hit(request)
    }

    fn hit_scopes(&self, scopes: &[&str]) -> Option<TokenRef> {
        self.0.hit_scopes(scopes)
    }

    fn cached(&self, request: &TokenRequest) -> Option<AccessToken> {
        self.0.cached(request)
    }

    fn never_answers(&self) -> bool {
        self.0.never_answers()
    }

    fn dispose(&self) {
        self.0.dispose();
    }
}

impl fmt::Debug for DefaultAzureCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Options of a [`DefaultAzureCredential`].
#[derive(Clone, Default)]
#[must_use = "a builder does nothing until `build`"]
pub struct DefaultAzureCredentialBuilder {
    tenant_id: Option<String>,
    additionally_allowed_tenants: Vec<String>,
    authority_host: Option<String>,
    managed_identity_client_id: Option<String>,
    managed_identity_object_id: Option<String>,
    managed_identity_resource_id: Option<String>,
    process_timeout: Option<Duration>,
    retry: RetryOptions,
    required_env_vars: Vec<String>,
    continue_after: ContinueAfter,
    fallback_policy: FallbackPolicy,
    observer: ObserverRef,
    platform: Option<Platform>,
    cache_capacity: Option<usize>,
}

impl DefaultAzureCredentialBuilder {
    /// The tenant in which the developer credentials ask. Default: the tools' own. The environment
    /// names its tenant itself.
    pub fn tenant_id(mut self, tenant: impl Into<String>) -> Self {
        self.tenant_id = Some(tenant.into());
        self
    }

    /// Tenants besides its own in which a request may ask; `*` for all. Default: none, for the
    /// environment `AZURE_ADDITIONALLY_ALLOWED_TENANTS`.
    pub fn additionally_allowed_tenants<S: Into<String>>(
        mut self,
        tenants: impl IntoIterator<Item = S>,
    ) -> Self {
        self.additionally_allowed_tenants = tenants.into_iter().map(Into::into).collect();
        self
    }

    /// The https URL of the authority. Default: `AZURE_AUTHORITY_HOST`, else
    /// `https://login.microsoftonline.com`.
    pub fn authority_host(mut self, host: impl Into<String>) -> Self {
        self.authority_host = Some(host.into());
        self
    }

    /// The managed identity with this client id. Default: `AZURE_CLIENT_ID` if set, else the
    /// system-assigned identity (CH-16).
    pub fn managed_identity_client_id(mut self, id: impl Into<String>) -> Self {
        self.managed_identity_client_id = Some(id.into());
        self
    }

    /// The managed identity with this object id.
    pub fn managed_identity_object_id(mut self, id: impl Into<String>) -> Self {
        self.managed_identity_object_id = Some(id.into());
        self
    }

    /// The managed identity with this Azure resource id.
    pub fn managed_identity_resource_id(mut self, id: impl Into<String>) -> Self {
        self.managed_identity_resource_id = Some(id.into());
        self
    }

    /// How long a developer's tool may take before it is killed. Default: 15 s (PR-15).
    pub fn process_timeout(mut self, limit: Duration) -> Self {
        self.process_timeout = Some(limit);
        self
    }

    /// How failures of Entra are retried, and those of the managed identity when
    /// `AZURE_TOKEN_CREDENTIALS` names it; otherwise it is asked once (PR-13).
    pub fn retry(mut self, options: RetryOptions) -> Self {
        self.retry = options;
        self
    }

    /// Variables that must be set and not empty, such as `AZURE_TOKEN_CREDENTIALS` (CH-04).
    pub fn required_env_vars<S: Into<String>>(
        mut self,
        names: impl IntoIterator<Item = S>,
    ) -> Self {
        self.required_env_vars = names.into_iter().map(Into::into).collect();
        self
    }

    /// After which failures of its deployed-application credentials the chain goes on. Default:
    /// `Unavailable` (PR-02).
    pub fn continue_after(mut self, continue_after: ContinueAfter) -> Self {
        self.continue_after = continue_after;
        self
    }

    /// What happens when the identity changes. Default: `Report` (PR-04).
    pub fn fallback_policy(mut self, policy: FallbackPolicy) -> Self {
        self.fallback_policy = policy;
        self
    }

    /// Is told about each walk and each change of identity (PR-04).
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// The host it runs on. Default: the real machine.
    pub fn platform(mut self, platform: Platform) -> Self {
        self.platform = Some(platform);
        self
    }

    /// The cache of each member that has one holds at most so many tokens, at least 1. Default:
    /// 10,000 (PR-29).
    pub fn cache_capacity(mut self, entries: usize) -> Self {
        self.cache_capacity = Some(entries);
        self
    }

    /// The chain. Reads the environment variables, and asks nobody.
    ///
    /// # Errors
    /// [`Configuration`](crate::ErrorKind::Configuration) when a required variable is missing or
    /// `AZURE_TOKEN_CREDENTIALS` selects nothing. What is wrong with a single member is that
    /// member's answer instead (PR-05).
    pub fn build(self) -> Result<DefaultAzureCredential, Error> {
        let platform = self.platform.clone().unwrap_or_default();
        selection::require(&platform, &self.required_env_vars)?;
        let Selection { members, named } = Selection::read(&platform)?;
        let members = members
            .into_iter()
            .map(|kind| Member {
                credential: self
                    .member(kind, named, &platform)
                    .unwrap_or_else(|error| Arc::new(StandIn::failing(kind.name(), error))),
                continue_after: if kind.is_developer() {
                    ContinueAfter::Failure
                } else {
                    self.continue_after
                },
                shared: false,
            })
            .collect();
        let chain = Chain::new(NAME, platform, members, self.fallback_policy, self.observer);
        Ok(DefaultAzureCredential(Arc::new(chain)))
    }

    /// The members get no observer: what they would tell, the chain tells.
    fn member(
        &self,
        kind: Kind,
        named: bool,
        platform: &Platform,
    ) -> Result<Arc<dyn TokenCredential>, Error> {
        Ok(match kind {
            Kind::Environment => Arc::new(self.environment(platform)?),
            Kind::ManagedIdentity => Arc::new(self.managed_identity(named, platform)?),
            Kind::AzureCli => Arc::new(self.azure_cli(platform)?),
            Kind::AzurePowerShell => Arc::new(self.azure_powershell(platform)?),
            Kind::AzureDeveloperCli => Arc::new(self.azure_developer_cli(platform)?),
            Kind::WorkloadIdentity | Kind::VisualStudioCode | Kind::Broker => {
                Arc::new(StandIn::not_built(kind.name()))
            }
        })
    }

    fn environment(&self, platform: &Platform) -> Result<EnvironmentCredential, Error> {
        let mut builder = EnvironmentCredential::builder()
            .platform(platform.clone())
            .retry(self.retry.clone());
        if let Some(entries) = self.cache_capacity {
            builder = builder.cache_capacity(entries);
        }
        if let Some(host) = &self.authority_host {
            builder = builder.authority_host(host);
        }
        if !self.additionally_allowed_tenants.is_empty() {
            builder = builder.additionally_allowed_tenants(&self.additionally_allowed_tenants);
        }
        builder.build()
    }

    fn managed_identity(
        &self,
        named: bool,
        platform: &Platform,
    ) -> Result<ManagedIdentityCredential, Error> {
        let mut builder = ManagedIdentityCredential::builder()
            .platform(platform.clone())
            .retry(self.retry.clone());
        if let Some(entries) = self.cache_capacity {
            builder = builder.cache_capacity(entries);
        }
        if !named {
            builder = builder.in_default_chain();
        }
        let given = [
            &self.managed_identity_client_id,
            &self.managed_identity_object_id,
            &self.managed_identity_resource_id,
        ];
        let mut client_id = self.managed_identity_client_id.clone();
        if given.iter().all(|id| id.is_none()) {
            client_id = platform
                .environment
                .var("AZURE_CLIENT_ID")
                .filter(|id| !id.is_empty());
        }
        if let Some(id) = client_id {
            builder = builder.client_id(id);
        }
        if let Some(id) = &self.managed_identity_object_id {
            builder = builder.object_id(id);
        }
        if let Some(id) = &self.managed_identity_resource_id {
            builder = builder.resource_id(id);
        }
        builder.build()
    }

    fn azure_cli(&self, platform: &Platform) -> Result<AzureCliCredential, Error> {
        let mut builder = AzureCliCredential::builder()
            .platform(platform.clone())
            .additionally_allowed_tenants(&self.additionally_allowed_tenants);
        if let Some(tenant) = &self.tenant_id {
            builder = builder.tenant_id(tenant);
        }
        if let Some(limit) = self.process_timeout {
            builder = builder.process_timeout(limit);
        }
        builder.build()
    }

    fn azure_powershell(&self, platform: &Platform) -> Result<AzurePowerShellCredential, Error> {
        let mut builder = AzurePowerShellCredential::builder()
            .platform(platform.clone())
            .additionally_allowed_tenants(&self.additionally_allowed_tenants);
        if let Some(tenant) = &self.tenant_id {
            builder = builder.tenant_id(tenant);
        }
        if let Some(limit) = self.process_timeout {
            builder = builder.process_timeout(limit);
        }
        builder.build()
    }

    fn azure_developer_cli(
        &self,
        platform: &Platform,
    ) -> Result<AzureDeveloperCliCredential, Error> {
        let mut builder = AzureDeveloperCliCredential::builder()
            .platform(platform.clone())
            .additionally_allowed_tenants(&self.additionally_allowed_tenants);
        if let Some(tenant) = &self.tenant_id {
            builder = builder.tenant_id(tenant);
        }
        if let Some(limit) = self.process_timeout {
            builder = builder.process_timeout(limit);
        }
        builder.build()
    }
}
