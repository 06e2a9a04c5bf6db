//! The application that the environment variables describe (CLI-30).

use std::{fmt, sync::Arc};

use crate::{
    AccessToken, Error, ErrorKind, TokenCredential, TokenRef, TokenRequest,
    chain::{Observer, ObserverRef},
    platform::{BoxFuture, Platform},
    retry::RetryOptions,
};

use super::ClientSecretCredential;

/// The class name in documentation, logs and errors.
const NAME: &str = "EnvironmentCredential";

const TENANT_ID: &str = "AZURE_TENANT_ID";
const CLIENT_ID: &str = "AZURE_CLIENT_ID";
const CLIENT_SECRET: &str = "AZURE_CLIENT_SECRET";
const ALLOWED_TENANTS: &str = "AZURE_ADDITIONALLY_ALLOWED_TENANTS";

/// Kinds of sign-in that the variables can describe and that are not supported yet.
const NOT_BUILT: [(&str, &str); 2] = [
    ("AZURE_CLIENT_CERTIFICATE_PATH", "a client certificate"),
    ("AZURE_USERNAME", "a user name with password"),
];

/// Tokens of the application described by `AZURE_TENANT_ID`, `AZURE_CLIENT_ID` and
/// `AZURE_CLIENT_SECRET`, with `AZURE_AUTHORITY_HOST` and, separated by `;`,
/// `AZURE_ADDITIONALLY_ALLOWED_TENANTS` if set. Empty variables count as not set. Otherwise as
/// [`ClientSecretCredential`].
///
/// The variables are read once, at construction. If some are missing, or describe a certificate or
/// a user with password (not supported yet), [`get_token`](TokenCredential::get_token) answers
/// [`Unavailable`](ErrorKind::Unavailable) and says which.
#[derive(Clone)]
pub struct EnvironmentCredential(Result<ClientSecretCredential, Error>);

impl EnvironmentCredential {
    /// Starts with default options.
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

    fn hit(&self, request: &TokenRequest) -> Option<TokenRef> {
        self.0.as_ref().ok()?.hit(request)
    }

    fn hit_scopes(&self, scopes: &[&str]) -> Option<TokenRef> {
        self.0.as_ref().ok()?.hit_scopes(scopes)
    }

    fn cached(&self, request: &TokenRequest) -> Option<AccessToken> {
        self.0.as_ref().ok()?.cached(request)
    }

    fn never_answers(&self) -> bool {
        self.0.is_err()
    }

    fn dispose(&self) {
        if let Ok(inner) = &self.0 {
            inner.dispose();
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
#[derive(Clone, Default)]
#[must_use = "a builder does nothing until `build`"]
pub struct EnvironmentCredentialBuilder {
    authority_host: Option<String>,
    additionally_allowed_tenants: Option<Vec<String>>,
    retry: RetryOptions,
    platform: Option<Platform>,
    observer: ObserverRef,
    cache_capacity: Option<usize>,
}

impl EnvironmentCredentialBuilder {
    /// The https URL of the authority. Default: `AZURE_AUTHORITY_HOST`, else
    /// `https://login.microsoftonline.com`.
    pub fn authority_host(mut self, host: impl Into<String>) -> Self {
        self.authority_host = Some(host.into());
        self
    }

    /// Tenants besides its own in which a request may ask; `*` for all. Default:
    /// `AZURE_ADDITIONALLY_ALLOWED_TENANTS`, else none.
    pub fn additionally_allowed_tenants<S: Into<String>>(
        mut self,
        tenants: impl IntoIterator<Item = S>,
    ) -> Self {
        self.additionally_allowed_tenants = Some(tenants.into_iter().map(Into::into).collect());
        self
    }

    /// How failures are retried. Default: PR-14.
    pub fn retry(mut self, options: RetryOptions) -> Self {
        self.retry = options;
        self
    }

    /// The host it runs on. Default: the real machine.
    pub fn platform(mut self, platform: Platform) -> Self {
        self.platform = Some(platform);
        self
    }

    /// Is told when the principal of its tokens changes (PR-04).
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Its cache holds at most so many tokens, at least 1. Default: 10,000 (PR-29).
    pub fn cache_capacity(mut self, entries: usize) -> Self {
        self.cache_capacity = Some(entries);
        self
    }

    /// The credential. Reads the variables, and sends nothing.
    ///
    /// # Errors
    /// [`Configuration`](ErrorKind::Configuration) when all variables are there and one is wrong,
    /// such as a tenant that is no tenant id or an authority host that is not https.
    pub fn build(self) -> Result<EnvironmentCredential, Error> {
        let platform = self.platform.unwrap_or_default();
        let var = |name| {
            platform
                .environment
                .var(name)
                .filter(|value| !value.is_empty())
        };
        let (tenant, client, secret) = (var(TENANT_ID), var(CLIENT_ID), var(CLIENT_SECRET));
        let (Some(tenant), Some(client), Some(secret)) = (&tenant, &client, &secret) else {
            let missing: Vec<&str> = [
                (TENANT_ID, &tenant),
                (CLIENT_ID, &client),
                (CLIENT_SECRET, &secret),
            ]
            .into_iter()
            .filter(|(_, value)| value.is_none())
            .map(|(name, _)| name)
            .collect();
            let not_built = NOT_BUILT.into_iter().find(|(name, _)| var(name).is_some());
            return Ok(EnvironmentCredential(Err(unavailable(&missing, not_built))));
        };
        let allowed = self.additionally_allowed_tenants.unwrap_or_else(|| {
            let list = var(ALLOWED_TENANTS).unwrap_or_default();
            list.split(';')
                .map(str::trim)
                .filter(|t| !t.is_empty())
                .map(str::to_owned)
                .collect()
        });
        let mut inner = ClientSecretCredential::builder(tenant, client, secret)
            .within(NAME)
            .additionally_allowed_tenants(allowed)
            .retry(self.retry)
            .platform(platform.clone());
        if let Some(host) = self.authority_host {
            inner = inner.authority_host(host);
        }
        if let Some(observer) = self.observer {
            inner = inner.observer(observer);
        }
        if let Some(entries) = self.cache_capacity {
            inner = inner.cache_capacity(entries);
        }
        inner.build().map(|inner| EnvironmentCredential(Ok(inner)))
    }
}

fn unavailable(missing: &[&str], not_built: Option<(&str, &str)>) -> Error {
    let verb = if missing.len() == 1 { "is" } else { "are" };
    let missing = missing.join(", ");
    match not_built {
        Some((variable, what)) => Error::new(
            ErrorKind::Unavailable,
            NAME,
            format!("{variable} asks for {what}, which is not supported yet"),
        )
        .with_help(format!(
            "sign in with a client secret: {missing} {verb} not set"
        )),
        None => Error::new(
            ErrorKind::Unavailable,
            NAME,
            format!("{missing} {verb} not set"),
        )
        .with_help(format!("set {TENANT_ID}, {CLIENT_ID} and {CLIENT_SECRET}")),
    }
}
