//! Exchanges assertions for access tokens (CLI-42).

use std::time::Duration;

use crate::{
    AccessToken, EntraOptions, Error, Secret, TokenRequest,
    cache::CacheKey,
    entra::{self, AppId, Client, ClientAuthentication},
    platform::{BoxFuture, Platform},
    source::{AccountStore, Fetched, TokenSource},
};

use super::Assertions;

/// The wait before the second exchange after a refusal that was seen to pass (PR-09).
const SUBJECT_WAIT: Duration = Duration::from_secs(1);

/// Entra knows no federated credential with the subject of the assertion.
const NO_SUBJECT: &str = "AADSTS700213";
/// The assertion has ended, or has not begun.
const OUTSIDE_ITS_LIFETIME: &str = "AADSTS700024";

/// An application that signs in with assertions, as a source of tokens.
#[derive(Debug)]
pub(crate) struct Federated {
    name: &'static str,
    /// What signs in; the error of a credential that the environment does not configure.
    sign_in: Result<SignIn, Error>,
}

#[derive(Debug)]
struct SignIn {
    app: AppId,
    client: Client,
    assertions: Box<dyn Assertions>,
    platform: Platform,
}

impl Federated {
    /// # Errors
    /// `Configuration` when the authority host is not the https URL of a host.
    pub(crate) fn new(
        name: &'static str,
        app: AppId,
        assertions: impl Assertions,
        options: &EntraOptions,
    ) -> Result<Self, Error> {
        let client = Client::new(name, app.client_id.clone(), options)?;
        let sign_in = SignIn {
            app,
            client,
            assertions: Box::new(assertions),
            platform: options.common.host(),
        };
        Ok(Self {
            name,
            sign_in: Ok(sign_in),
        })
    }

    /// A source that fails every request with `error`.
    pub(crate) fn failing(name: &'static str, error: Error) -> Self {
        Self {
            name,
            sign_in: Err(error),
        }
    }

    /// Gets a token for `scope` in the tenant of the application, whatever tenant the request
    /// names.
    pub(crate) async fn token_in_own_tenant(
        &self,
        request: &TokenRequest,
        scope: &str,
    ) -> Result<AccessToken, Error> {
        let sign_in = self.sign_in.as_ref().map_err(Error::clone)?;
        let tenant = sign_in.app.tenants.own().unwrap_or_default();
        self.token(tenant, request, scope).await
    }

    /// Gets an assertion and exchanges it for a token for `scope`.
    ///
    /// An assertion that has ended is replaced by a newer one, if there is one, and exchanged once
    /// more at once. A refusal of the subject with 401 is tried once more after 1 s, because it was
    /// seen to pass (PR-09, WI-05).
    async fn token(
        &self,
        tenant: &str,
        request: &TokenRequest,
        scope: &str,
    ) -> Result<AccessToken, Error> {
        let sign_in = self.sign_in.as_ref().map_err(Error::clone)?;
        let assertion = sign_in.assertions.assertion().await?;
        let exchange = async |assertion: &Secret| {
            let proof = ClientAuthentication::Assertion(assertion.clone());
            entra::client_credentials(&sign_in.client, &proof, tenant, request, scope).await
        };
        let refused = match exchange(&assertion).await {
            Err(refused) => refused,
            token => return token,
        };
        match (refused.code(), refused.status()) {
            (Some(NO_SUBJECT), Some(401)) => {
                tracing::debug!(credential = self.name, "the exchange will be tried again");
                sign_in.platform.clock.sleep(SUBJECT_WAIT).await;
                exchange(&assertion).await
            }
            (Some(OUTSIDE_ITS_LIFETIME), _) if sign_in.assertions.may_have_a_newer_one() => {
                let newer = sign_in.assertions.assertion().await?;
                if newer == assertion {
                    return Err(refused);
                }
                tracing::debug!(credential = self.name, "there is a newer assertion");
                exchange(&newer).await
            }
            _ => Err(refused),
        }
    }
}

impl SignIn {
    fn tenant<'a>(&'a self, credential: &str, request: &'a TokenRequest) -> Result<&'a str, Error> {
        let tenant = self.app.tenants.resolve(credential, request)?;
        Ok(tenant.unwrap_or_default())
    }
}

impl TokenSource for Federated {
    fn name(&self) -> &str {
        self.name
    }

    fn key(&self, request: &TokenRequest) -> Result<CacheKey, Error> {
        let sign_in = self.sign_in.as_ref().map_err(Error::clone)?;
        entra::check_scopes(self.name, request)?;
        let tenant = sign_in.tenant(self.name, request)?;
        Ok(CacheKey::of(request)
            .tenant(tenant.to_ascii_lowercase())
            .client(&sign_in.app.client_id)
            .authority(sign_in.client.authority.as_str()))
    }

    fn fetch<'a>(
        &'a self,
        request: &'a TokenRequest,
        _: &'a dyn AccountStore,
    ) -> BoxFuture<'a, Result<Fetched, Error>> {
        Box::pin(async move {
            let sign_in = self.sign_in.as_ref().map_err(Error::clone)?;
            let tenant = sign_in.tenant(self.name, request)?;
            let scope = request.scopes().join(" ");
            let token = self.token(tenant, request, &scope).await;
            token.map(Fetched::from)
        })
    }

    fn never_answers(&self) -> bool {
        self.sign_in.is_err()
    }
}
