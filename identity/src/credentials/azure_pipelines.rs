//! A service connection of Azure Pipelines (CLI-43, CLI-44).

use crate::{
    CachedCredential, EntraOptions, Error, ErrorKind, Secret,
    credential::credential,
    entra::AppId,
    federation::{Federated, PIPELINES_URI, Pipelines},
    options::setters,
};

/// The class name in documentation, logs and errors.
const NAME: &str = "AzurePipelinesCredential";

/// Gets tokens of the application behind a service connection of Azure Pipelines, in a job that may
/// use it: Pipelines issues an assertion for the job, which is exchanged for an access token.
///
/// Each token request asks Pipelines for a new assertion at the URL in `SYSTEM_OIDCREQUESTURI`,
/// which is read at construction, and sends it the system access token there. Both requests are
/// retried as those to Entra are (PR-14). If the variable is missing,
/// [`get_token`](crate::TokenCredential::get_token) fails with
/// [`Unavailable`](ErrorKind::Unavailable): this is no job of Pipelines. A refusal by Pipelines is
/// [`Failed`](ErrorKind::Failed); it names the status and the id of the request, and quotes nothing
/// of the answer. In all else it is a [`ClientSecretCredential`](crate::ClientSecretCredential).
///
/// ```no_run
/// use credsim_identity::{AzurePipelinesCredential, Error};
///
/// # fn main() -> Result<(), Error> {
/// // The step maps $(System.AccessToken) to this variable.
/// let token = std::env::var("SYSTEM_ACCESSTOKEN").unwrap_or_default();
/// let credential =
///     AzurePipelinesCredential::builder("contoso.example", "my-client-id", "connection-id", token)
///         .build()?;
/// # let _ = credential;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct AzurePipelinesCredential(CachedCredential<Federated>);

impl AzurePipelinesCredential {
    /// Creates a builder from the tenant (id or domain name), the client (application) id, the id
    /// of the service connection, and the value of `System.AccessToken`.
    pub fn builder(
        tenant_id: impl Into<String>,
        client_id: impl Into<String>,
        service_connection_id: impl Into<String>,
        system_access_token: impl Into<Secret>,
    ) -> AzurePipelinesCredentialBuilder {
        AzurePipelinesCredentialBuilder {
            tenant_id: tenant_id.into(),
            client_id: client_id.into(),
            service_connection_id: service_connection_id.into(),
            system_access_token: system_access_token.into(),
            options: EntraOptions::default(),
        }
    }
}

credential!(AzurePipelinesCredential);

/// Options of an [`AzurePipelinesCredential`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct AzurePipelinesCredentialBuilder {
    tenant_id: String,
    client_id: String,
    service_connection_id: String,
    system_access_token: Secret,
    options: EntraOptions,
}

impl AzurePipelinesCredentialBuilder {
    setters!(entra: options);

    /// Builds the credential. Reads `SYSTEM_OIDCREQUESTURI` and sends nothing.
    ///
    /// # Errors
    /// [`Configuration`](ErrorKind::Configuration) if a value is empty or malformed: the tenant,
    /// the client id, the service connection, the system access token, the authority host, or
    /// `SYSTEM_OIDCREQUESTURI`, which must be an https URL.
    pub fn build(self) -> Result<AzurePipelinesCredential, Error> {
        let options = self.options;
        let platform = options.common.host();
        let app = AppId::new(NAME, self.tenant_id, self.client_id, &options)?;
        let source = match platform.environment.non_empty(PIPELINES_URI) {
            None => {
                let message = format!("{PIPELINES_URI} is not set");
                let error = Error::new(ErrorKind::Unavailable, NAME, message)
                    .with_help("use it in a job of Azure Pipelines, which sets this variable");
                Federated::failing(NAME, error)
            }
            Some(uri) => {
                let pipelines = Pipelines::new(
                    NAME,
                    &uri,
                    &self.service_connection_id,
                    &self.system_access_token,
                    &options.retry,
                    &platform,
                )?;
                Federated::new(NAME, app, pipelines, &options)?
            }
        };
        let credential = CachedCredential::with_options(source, &options.common);
        Ok(AzurePipelinesCredential(credential))
    }
}
