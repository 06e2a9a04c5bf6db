//! An application that signs in with a client secret.

use crate::{
    CachedCredential, EntraOptions, Error, ErrorKind, Secret, TokenRequest,
    cache::CacheKey,
    credential::credential,
    entra::{self, AppId, Client, ClientAuthentication, Tenants},
    options::setters,
    platform::BoxFuture,
    source::{AccountStore, Fetched, TokenSource},
};

const NAME: &str = "ClientSecretCredential";

/// Gets tokens of an application (service principal) with a client secret: the OAuth 2.0 client
/// credentials grant (EN-23).
///
/// Only the token endpoint is asked. Failures are retried up to 3 times after 1, 2 and 4 s (PR-12,
/// PR-14). Tokens are cached and renewed as [`TokenCache`](crate::cache::TokenCache) describes
/// (PR-20 to PR-26). Clones share one cache; a new instance starts with an empty one (PR-06).
#[derive(Clone)]
pub struct ClientSecretCredential(CachedCredential<ClientSecret>);

impl ClientSecretCredential {
    /// Creates a builder from the tenant (id or domain name), the client (application) id and the
    /// value of the client secret.
    pub fn builder(
        tenant_id: impl Into<String>,
        client_id: impl Into<String>,
        client_secret: impl Into<Secret>,
    ) -> ClientSecretCredentialBuilder {
        ClientSecretCredentialBuilder {
            name: NAME,
            tenant_id: tenant_id.into(),
            client_id: client_id.into(),
            client_secret: client_secret.into(),
            options: EntraOptions::default(),
        }
    }
}

credential!(ClientSecretCredential);

/// The application, as a source of tokens.
#[derive(Debug)]
struct ClientSecret {
    client: Client,
    secret: ClientAuthentication,
    tenants: Tenants,
}

impl ClientSecret {
    fn tenant<'a>(&'a self, request: &'a TokenRequest) -> Result<&'a str, Error> {
        let tenant = self.tenants.resolve(self.client.name, request)?;
        Ok(tenant.unwrap_or_default())
    }
}

impl TokenSource for ClientSecret {
    fn name(&self) -> &str {
        self.client.name
    }

    fn key(&self, request: &TokenRequest) -> Result<CacheKey, Error> {
        entra::check_scopes(self.client.name, request)?;
        Ok(CacheKey::of(request)
            .tenant(self.tenant(request)?.to_ascii_lowercase())
            .client(&self.client.client_id)
            .authority(self.client.authority.as_str()))
    }

    fn fetch<'a>(
        &'a self,
        request: &'a TokenRequest,
        _: &'a dyn AccountStore,
    ) -> BoxFuture<'a, Result<Fetched, Error>> {
        Box::pin(async move {
            let tenant = self.tenant(request)?;
            let scope = request.scopes().join(" ");
            let (client, secret) = (&self.client, &self.secret);
            let token = entra::client_credentials(client, secret, tenant, request, &scope);
            token.await.map(Fetched::from)
        })
    }
}

/// Options of a [`ClientSecretCredential`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct ClientSecretCredentialBuilder {
    name: &'static str,
    tenant_id: String,
    client_id: String,
    client_secret: Secret,
    options: EntraOptions,
}

impl ClientSecretCredentialBuilder {
    setters!(entra: options);

    /// As the inside of another credential, which its tokens and errors then name.
    pub(super) fn within(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    /// Builds the credential. Sends nothing.
    ///
    /// # Errors
    /// [`Configuration`](ErrorKind::Configuration) if a value is empty, the tenant is not a
    /// tenant id or domain name, or the authority host is not https.
    pub fn build(self) -> Result<ClientSecretCredential, Error> {
        let name = self.name;
        let options = self.options;
        let app = AppId::new(name, self.tenant_id, self.client_id, &options)?;
        if self.client_secret.expose().is_empty() {
            let kind = ErrorKind::Configuration;
            return Err(Error::new(kind, name, "the client secret is empty"));
        }
        let source = ClientSecret {
            client: Client::new(name, app.client_id, &options)?,
            secret: ClientAuthentication::Secret(self.client_secret),
            tenants: app.tenants,
        };
        let credential = CachedCredential::with_options(source, &options.common);
        Ok(ClientSecretCredential(credential))
    }
}
