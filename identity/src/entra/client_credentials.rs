//! The OAuth 2.0 client credentials grant (EN-23).

use crate::{AccessToken, Error, TokenRequest};

use super::Client;

/// Requests a token of the application itself.
pub(crate) async fn client_credentials(
    client: &Client,
    tenant: &str,
    request: &TokenRequest,
) -> Result<AccessToken, Error> {
    let scope = request.scopes().join(" ");
    client
        .token(tenant, request, |form| {
            form.append_pair("grant_type", "client_credentials")
                .append_pair("scope", &scope);
        })
        .await
}
