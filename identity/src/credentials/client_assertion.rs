//! An application that signs in with assertions of its own making.

use std::{fmt, sync::Arc, time::Duration};

use crate::{
    CachedCredential, EntraOptions, Error, Secret,
    credential::credential,
    entra::AppId,
    federation::{AnyError, Callback, Federated, GetAssertion},
    options::setters,
};

/// The class name in documentation, logs and errors.
const NAME: &str = "ClientAssertionCredential";

/// How long the callback may take by default.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Gets tokens of an application (service principal) with assertions: JSON Web Tokens that a
/// function of yours returns, signed by the application's key or by an issuer that it trusts.
///
/// The function is called for each token request, never for a token from the cache. It is awaited
/// for at most 30 s ([`assertion_timeout`](ClientAssertionCredentialBuilder::assertion_timeout)).
/// Its failure is an error of the kind [`Failed`](crate::ErrorKind::Failed) that tells it, and a
/// text that is no JSON Web Token is not sent. If Entra answers that the assertion has ended
/// (AADSTS700024), the function is called again, and a newer assertion is exchanged once. In all
/// else it is a [`ClientSecretCredential`](crate::ClientSecretCredential).
///
/// ```no_run
/// use credsim_identity::{ClientAssertionCredential, Error};
///
/// # fn main() -> Result<(), Error> {
/// let credential = ClientAssertionCredential::builder("contoso.example", "client-id", || async {
///     // Ask a vault, a broker, or the token service of another cloud.
///     std::fs::read_to_string("/run/assertion")
/// })
/// .build()?;
/// # let _ = credential;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ClientAssertionCredential(CachedCredential<Federated>);

impl ClientAssertionCredential {
    /// Creates a builder from the tenant (id or domain name), the client (application) id and the
    /// function that returns an assertion.
    pub fn builder<F, R, T, E>(
        tenant_id: impl Into<String>,
        client_id: impl Into<String>,
        get_assertion: F,
    ) -> ClientAssertionCredentialBuilder
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = Result<T, E>> + Send + 'static,
        T: Into<Secret>,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let get_assertion: GetAssertion = Arc::new(move || {
            let answer = get_assertion();
            Box::pin(async move {
                let answer = answer.await;
                answer
                    .map(T::into)
                    .map_err(|error| -> AnyError { error.into() })
            })
        });
        ClientAssertionCredentialBuilder {
            tenant_id: tenant_id.into(),
            client_id: client_id.into(),
            get_assertion,
            timeout: TIMEOUT,
            options: EntraOptions::default(),
        }
    }
}

credential!(ClientAssertionCredential);

/// Options of a [`ClientAssertionCredential`].
#[derive(Clone)]
#[must_use = "a builder does nothing until `build`"]
pub struct ClientAssertionCredentialBuilder {
    tenant_id: String,
    client_id: String,
    get_assertion: GetAssertion,
    timeout: Duration,
    options: EntraOptions,
}

impl ClientAssertionCredentialBuilder {
    setters!(entra: options);

    /// Sets how long the function may take. Default: 30 s.
    pub fn assertion_timeout(mut self, limit: Duration) -> Self {
        self.timeout = limit;
        self
    }

    /// Builds the credential. Calls nothing and sends nothing.
    ///
    /// # Errors
    /// [`Configuration`](crate::ErrorKind::Configuration) if the client id is empty, the tenant is
    /// not a tenant id or domain name, or the authority host is not https.
    pub fn build(self) -> Result<ClientAssertionCredential, Error> {
        let options = self.options;
        let app = AppId::new(NAME, self.tenant_id, self.client_id, &options)?;
        let callback = Callback {
            credential: NAME,
            get: self.get_assertion,
            limit: self.timeout,
            platform: options.common.host(),
        };
        let source = Federated::new(NAME, app, callback, &options)?;
        let credential = CachedCredential::with_options(source, &options.common);
        Ok(ClientAssertionCredential(credential))
    }
}

impl fmt::Debug for ClientAssertionCredentialBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientAssertionCredentialBuilder")
            .field("tenant_id", &self.tenant_id)
            .field("client_id", &self.client_id)
            .field("timeout", &self.timeout)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
