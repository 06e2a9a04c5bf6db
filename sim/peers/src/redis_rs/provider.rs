//! The crate's credentials provider on a simulated host.

use credsim::{
    credential::{Credential, ManagedIdentityOptions, RedisSubject, TokenRetry},
    scenario::Span,
    subject::Lent,
};
use redis::{
    EntraIdCredentialsProvider, ErrorKind, RedisError, RedisResult, RetryConfig,
    entra_id::REDIS_SCOPE_DEFAULT,
};
use redis_azure_identity::{
    ClientSecretCredentialOptions, ManagedIdentityCredentialOptions, UserAssignedId,
};

use super::transport;

/// The provider for `credential`, started. Must be called in a tokio runtime, in which its loop
/// then runs (RD-30).
///
/// # Errors
/// The crate's own.
pub fn start(
    client: &RedisSubject,
    credential: &Credential,
    lent: &Lent,
) -> RedisResult<EntraIdCredentialsProvider> {
    let default = || vec![REDIS_SCOPE_DEFAULT.to_owned()];
    let scopes = client.scopes.clone().unwrap_or_else(default);
    let mut provider = match credential {
        Credential::ManagedIdentity(options) => managed_identity(options, scopes, lent),
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
        _ => Err(RedisError::from((
            ErrorKind::InvalidClientConfig,
            "credsim gives the redis crate a managed identity or a client secret",
        ))),
    }?;
    provider.start(retry(&client.retry));
    Ok(provider)
}

fn managed_identity(
    options: &ManagedIdentityOptions,
    scopes: Vec<String>,
    lent: &Lent,
) -> RedisResult<EntraIdCredentialsProvider> {
    let client = options.client_id.clone().map(UserAssignedId::ClientId);
    let object = options.object_id.clone().map(UserAssignedId::ObjectId);
    let resource = options.resource_id.clone().map(UserAssignedId::ResourceId);
    let user_assigned_id = client.or(object).or(resource);
    let is_user_assigned = user_assigned_id.is_some();
    let options = Some(ManagedIdentityCredentialOptions {
        user_assigned_id,
        client_options: transport::options(&lent.platform),
    });
    if is_user_assigned {
        EntraIdCredentialsProvider::new_user_assigned_managed_identity_with_scopes(scopes, options)
    } else {
        EntraIdCredentialsProvider::new_system_assigned_managed_identity_with_scopes(
            scopes, options,
        )
    }
}

/// What is not set has the crate's default (RD-33).
fn retry(options: &TokenRetry) -> RetryConfig {
    let mut config = RetryConfig::default();
    if let Some(times) = options.max_attempts {
        config = config.set_number_of_retries(times as usize);
    }
    if let Some(Span(delay)) = options.initial_delay {
        config = config.set_min_delay(delay);
    }
    if let Some(Span(delay)) = options.max_delay {
        config = config.set_max_delay(delay);
    }
    if let Some(base) = options.backoff_multiplier {
        config = config.set_exponent_base(base as f32);
    }
    config
}
