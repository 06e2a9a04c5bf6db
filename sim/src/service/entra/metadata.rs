//! What Entra publishes about itself: instance discovery, the OpenID configuration, the keys.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};

use super::ENTRA_HOST;
use super::{
    Refusal,
    answer::{SHARED, is_known, say},
    refuse,
};
use crate::{
    backend::{Backend, jwt},
    http::exchange::{Answer, Request},
};

/// The clouds: the name that serves, the name under which caches file it, all its names.
const CLOUDS: [(&str, &str, &[&str]); 3] = [
    (
        ENTRA_HOST,
        "login.windows.net",
        &[
            ENTRA_HOST,
            "login.windows.net",
            "login.microsoft.com",
            "sts.windows.net",
        ],
    ),
    (
        "login.partner.microsoftonline.cn",
        "login.partner.microsoftonline.cn",
        &["login.partner.microsoftonline.cn", "login.chinacloudapi.cn"],
    ),
    (
        "login.microsoftonline.us",
        "login.microsoftonline.us",
        &["login.microsoftonline.us", "login.usgovcloudapi.net"],
    ),
];

/// `/common/discovery/instance`: is the authority one of ours?
pub fn instance(backend: &Backend, request: &Request, at: Duration) -> Answer {
    if request.query_field("api-version").is_none() {
        return refuse(backend, request, &Refusal::missing("api-version"), at);
    }
    let Some(authority) = request.query_field("authorization_endpoint") else {
        return refuse(
            backend,
            request,
            &Refusal::missing("authorization_endpoint"),
            at,
        );
    };
    let path = authority.strip_prefix("https://").unwrap_or_default();
    let (host, path) = path.split_once('/').unwrap_or((path, ""));
    let tenant = path.split('/').next().filter(|tenant| !tenant.is_empty());
    let known = CLOUDS.iter().any(|(_, _, aliases)| aliases.contains(&host));
    let (true, Some(tenant)) = (known, tenant) else {
        return refuse(backend, request, &Refusal::unknown_instance(), at);
    };
    let clouds = CLOUDS.map(|(network, cache, aliases)| {
        json!({ "preferred_network": network, "preferred_cache": cache, "aliases": aliases })
    });
    let body = json!({
        "tenant_discovery_endpoint":
            format!("https://{host}/{tenant}/v2.0/.well-known/openid-configuration"),
        "api-version": "1.1",
        "metadata": clouds,
    });
    publish(backend, &body, "a known cloud")
}

/// `/{tenant}/v2.0/.well-known/openid-configuration`.
pub fn configuration(backend: &Backend, tenant: &str, request: &Request, at: Duration) -> Answer {
    let (tenant, issuer) = match name(backend, tenant) {
        Some(names) => names,
        None => return unknown(backend, tenant, request, at),
    };
    let base = format!("https://{ENTRA_HOST}/{tenant}");
    let body = json!({
        "token_endpoint": format!("{base}/oauth2/v2.0/token"),
        "token_endpoint_auth_methods_supported":
            ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": format!("{base}/discovery/v2.0/keys"),
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": issuer,
        "request_uri_parameter_supported": false,
        "userinfo_endpoint": "https://graph.microsoft.com/oidc/userinfo",
        "authorization_endpoint": format!("{base}/oauth2/v2.0/authorize"),
        "device_authorization_endpoint": format!("{base}/oauth2/v2.0/devicecode"),
        "http_logout_supported": true,
        "frontchannel_logout_supported": true,
        "end_session_endpoint": format!("{base}/oauth2/v2.0/logout"),
        "claims_supported": [
            "sub", "iss", "aud", "exp", "iat", "auth_time", "acr", "nonce",
            "preferred_username", "name", "tid", "ver", "at_hash", "c_hash", "email"
        ],
        "tenant_region_scope": null,
        "cloud_instance_name": "microsoftonline.com",
        "cloud_graph_host_name": "graph.windows.net",
        "msgraph_host": "graph.microsoft.com",
    });
    publish(backend, &body, "the OpenID configuration")
}

/// `/{tenant}/discovery/v2.0/keys`.
pub fn keys(backend: &Backend, tenant: &str, request: &Request, at: Duration) -> Answer {
    match name(backend, tenant) {
        Some((_, issuer)) => publish(backend, &jwt::key_set(&issuer), "the signing keys"),
        None => unknown(backend, tenant, request, at),
    }
}

/// How documents about a tenant name it, and its issuer.
fn name(backend: &Backend, tenant: &str) -> Option<(String, String)> {
    let lower = tenant.to_ascii_lowercase();
    let (tenant, issuer) = if SHARED.contains(&lower.as_str()) {
        // Literally so: whose token it is, is known only from the token.
        (lower, "{tenantid}".to_owned())
    } else if is_known(backend, tenant) {
        let tenant = backend.state().issuer.tenant().to_owned();
        (tenant.clone(), tenant)
    } else {
        return None;
    };
    Some((tenant, format!("https://{ENTRA_HOST}/{issuer}/v2.0")))
}

fn unknown(backend: &Backend, tenant: &str, request: &Request, at: Duration) -> Answer {
    refuse(
        backend,
        request,
        &Refusal::unknown_tenant("invalid_tenant", tenant),
        at,
    )
}

fn publish(backend: &Backend, body: &Value, why: &str) -> Answer {
    let trace = backend.state().issuer.new_guid("trace");
    let mut answer = say(StatusCode::OK, body, &trace).because(why);
    // What is published may be kept, unlike tokens.
    answer.headers.remove("pragma");
    answer.with_header("Cache-Control", "max-age=86400, private")
}
