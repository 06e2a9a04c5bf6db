//! Token exchange in place of a managed identity service: in a pod with workload identity (MI-01,
//! MI-40).

use crate::{
    CommonOptions, EntraOptions, Error, RetryOptions,
    credentials::workload_identity::{self, CLIENT_ID, TENANT_ID, TOKEN_FILE},
    federation::Federated,
    platform::Platform,
};

use super::{ManagedIdentityId, NAME};

/// Returns what exchanges the token of this pod; `None` where the variables do not describe a
/// workload identity, or the identity is named by another id than its client id.
///
/// It is kept for the life of the credential, and its requests have the time limits and retries of
/// Entra with the options of the credential.
///
/// # Errors
/// `Configuration` if the tenant or the authority host is malformed.
pub(super) fn detect(
    platform: &Platform,
    id: &ManagedIdentityId,
    common: &CommonOptions,
    retry: &RetryOptions,
) -> Result<Option<Federated>, Error> {
    let var = |name: &str| platform.environment.non_empty(name);
    let client = match id {
        ManagedIdentityId::ClientId(id) => Some(id.clone()),
        ManagedIdentityId::SystemAssigned => var(CLIENT_ID),
        ManagedIdentityId::ObjectId(_) | ManagedIdentityId::ResourceId(_) => None,
    };
    let (Some(client), Some(tenant), Some(file)) = (client, var(TENANT_ID), var(TOKEN_FILE)) else {
        return Ok(None);
    };
    let options = EntraOptions {
        common: common.clone(),
        retry: retry.clone(),
        ..EntraOptions::default()
    };
    let parts = (tenant, client, file.into());
    workload_identity::source(NAME, parts, &options, platform).map(Some)
}

/// Returns the error of an identity that token exchange cannot name (PR-08).
pub(super) fn unnamed() -> Error {
    let message = format!("{TOKEN_FILE} asks for token exchange, which takes a client id only");
    Error::unusable(NAME, message, "name the identity by its client id")
}
