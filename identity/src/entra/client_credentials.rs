//! The OAuth 2.0 client credentials grant (EN-23).

use crate::{AccessToken, Error, TokenRequest};

use super::{Client, ClientAuthentication};

/// Requests a token of the application itself for `scope`.
pub(crate) async fn client_credentials(
    client: &Client,
    proof: &ClientAuthentication,
    tenant: &str,
    request: &TokenRequest,
    scope: &str,
) -> Result<AccessToken, Error> {
    client
        .token(proof, tenant, request, |form| {
            form.append_pair("grant_type", "client_credentials")
                .append_pair("scope", scope);
        })
        .await
}
