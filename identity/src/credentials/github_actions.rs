//! A workflow of GitHub Actions (GH-01 to GH-03).

use crate::{
    CachedCredential, EntraOptions, Error, ErrorKind,
    credential::credential,
    entra::{AppId, Authority},
    federation::{self, Federated, GITHUB_TOKEN, GITHUB_URL, GitHub},
    options::setters,
};

/// The class name in documentation, logs and errors.
const NAME: &str = "GitHubActionsCredential";

/// Gets tokens of an application whose federated credential trusts a repository on GitHub, in a job
/// of GitHub Actions with the permission `id-token: write`: GitHub issues an assertion for the job,
/// which is exchanged for an access token.
///
/// Each token request asks GitHub for a new assertion at the URL in `ACTIONS_ID_TOKEN_REQUEST_URL`
/// with the token in `ACTIONS_ID_TOKEN_REQUEST_TOKEN`; both are read at construction (GH-01). Both
/// requests are retried as those to Entra are (PR-14). If a variable is missing,
/// [`get_token`](crate::TokenCredential::get_token) fails with
/// [`Unavailable`](ErrorKind::Unavailable). A refusal by GitHub is [`Failed`](ErrorKind::Failed);
/// it quotes nothing of the answer.
///
/// The subject of the assertion follows from the repository and the event, in the spelling that
/// GitHub uses for the repository: the federated credential must have the same (GH-03). In all else
/// it is a [`ClientSecretCredential`](crate::ClientSecretCredential).
#[derive(Clone)]
pub struct GitHubActionsCredential(CachedCredential<Federated>);

impl GitHubActionsCredential {
    /// Creates a builder from the tenant (id or domain name) and the client (application) id.
    pub fn builder(
        tenant_id: impl Into<String>,
        client_id: impl Into<String>,
    ) -> GitHubActionsCredentialBuilder {
        GitHubActionsCredentialBuilder {
            tenant_id: tenant_id.into(),
            client_id: client_id.into(),
            audience: None,
            options: EntraOptions::default(),
        }
    }
}

credential!(GitHubActionsCredential);

/// Options of a [`GitHubActionsCredential`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct GitHubActionsCredentialBuilder {
    tenant_id: String,
    client_id: String,
    audience: Option<String>,
    options: EntraOptions,
}

impl GitHubActionsCredentialBuilder {
    setters!(entra: options);

    /// Sets the audience of the assertion. Default: the one that the cloud of the authority asks
    /// for, `api://AzureADTokenExchange` in the public cloud (GH-02).
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = Some(audience.into());
        self
    }

    /// Builds the credential. Reads the variables and sends nothing.
    ///
    /// # Errors
    /// [`Configuration`](ErrorKind::Configuration) if a value is empty or malformed: the tenant,
    /// the client id, the authority host, or a variable; or if the cloud of the authority is not
    /// known and no audience is set.
    pub fn build(self) -> Result<GitHubActionsCredential, Error> {
        let options = self.options;
        let platform = options.common.host();
        let app = AppId::new(NAME, self.tenant_id, self.client_id, &options)?;
        let authority = Authority::new(NAME, options.authority_host.as_deref(), &platform)?;
        let audience = match self.audience {
            Some(audience) => audience,
            None => federation::audience(NAME, authority.host())?,
        };
        let var = |name: &str| platform.environment.non_empty(name);
        let source = match (var(GITHUB_URL), var(GITHUB_TOKEN)) {
            (Some(url), Some(token)) => {
                let retry = &options.retry;
                let github = GitHub::new(NAME, &url, &token, &audience, retry, &platform)?;
                Federated::new(NAME, app, github, &options)?
            }
            (url, _) => {
                let missing = if url.is_none() {
                    GITHUB_URL
                } else {
                    GITHUB_TOKEN
                };
                let message = format!("{missing} is not set");
                let error = Error::new(ErrorKind::Unavailable, NAME, message)
                    .with_help("give the job the permission `id-token: write`");
                Federated::failing(NAME, error)
            }
        };
        let credential = CachedCredential::with_options(source, &options.common);
        Ok(GitHubActionsCredential(credential))
    }
}
