//! Factory methods for each way to sign in (RD-51, RD-56).

use std::sync::Arc;

use crate::{
    ClientSecretCredential, Error, ErrorKind, ManagedIdentityCredential, ManagedIdentityId,
    TokenCredential,
};

use super::{
    AuthorityConfig, EntraIdCredentialsProvider, EntraIdProviderOptions, NAME, REDIS_SCOPE_DEFAULT,
};

/// Makes an [`EntraIdCredentialsProvider`] for each way to sign in to Entra (RD-51).
///
/// No method sends a request. Each fails with [`Configuration`](ErrorKind::Configuration) when its
/// arguments cannot work.
///
/// ```
/// # use credsim_identity::{Error, Platform};
/// # fn example(platform: Platform) -> Result<(), Error> {
/// use credsim_identity::redis::{
///     AuthorityConfig, EntraIdCredentialsProviderFactory, EntraIdProviderOptions,
/// };
/// let provider = EntraIdCredentialsProviderFactory::create_for_client_credentials(
///     AuthorityConfig::MultiTenant { tenant_id: "contoso.example".to_owned() },
///     "11111111-2222-3333-4444-555555555555",
///     "the value of the client secret",
///     EntraIdProviderOptions { platform: Some(platform), ..Default::default() },
/// )?;
/// # drop(provider);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct EntraIdCredentialsProviderFactory;

impl EntraIdCredentialsProviderFactory {
    /// Signs in as the system-assigned identity of the host.
    ///
    /// # Errors
    /// `Configuration`, for the options or the environment of the host.
    pub fn create_for_system_assigned_managed_identity(
        options: EntraIdProviderOptions,
    ) -> Result<EntraIdCredentialsProvider, Error> {
        let platform = options.platform();
        let credential = ManagedIdentityCredential::builder()
            .retry(options.retry())
            .platform(platform.clone())
            .build()?;
        let builder = EntraIdCredentialsProvider::builder(credential);
        options.provider(builder, platform)
    }

    /// Signs in as a user-assigned identity of the host.
    ///
    /// # Errors
    /// `Configuration` when `id` is empty or names no identity: there is no fallback to the
    /// system-assigned identity (RD-37, RD-51, RD-56).
    pub fn create_for_user_assigned_managed_identity(
        id: ManagedIdentityId,
        options: EntraIdProviderOptions,
    ) -> Result<EntraIdCredentialsProvider, Error> {
        let platform = options.platform();
        let builder = ManagedIdentityCredential::builder();
        let builder = match id {
            ManagedIdentityId::ClientId(id) => builder.client_id(id),
            ManagedIdentityId::ObjectId(id) => builder.object_id(id),
            ManagedIdentityId::ResourceId(id) => builder.resource_id(id),
            ManagedIdentityId::SystemAssigned => {
                return Err(wrong("a user-assigned identity needs its id").with_help(
                    "give its client, object or resource id, or use \
                     create_for_system_assigned_managed_identity",
                ));
            }
        };
        let credential = builder
            .retry(options.retry())
            .platform(platform.clone())
            .build()?;
        let builder = EntraIdCredentialsProvider::builder(credential);
        options.provider(builder, platform)
    }

    /// Signs in as an application (service principal) with a client secret.
    ///
    /// # Errors
    /// `Configuration` when a value is empty, or the authority names no single tenant: an
    /// application signs in to one (EN-07).
    pub fn create_for_client_credentials(
        authority: AuthorityConfig,
        client_id: impl Into<String>,
        client_secret: impl Into<String>,
        options: EntraIdProviderOptions,
    ) -> Result<EntraIdCredentialsProvider, Error> {
        let platform = options.platform();
        let (authority_host, tenant_id) = authority.host_and_tenant()?;
        let mut builder = ClientSecretCredential::builder(tenant_id, client_id, client_secret)
            .retry(options.retry())
            .platform(platform.clone());
        if let Some(host) = authority_host {
            builder = builder.authority_host(host);
        }
        let builder = EntraIdCredentialsProvider::builder(builder.build()?);
        options.provider(builder, platform)
    }

    /// Signs in as an application (service principal) with a certificate, by means of `credential`,
    /// which is not disposed with the provider.
    ///
    /// # Errors
    /// `Configuration`, for the options.
    pub fn create_for_client_credentials_with_certificate(
        credential: Arc<dyn TokenCredential>,
        options: EntraIdProviderOptions,
    ) -> Result<EntraIdCredentialsProvider, Error> {
        Self::create_for_token_credential(credential, options)
    }

    /// Signs in as the person that `credential` has signed in with an authorization code and PKCE.
    /// The scope of Redis is added to those in the options, unless one of Redis is among them:
    /// without it the token would be one for Microsoft Graph, which Redis refuses (RD-51). The
    /// credential is not disposed with the provider.
    ///
    /// # Errors
    /// `Configuration`, for the options.
    pub fn create_for_authorization_code_with_pkce(
        credential: Arc<dyn TokenCredential>,
        mut options: EntraIdProviderOptions,
    ) -> Result<EntraIdCredentialsProvider, Error> {
        if let Some(scopes) = &mut options.scopes
            && !scopes.iter().any(|scope| is_of_redis(scope))
        {
            scopes.push(REDIS_SCOPE_DEFAULT.to_owned());
        }
        Self::create_for_token_credential(credential, options)
    }

    /// Uses any `credential`, such as a `DefaultAzureCredential`. It is not disposed with the
    /// provider.
    ///
    /// # Errors
    /// `Configuration`, for the options.
    pub fn create_for_token_credential(
        credential: Arc<dyn TokenCredential>,
        options: EntraIdProviderOptions,
    ) -> Result<EntraIdCredentialsProvider, Error> {
        let platform = options.platform();
        let builder = EntraIdCredentialsProvider::builder_shared(credential);
        options.provider(builder, platform)
    }
}

/// Whether `scope` is one of Redis, under either of its documented names (RD-50).
fn is_of_redis(scope: &str) -> bool {
    const RESOURCES: [&str; 2] = [super::REDIS_SCOPE, "acca5fbb-b7e4-4009-81f1-37e38fd66d78"];
    RESOURCES.iter().any(|resource| {
        scope
            .strip_prefix(resource)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

fn wrong(what: &str) -> Error {
    Error::new(ErrorKind::Configuration, NAME, what)
}
