//! The headers by which a service recognises this crate and one call of it.

use crate::platform::{HttpRequest, Platform};

/// The value of `User-Agent`, the same for every service.
const USER_AGENT: &str = concat!("credsim-identity/", env!("CARGO_PKG_VERSION"));

/// Adds the user agent and a new id of this call. Retries send the same id (MI-18).
pub(crate) fn identified(request: HttpRequest, platform: &Platform) -> HttpRequest {
    identified_by(request, &platform.random.uuid("client-request-id"))
}

/// Adds the same headers for Entra, and the id also under the name that MSAL uses (EN-20).
pub(crate) fn identified_to_entra(request: HttpRequest, platform: &Platform) -> HttpRequest {
    let id = platform.random.uuid("client-request-id");
    identified_by(request, &id).header("client-request-id", id)
}

fn identified_by(request: HttpRequest, id: &str) -> HttpRequest {
    request
        .header("User-Agent", USER_AGENT)
        .header("x-ms-client-request-id", id)
}
