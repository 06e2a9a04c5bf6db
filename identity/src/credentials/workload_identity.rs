//! The identity of a workload in Kubernetes (CLI-40 to CLI-42).

use std::path::PathBuf;

use crate::{
    CachedCredential, EntraOptions, Error, ErrorKind,
    credential::credential,
    entra::AppId,
    federation::{Federated, TokenFile},
    options::setters,
    platform::Platform,
};

/// The class name in documentation, logs and errors.
const NAME: &str = "WorkloadIdentityCredential";

pub(crate) const TENANT_ID: &str = "AZURE_TENANT_ID";
pub(crate) const CLIENT_ID: &str = "AZURE_CLIENT_ID";
pub(crate) const TOKEN_FILE: &str = "AZURE_FEDERATED_TOKEN_FILE";

/// Gets tokens of the application or managed identity whose federated credential trusts the service
/// account of this pod: the token in a file, which the kubelet renews, is exchanged for an access
/// token.
///
/// Tenant, client id and the path of the file come from the builder, else from `AZURE_TENANT_ID`,
/// `AZURE_CLIENT_ID` and `AZURE_FEDERATED_TOKEN_FILE`, which are read once, at construction
/// (CLI-40). If some are missing, [`get_token`](crate::TokenCredential::get_token) fails with
/// [`Unavailable`](ErrorKind::Unavailable) and names them (PR-01). If all are there, a file that
/// cannot be read or holds no token is [`Failed`](ErrorKind::Failed), so that a chain does not go
/// on with another identity (PR-08).
///
/// The file is read for each token request, which is once per life of an access token and scope. If
/// Entra answers that the token in it has ended (AADSTS700024), it is read again and, if it has
/// changed, exchanged once more (CLI-41). A refusal of its subject with 401 is tried once more
/// after 1 s (PR-09). In all else it is a
/// [`ClientSecretCredential`](crate::ClientSecretCredential).
///
/// ```no_run
/// use credsim_identity::{TokenCredential, TokenRequest, WorkloadIdentityCredential};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), credsim_identity::Error> {
/// let credential = WorkloadIdentityCredential::builder().build()?;
/// let request = TokenRequest::new(["https://vault.azure.net/.default"]);
/// let token = credential.get_token(&request).await?;
/// # let _ = token;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct WorkloadIdentityCredential(CachedCredential<Federated>);

impl WorkloadIdentityCredential {
    /// Creates a builder with default options.
    pub fn builder() -> WorkloadIdentityCredentialBuilder {
        WorkloadIdentityCredentialBuilder::default()
    }
}

credential!(WorkloadIdentityCredential);

/// Options of a [`WorkloadIdentityCredential`].
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until `build`"]
pub struct WorkloadIdentityCredentialBuilder {
    tenant_id: Option<String>,
    client_id: Option<String>,
    token_file: Option<PathBuf>,
    options: EntraOptions,
}

impl WorkloadIdentityCredentialBuilder {
    setters!(entra: options);

    /// Sets the tenant, by id or domain name. Default: `AZURE_TENANT_ID`.
    pub fn tenant_id(mut self, tenant: impl Into<String>) -> Self {
        self.tenant_id = Some(tenant.into());
        self
    }

    /// Sets the client id of the application or managed identity. Default: `AZURE_CLIENT_ID`.
    pub fn client_id(mut self, id: impl Into<String>) -> Self {
        self.client_id = Some(id.into());
        self
    }

    /// Sets the path of the file that holds the token. Default: `AZURE_FEDERATED_TOKEN_FILE`.
    pub fn token_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.token_file = Some(path.into());
        self
    }

    /// Builds the credential. Reads the variables; reads no file and sends nothing.
    ///
    /// # Errors
    /// [`Configuration`](ErrorKind::Configuration) if a value is wrong, such as a tenant that is no
    /// tenant id or an authority host that is not https.
    pub fn build(self) -> Result<WorkloadIdentityCredential, Error> {
        let options = self.options;
        let platform = options.common.host();
        let var = |name: &str| platform.environment.non_empty(name);
        let tenant = self.tenant_id.or_else(|| var(TENANT_ID));
        let client = self.client_id.or_else(|| var(CLIENT_ID));
        let file = self.token_file.or_else(|| var(TOKEN_FILE).map(Into::into));
        let source = match (tenant, client, file) {
            (Some(tenant), Some(client), Some(file)) => {
                source(NAME, (tenant, client, file), &options, &platform)?
            }
            (tenant, client, file) => {
                let parts = [
                    (TENANT_ID, tenant.is_some()),
                    (CLIENT_ID, client.is_some()),
                    (TOKEN_FILE, file.is_some()),
                ];
                Federated::failing(NAME, missing(parts))
            }
        };
        let credential = CachedCredential::with_options(source, &options.common);
        Ok(WorkloadIdentityCredential(credential))
    }
}

/// Returns the source of a complete configuration: tenant, client and file. Its tokens and errors
/// name `credential`.
///
/// # Errors
/// `Configuration` if a value is wrong.
pub(crate) fn source(
    credential: &'static str,
    (tenant, client, file): (String, String, PathBuf),
    options: &EntraOptions,
    platform: &Platform,
) -> Result<Federated, Error> {
    let app = AppId::new(credential, tenant, client, options)?;
    if file.as_os_str().is_empty() {
        let message = "the path of the federated token file is empty";
        return Err(Error::new(ErrorKind::Configuration, credential, message));
    }
    let file = TokenFile::new(credential, file, platform);
    Federated::new(credential, app, file, options)
}

/// The error of a configuration of which some parts are missing; a warning if only some are.
fn missing(parts: [(&'static str, bool); 3]) -> Error {
    let missing = parts.iter().filter(|(_, is_there)| !is_there);
    let missing: Vec<&str> = missing.map(|(name, _)| *name).collect();
    let verb = if missing.len() == 1 { "is" } else { "are" };
    let names = missing.join(", ");
    // A tenant and a client id alone are used by other credentials, too.
    if parts[2].1 {
        tracing::warn!(
            credential = NAME,
            missing = names,
            "a federated token file is set and the rest of a workload identity is not, so it is \
             ignored"
        );
    }
    Error::new(
        ErrorKind::Unavailable,
        NAME,
        format!("{names} {verb} not set"),
    )
    .with_help(
        "label the pod with azure.workload.identity/use, annotate its service account with the \
         client id, and restart it",
    )
}
