//! The application that the environment variables describe (CLI-30).

use std::fmt;

use crate::{
    AccessToken, EntraOptions, Error, ErrorKind, TokenCredential, TokenRequest,
    cache::fast_path::{FastPath, NeverAnswers},
    options::setters,
    platform::{BoxFuture, Platform},
};

use super::ClientSecretCredential;

/// The class name in documentation, logs and errors.
const NAME: &str = "EnvironmentCredential";

const TENANT_ID: &str = "AZURE_TENANT_ID";
const CLIENT_ID: &str = "AZURE_CLIENT_ID";
const CLIENT_SECRET: &str = "AZURE_CLIENT_SECRET";
const CERTIFICATE: &str = "AZURE_CLIENT_CERTIFICATE_PATH";
const USER_NAME: &str = "AZURE_USERNAME";
const PASSWORD: &str = "AZURE_PASSWORD";
const FEDERATED_TOKEN: &str = "AZURE_FEDERATED_TOKEN_FILE";
const ALLOWED_TENANTS: &str = "AZURE_ADDITIONALLY_ALLOWED_TENANTS";

/// Gets tokens of the application that `AZURE_TENANT_ID`, `AZURE_CLIENT_ID` and
/// `AZURE_CLIENT_SECRET` describe. `AZURE_AUTHORITY_HOST` and, separated by `;`,
/// `AZURE_ADDITIONALLY_ALLOWED_TENANTS` are used if set. Empty variables count as not set. In all
/// else it is a [`ClientSecretCredential`].
///
/// The variables are read once, at construction. If some are missing,
/// [`get_token`](TokenCredential::get_token) fails with [`Unavailable`](ErrorKind::Unavailable) and
/// names them. If they describe a certificate or a user with password, which are not supported yet,
/// it fails with [`Configuration`](ErrorKind::Configuration), so that a chain does not continue
/// with another identity (PR-08).
#[derive(Clone)]
pub struct EnvironmentCredential(Result<ClientSecretCredential, Error>);

impl EnvironmentCredential {
    /// Creates a builder with default options.
    pub fn builder() -> EnvironmentCredentialBuilder {
        EnvironmentCredentialBuilder::default()
    }
}

impl TokenCredential for EnvironmentCredential {
    fn name(&self) -> &str {
        NAME
    }

    fn get_token<'a>(
        &'a self,
        request: &'a TokenRequest,
    ) -> BoxFuture<'a, Result<AccessToken, Error>> {
        match &self.0 {
            Ok(inner) => inner.get_token(request),
            Err(error) => Box::pin(async { Err(error.clone()) }),
        }
    }

    fn dispose(&self) {
        if let Ok(inner) = &self.0 {
            inner.dispose();
        }
    }

    fn fast_path(&self) -> Option<&dyn FastPath> {
        match &self.0 {
            Ok(inner) => inner.fast_path(),
            Err(_) => Some(&NeverAnswers),
        }
    }
}

impl fmt::Debug for EnvironmentCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Ok(inner) => inner.fmt(f),
            Err(error) => f.debug_tuple(NAME).field(error).finish(),
        }
    }
}

/// Options of an [`EnvironmentCredential`].
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until `build`"]
pub struct EnvironmentCredentialBuilder {
    options: EntraOptions,
}

impl EnvironmentCredentialBuilder {
    setters!(entra: options);

    /// Builds the credential. Reads the variables and sends nothing.
    ///
    /// # Errors
    /// [`Configuration`](ErrorKind::Configuration) if all variables are set and one is wrong,
    /// such as a tenant that is no tenant id or an authority host that is not https.
    pub fn build(self) -> Result<EnvironmentCredential, Error> {
        let mut options = self.options;
        let platform = options.common.host();
        let set = Variables(&platform);
        let (tenant, client) = (set.var(TENANT_ID), set.var(CLIENT_ID));
        let (Some(tenant), Some(client), Some(secret)) = (tenant, client, set.var(CLIENT_SECRET))
        else {
            return Ok(EnvironmentCredential(Err(set.unusable())));
        };
        if options.additionally_allowed_tenants.is_empty() {
            let list = set.var(ALLOWED_TENANTS).unwrap_or_default();
            options.additionally_allowed_tenants = list
                .split(';')
                .map(str::trim)
                .filter(|tenant| !tenant.is_empty())
                .map(str::to_owned)
                .collect();
        }
        let inner = ClientSecretCredential::builder(tenant, client, secret)
            .within(NAME)
            .options(options);
        inner.build().map(|inner| EnvironmentCredential(Ok(inner)))
    }
}

/// The variables of a host; an empty one is not set.
struct Variables<'a>(&'a Platform);

impl Variables<'_> {
    fn var(&self, name: &str) -> Option<String> {
        self.0.environment.non_empty(name)
    }

    fn has(&self, name: &str) -> bool {
        self.var(name).is_some()
    }

    /// Why there is no secret to sign in with.
    fn unusable(&self) -> Error {
        if self.has(TENANT_ID) && self.has(CLIENT_ID) {
            if self.has(CERTIFICATE) {
                return not_supported(CERTIFICATE, "a client certificate");
            }
            if self.has(USER_NAME) && self.has(PASSWORD) {
                return not_supported(USER_NAME, "a user name with password");
            }
        }
        let parts = [TENANT_ID, CLIENT_ID, CLIENT_SECRET];
        let missing: Vec<&str> = parts.into_iter().filter(|name| !self.has(name)).collect();
        let verb = if missing.len() == 1 { "is" } else { "are" };
        let message = format!("{} {verb} not set", missing.join(", "));
        if self.describes_half_a_sign_in() {
            let missing = missing.join(", ");
            tracing::warn!(
                credential = NAME,
                missing,
                "the environment describes half of a sign-in, so it is ignored"
            );
        }
        Error::new(ErrorKind::Unavailable, NAME, message)
            .with_help(format!("set {TENANT_ID}, {CLIENT_ID} and {CLIENT_SECRET}"))
    }

    /// Whether the variables are more likely a mistake than meant for another credential: the
    /// client id alone names a managed identity, and with a federated token the three are a
    /// workload identity.
    fn describes_half_a_sign_in(&self) -> bool {
        let names_application = self.has(TENANT_ID) && self.has(CLIENT_ID);
        let proves_something = [CLIENT_SECRET, CERTIFICATE, USER_NAME, PASSWORD];
        names_application && !self.has(FEDERATED_TOKEN)
            || proves_something.iter().any(|name| self.has(name))
    }
}

/// Returns the error of a configuration that is not supported: a chain must not go on with another
/// identity (PR-08).
fn not_supported(variable: &str, what: &str) -> Error {
    let message = format!("{variable} asks for {what}, which is not supported yet");
    let help = format!("sign in with a client secret, in {CLIENT_SECRET}");
    Error::unusable(NAME, message, &help)
}
