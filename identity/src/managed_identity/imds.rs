//! The Instance Metadata Service of a virtual machine: its requests (MI-10, MI-17, MI-80).

use url::Url;

use crate::{
    Error, ErrorKind,
    platform::{HttpRequest, Method, Platform},
    wire,
};

use super::{ManagedIdentityId, NAME};

/// Replaces the address of the service (MI-19).
pub(super) const AUTHORITY_HOST: &str = "AZURE_POD_IDENTITY_AUTHORITY_HOST";

const DEFAULT_HOST: &str = "http://169.254.169.254";
const TOKEN_PATH: &str = "/metadata/identity/oauth2/token";
const API_VERSION: &str = "2018-02-01";

/// Where tokens are asked for: at `authority`, or at the fixed link-local address.
pub(super) fn endpoint(authority: Option<&str>) -> Result<Url, Error> {
    let host = authority.unwrap_or(DEFAULT_HOST).trim_end_matches('/');
    Url::parse(&format!("{host}{TOKEN_PATH}"))
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or_else(|| {
            Error::new(
                ErrorKind::Configuration,
                NAME,
                format!("{AUTHORITY_HOST} is not the URL of a host"),
            )
            .with_help(format!(
                "unset it, or set it to something like {DEFAULT_HOST}"
            ))
        })
}

/// The request for a token of `id` for `resource`.
pub(super) fn token_request(
    platform: &Platform,
    endpoint: &Url,
    resource: &str,
    id: &ManagedIdentityId,
) -> HttpRequest {
    let mut url = endpoint.clone();
    let mut query = url.query_pairs_mut();
    query
        .append_pair("api-version", API_VERSION)
        .append_pair("resource", resource);
    match id {
        ManagedIdentityId::SystemAssigned => {}
        ManagedIdentityId::ClientId(id) => drop(query.append_pair("client_id", id)),
        ManagedIdentityId::ObjectId(id) => drop(query.append_pair("object_id", id)),
        ManagedIdentityId::ResourceId(id) => drop(query.append_pair("msi_res_id", id)),
    }
    drop(query);
    let request = HttpRequest::new(Method::Get, url).header("Metadata", "true");
    wire::identified(request.header("Accept", "application/json"), platform)
}

/// The request that asks whether anybody is there. It lacks the `Metadata` header on purpose: the
/// service refuses it at once and without work.
pub(super) fn probe_request(platform: &Platform, endpoint: &Url) -> HttpRequest {
    let request = HttpRequest::new(Method::Get, endpoint.clone());
    wire::identified(request.header("Accept", "application/json"), platform)
}
