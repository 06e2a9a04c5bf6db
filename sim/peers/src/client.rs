//! The crate's provider and connection on a simulated host.

use std::{sync::LazyLock, time::Duration};

use azure_identity::{
    ClientSecretCredentialOptions, ManagedIdentityCredentialOptions, UserAssignedId,
};
use credsim::{
    scenario::{ClientSecretOptions, Credential, ManagedIdentityOptions, RetryOptions},
    subject::Lent,
};
use redis::{
    AsyncConnectionConfig, EntraIdCredentialsProvider, ErrorKind, ProtocolVersion, RedisConnectionInfo,
    RedisError, RedisResult, RetryConfig, aio::MultiplexedConnection,
    entra_id::REDIS_SCOPE_DEFAULT,
};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::transport;

/// How long connecting and logging in may take together: what the crate's `Client` allows, which
/// connects by itself and can't be told of another network.
pub const CONNECTION_TIMEOUT: Duration = Duration::from_secs(1);

/// The provider for `credential`, started with the crate's own retry configuration, asking for its
/// own default scope. Must be called in a tokio runtime, in which its loop then runs.
///
/// # Errors
/// The crate's, and a credential that [`supports`] refuses.
pub fn provider(credential: &Credential, lent: &Lent) -> RedisResult<EntraIdCredentialsProvider> {
    let scopes = vec![REDIS_SCOPE_DEFAULT.to_owned()];
    let mut provider = match credential {
        Credential::ManagedIdentity(options) => {
            let user_assigned_id = user_assigned(options);
            let is_user_assigned = user_assigned_id.is_some();
            let options = Some(ManagedIdentityCredentialOptions {
                user_assigned_id,
                client_options: transport::options(&lent.platform),
            });
            if is_user_assigned {
                EntraIdCredentialsProvider::new_user_assigned_managed_identity_with_scopes(
                    scopes, options,
                )
            } else {
                EntraIdCredentialsProvider::new_system_assigned_managed_identity_with_scopes(
                    scopes, options,
                )
            }
        }
        Credential::ClientSecret(options) => {
            let tenant = options.tenant.as_ref().unwrap_or(&lent.tenant);
            EntraIdCredentialsProvider::new_client_secret_with_scopes(
                tenant.clone(),
                options.client_id.clone(),
                options.secret.clone(),
                scopes,
                Some(ClientSecretCredentialOptions {
                    client_options: transport::options(&lent.platform),
                }),
            )
        }
        other => Err(RedisError::from((
            ErrorKind::InvalidClientConfig,
            "not a credential that credsim gives to the redis crate",
            supports(other).err().unwrap_or_default(),
        ))),
    }?;
    provider.start(RetryConfig::default());
    Ok(provider)
}

fn user_assigned(options: &ManagedIdentityOptions) -> Option<UserAssignedId> {
    let client = options.client_id.clone().map(UserAssignedId::ClientId);
    let object = || options.object_id.clone().map(UserAssignedId::ObjectId);
    let resource = || options.resource_id.clone().map(UserAssignedId::ResourceId);
    client.or_else(object).or_else(resource)
}

/// Why the crate can't be given this credential, if it can't.
///
/// # Errors
/// The reason, for people.
pub fn supports(credential: &Credential) -> Result<(), String> {
    let retry = match credential {
        Credential::ManagedIdentity(ManagedIdentityOptions { retry, .. })
        | Credential::ClientSecret(ClientSecretOptions { retry, .. }) => retry,
        _ => {
            return Err(
                "the redis crate is given a managed identity or a client secret, nothing else"
                    .to_owned(),
            );
        }
    };
    if *retry == RetryOptions::default() {
        Ok(())
    } else {
        Err("the retries of the credential are set, and here the redis crate's own are used"
            .to_owned())
    }
}

// The driver of a connection borrows what the connection was made with.
static RESP2: LazyLock<RedisConnectionInfo> = LazyLock::new(RedisConnectionInfo::default);
static RESP3: LazyLock<RedisConnectionInfo> =
    LazyLock::new(|| RedisConnectionInfo::default().set_protocol(ProtocolVersion::RESP3));

/// A connection over `stream` that gets its credentials from `provider`, first and later; and its
/// driver, which somebody has to run.
///
/// # Errors
/// The crate's.
pub async fn connect<S>(
    stream: S,
    provider: &EntraIdCredentialsProvider,
    protocol: ProtocolVersion,
) -> RedisResult<(MultiplexedConnection, impl Future<Output = ()> + Send + use<S>)>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let config = AsyncConnectionConfig::new().set_credentials_provider(provider.clone());
    let info: &'static RedisConnectionInfo = match protocol {
        ProtocolVersion::RESP3 => &RESP3,
        _ => &RESP2,
    };
    MultiplexedConnection::new_with_config(info, stream, config).await
}
