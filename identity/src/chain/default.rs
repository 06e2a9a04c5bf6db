//! The chain that fits most applications, in development and when deployed.

use std::{sync::Arc, time::Duration};

use crate::{
    AzureCliCredential, AzureDeveloperCliCredential, AzurePowerShellCredential, EntraOptions,
    EnvironmentCredential, Error, ManagedIdentityCredential, TokenCredential, ToolOptions,
    credential::credential, options::setters, platform::Platform,
};

use super::{
    ContinueAfter, FallbackPolicy,
    members::Member,
    selection::{self, Kind, Selection},
    standin::StandIn,
    walk::{Chain, ChainHandle},
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
pub struct DefaultAzureCredential(ChainHandle);

impl DefaultAzureCredential {
    /// Starts with default options.
    pub fn builder() -> DefaultAzureCredentialBuilder {
        DefaultAzureCredentialBuilder::default()
    }
}

credential!(DefaultAzureCredential);

/// Options of a [`DefaultAzureCredential`].
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until `build`"]
pub struct DefaultAzureCredentialBuilder {
    /// Those of the members that ask Entra; `common` is every member's.
    entra: EntraOptions,
    tenant_id: Option<String>,
    process_timeout: Option<Duration>,
    managed_identity_client_id: Option<String>,
    managed_identity_object_id: Option<String>,
    managed_identity_resource_id: Option<String>,
    required_env_vars: Vec<String>,
    continue_after: ContinueAfter,
    fallback_policy: FallbackPolicy,
}

impl DefaultAzureCredentialBuilder {
    setters!(entra: entra);

    /// The tenant in which the developer credentials ask. Default: the tools' own. The environment
    /// names its tenant itself.
    pub fn tenant_id(mut self, tenant: impl Into<String>) -> Self {
        self.tenant_id = Some(tenant.into());
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

    /// The chain. Reads the environment variables, and asks nobody.
    ///
    /// # Errors
    /// [`Configuration`](crate::ErrorKind::Configuration) when a required variable is missing or
    /// `AZURE_TOKEN_CREDENTIALS` selects nothing. What is wrong with a single member is that
    /// member's answer instead (PR-05).
    pub fn build(self) -> Result<DefaultAzureCredential, Error> {
        let platform = self.entra.common.host();
        selection::require(&platform, &self.required_env_vars)?;
        let Selection { members, named } = Selection::read(&platform)?;
        // What a member would tell an observer, the chain tells.
        let mut entra = self.entra.clone();
        entra.common.platform = Some(platform.clone());
        let common = entra.common.clone();
        entra.common.observer = None;
        let members = members
            .into_iter()
            .map(|kind| Member {
                credential: self
                    .member(kind, named, &platform, &entra)
                    .unwrap_or_else(|error| Arc::new(StandIn::failing(kind.name(), error))),
                continue_after: if kind.is_developer() {
                    ContinueAfter::Failure
                } else {
                    self.continue_after
                },
                shared: false,
            })
            .collect();
        let chain = Chain::new(NAME, &common, members, self.fallback_policy);
        Ok(DefaultAzureCredential(ChainHandle::new(chain)))
    }

    fn member(
        &self,
        kind: Kind,
        named: bool,
        platform: &Platform,
        entra: &EntraOptions,
    ) -> Result<Arc<dyn TokenCredential>, Error> {
        let tool = || ToolOptions {
            common: entra.common.clone(),
            tenant_id: self.tenant_id.clone(),
            additionally_allowed_tenants: entra.additionally_allowed_tenants.clone(),
            process_timeout: self.process_timeout,
        };
        Ok(match kind {
            Kind::Environment => {
                let builder = EnvironmentCredential::builder().options(entra.clone());
                Arc::new(builder.build()?)
            }
            Kind::ManagedIdentity => Arc::new(self.managed_identity(named, platform, entra)?),
            Kind::AzureCli => Arc::new(AzureCliCredential::builder().options(tool()).build()?),
            Kind::AzurePowerShell => Arc::new(
                AzurePowerShellCredential::builder()
                    .options(tool())
                    .build()?,
            ),
            Kind::AzureDeveloperCli => Arc::new(
                AzureDeveloperCliCredential::builder()
                    .options(tool())
                    .build()?,
            ),
            Kind::WorkloadIdentity => Arc::new(StandIn::workload_identity(kind.name(), platform)),
            Kind::VisualStudioCode | Kind::Broker => Arc::new(StandIn::not_built(kind.name())),
        })
    }

    fn managed_identity(
        &self,
        named: bool,
        platform: &Platform,
        entra: &EntraOptions,
    ) -> Result<ManagedIdentityCredential, Error> {
        let mut builder = ManagedIdentityCredential::builder()
            .options(entra.common.clone())
            .retry(entra.retry.clone());
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
            client_id = platform.environment.non_empty("AZURE_CLIENT_ID");
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
}
