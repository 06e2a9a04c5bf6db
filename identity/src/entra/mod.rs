//! Microsoft Entra ID as a token service: authority, tenants, client authentication, grants, and
//! the reading of its answers.

mod app;
mod authority;
mod client;
mod client_credentials;
mod response;
mod tenant;

pub(crate) use app::AppId;
pub(crate) use authority::Authority;
pub(crate) use client::{Client, ClientAuthentication};
pub(crate) use client_credentials::client_credentials;
pub(crate) use response::aadsts_code;
pub(crate) use tenant::Tenants;

use crate::{Error, ErrorKind, TokenRequest};

/// Checks that `request` has at least one scope and no empty one.
///
/// # Errors
/// `Configuration`: Entra would refuse such a request.
pub(crate) fn check_scopes(credential: &str, request: &TokenRequest) -> Result<(), Error> {
    if request.scopes().is_empty() || request.scopes().iter().any(String::is_empty) {
        return Err(
            Error::new(ErrorKind::Configuration, credential, "needs a scope")
                .with_help("ask for a scope such as https://vault.azure.net/.default"),
        );
    }
    Ok(())
}
