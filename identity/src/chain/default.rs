//! The chain that fits most applications, in development and when deployed.

use std::{sync::Arc, time::Duration};

use crate::{
    AzureCliCredential, AzureDeveloperCliCredential, AzurePowerShellCredential, EntraOptions,
    EnvironmentCredential, Error, ManagedIdentityCredential, TokenCredential, ToolOptions,
    WorkloadIdentityCredential, credential::credential, options::setters, platform::Platform,
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

/// A chain of environment, workload identity, managed identity, Visual Studio Code, Azure CLI,
/// Azure PowerShell, Azure Developer CLI and broker, in this order (CH-01).
///
/// It goes on after [`Unavailable`](crate::ErrorKind::Unavailable) and stops at any other error,
/// except that it goes on after any failure of a developer credential (PR-02). While the member
/// that answered last holds a valid token, that token is returned. Once per life of a token the
/// members before it that might answer are asked again in the background (PR-03). A change of
/// credential or principal is reported or refused, never silent (PR-04).
///
/// The managed identity is probed for at most 1 s, and then asked once, without retries (PR-13).
/// Where the probe gets no answer, as on a laptop, one call in 5 minutes at most waits that second:
/// see the [module](super#members-that-give-no-answer) (PR-07). Members that are not supported yet
/// fail with `Unavailable`, and a member that cannot be built fails with the error of its builder
/// (PR-05).
///
/// `AZURE_TOKEN_CREDENTIALS` selects `dev`, `prod` or one member by name (CH-03). A
/// `ManagedIdentityCredential` that is selected by name is not probed, and retries as it does alone
/// (PR-10). All variables are read once, when the chain is built. Clones share members and state.
///
/// ```no_run
/// use credsim_identity::{DefaultAzureCredential, TokenCredential, TokenRequest};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), credsim_identity::Error> {
/// let credential = DefaultAzureCredential::builder()
///     .managed_identity_client_id("00000000-0000-0000-0000-000000000001")
///     .build()?;
/// let request = TokenRequest::new(["https://vault.azure.net/.default"]);
/// match credential.get_token(&request).await {
///     Ok(token) => println!("{} answered", token.answered_by()),
///     Err(error) => eprintln!("{error}"), // one line for each member, with what to do
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct DefaultAzureCredential(ChainHandle);

impl DefaultAzureCredential {
    /// Creates a builder with default options.
    pub fn builder() -> DefaultAzureCredentialBuilder {
        DefaultAzureCredentialBuilder::default()
    }
}

credential!(DefaultAzureCredential);

/// Options of a [`DefaultAzureCredential`].
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until `build`"]
pub struct DefaultAzureCredentialBuilder {
    /// Options of the members that ask Entra. `common` applies to all members.
    entra: EntraOptions,
    tenant_id: Option<String>,
    process_timeout: Option<Duration>,
    workload_identity_tenant_id: Option<String>,
    workload_identity_client_id: Option<String>,
    managed_identity_client_id: Option<String>,
    managed_identity_object_id: Option<String>,
    managed_identity_resource_id: Option<String>,
    required_env_vars: Vec<String>,
    continue_after: ContinueAfter,
    fallback_policy: FallbackPolicy,
}

impl DefaultAzureCredentialBuilder {
    setters!(entra: entra);

    /// Sets the tenant in which the developer credentials ask. Default: the tenant of each tool.
    /// The environment credential uses `AZURE_TENANT_ID`.
    pub fn tenant_id(mut self, tenant: impl Into<String>) -> Self {
        self.tenant_id = Some(tenant.into());
        self
    }

    /// Sets the tenant of the workload identity. Default: `AZURE_TENANT_ID` (CLI-40).
    pub fn workload_identity_tenant_id(mut self, tenant: impl Into<String>) -> Self {
        self.workload_identity_tenant_id = Some(tenant.into());
        self
    }

    /// Sets the client id of the workload identity. Default: `AZURE_CLIENT_ID` (CLI-40).
    pub fn workload_identity_client_id(mut self, id: impl Into<String>) -> Self {
        self.workload_identity_client_id = Some(id.into());
        self
    }

    /// Selects the managed identity with this client id. Default: `AZURE_CLIENT_ID` if set, else
    /// the system-assigned identity (CH-16).
    pub fn managed_identity_client_id(mut self, id: impl Into<String>) -> Self {
        self.managed_identity_client_id = Some(id.into());
        self
    }

    /// Selects the managed identity with this object id.
    pub fn managed_identity_object_id(mut self, id: impl Into<String>) -> Self {
        self.managed_identity_object_id = Some(id.into());
        self
    }

    /// Selects the managed identity with this Azure resource id.
    pub fn managed_identity_resource_id(mut self, id: impl Into<String>) -> Self {
        self.managed_identity_resource_id = Some(id.into());
        self
    }

    /// Sets how long a run of a developer tool may take before it is killed. Default: 15 s (PR-15).
    pub fn process_timeout(mut self, limit: Duration) -> Self {
        self.process_timeout = Some(limit);
        self
    }

    /// Sets variables that must be set and not empty, such as `AZURE_TOKEN_CREDENTIALS`; otherwise
    /// [`build`](Self::build) fails. Default: none (CH-04).
    pub fn required_env_vars<S: Into<String>>(
        mut self,
        names: impl IntoIterator<Item = S>,
    ) -> Self {
        self.required_env_vars = names.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the failures of its environment, workload identity and managed identity credentials
    /// after which the chain goes on. Default: `Unavailable` (PR-02).
    pub fn continue_after(mut self, continue_after: ContinueAfter) -> Self {
        self.continue_after = continue_after;
        self
    }

    /// Sets what happens when the identity changes. Default: `Report` (PR-04).
    pub fn fallback_policy(mut self, policy: FallbackPolicy) -> Self {
        self.fallback_policy = policy;
        self
    }

    /// Builds the chain. Reads the environment variables and sends nothing.
    ///
    /// # Errors
    /// [`Configuration`](crate::ErrorKind::Configuration) if a required variable is missing or
    /// `AZURE_TOKEN_CREDENTIALS` selects nothing. A member that cannot be built is no error here:
    /// its error is listed when the chain is asked (PR-05).
    pub fn build(self) -> Result<DefaultAzureCredential, Error> {
        let platform = self.entra.common.host();
        selection::require(&platform, &self.required_env_vars)?;
        let Selection { members, named } = Selection::read(&platform)?;
        // The chain notifies the observer of changes, so the members do not.
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
            Kind::WorkloadIdentity => Arc::new(self.workload_identity(entra)?),
            Kind::VisualStudioCode | Kind::Broker => Arc::new(StandIn::not_supported(kind.name())),
        })
    }

    fn workload_identity(&self, entra: &EntraOptions) -> Result<WorkloadIdentityCredential, Error> {
        let mut builder = WorkloadIdentityCredential::builder().options(entra.clone());
        if let Some(tenant) = &self.workload_identity_tenant_id {
            builder = builder.tenant_id(tenant);
        }
        if let Some(id) = &self.workload_identity_client_id {
            builder = builder.client_id(id);
        }
        builder.build()
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
