//! An API that checks tokens.

use serde_json::json as value;

use super::super::managed_identity::ManagedIdentity;
use super::server::Resource;
use crate::backend::Backend;
use crate::backend::testing::{backend, get, header, json, request, seconds};
use crate::{
    backend::{issuer::Issuer, jwt},
    http::exchange::Endpoint as _,
};

const WORLD: &str = r#"
    [resources.vault]
    audience = "https://vault.azure.net"
    grants = { reader = ["read"] }
"#;
const TENANT: &str = "72f988bf-0000-0000-0000-00000000cafe";

fn issue(backend: &Backend, oid: &str, audience: &str) -> String {
    let identity = ManagedIdentity {
        object_id: oid.to_owned(),
        client_id: None,
        resource_id: None,
        app_roles: 0,
    };
    let now = backend.time(seconds(600));
    let mut issuer = Issuer::new(TENANT);
    issuer
        .issue(identity.who(), audience, now, seconds(3_600))
        .token
}

/// Status, the API's code, and why, for a token shown at a time.
fn show(backend: &Backend, token: &str, right: &str, at: u64) -> (u16, String, String) {
    let bearer = format!("Bearer {token}");
    let request = get(&format!("/?right={right}"), &[("Authorization", &bearer)]);
    let answer = Resource::new("vault").answer(backend, &request, seconds(at));
    let code = json(&answer)["error"]["code"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    assert_eq!(
        answer.status == 401,
        !header(&answer, "www-authenticate").is_empty()
    );
    assert!(answer.why.token.is_some());
    (answer.status.as_u16(), code, answer.why.why)
}

#[test]
fn who_may_gets_in_and_who_may_not_does_not() {
    let (backend, _) = backend(WORLD);
    let reader = issue(&backend, "reader", "https://vault.azure.net/");
    assert_eq!(
        show(&backend, &reader, "read", 600),
        (200, String::new(), "reader may read".into())
    );
    let refused = show(&backend, &reader, "write", 600);
    assert_eq!((refused.0, &*refused.1), (403, "AuthorizationFailed"));
    let stranger = issue(&backend, "stranger", "https://vault.azure.net");
    assert_eq!(
        show(&backend, &stranger, "read", 600).2,
        "stranger has no right to read"
    );
}

#[test]
fn a_token_must_be_for_this_api_and_of_this_hour() {
    let (backend, _) = backend(WORLD);
    let token = issue(&backend, "reader", "https://vault.azure.net");
    assert_eq!(show(&backend, &token, "read", 4_199).0, 200);
    assert_eq!(
        show(&backend, &token, "read", 4_200).1,
        "ExpiredAuthenticationToken"
    );
    assert_eq!(
        show(&backend, &token, "read", 299).1,
        "InvalidAuthenticationToken"
    );
    let other = issue(&backend, "reader", "https://storage.azure.com");
    assert_eq!(
        show(&backend, &other, "read", 600).1,
        "InvalidAuthenticationTokenAudience"
    );
}

#[test]
fn forged_and_foreign_tokens_are_refused() {
    let (backend, _) = backend(WORLD);
    let token = issue(&backend, "reader", "https://vault.azure.net");
    let (signed, _) = token.rsplit_once('.').unwrap();
    assert_eq!(
        show(&backend, &format!("{signed}.AAAA"), "read", 600).0,
        401
    );
    assert_eq!(
        show(&backend, "not-a-token", "read", 600).2,
        "what was shown is no token"
    );
    let foreign = jwt::sign(&value!({
        "aud": "https://vault.azure.net", "iss": "https://sts.windows.net/else/", "nbf": 0,
        "exp": i64::MAX, "oid": "reader", "tid": "else"
    }));
    assert_eq!(
        show(&backend, &foreign, "read", 600).1,
        "InvalidAuthenticationTokenTenant"
    );
    let poor = jwt::sign(&value!({ "aud": "https://vault.azure.net" }));
    assert_eq!(
        show(&backend, &poor, "read", 600).1,
        "InvalidAuthenticationToken"
    );
}

#[test]
fn without_a_token_it_says_where_to_get_one() {
    let (backend, _) = backend(WORLD);
    let vault = Resource::new("vault");
    let answer = vault.answer(&backend, &get("/", &[]), seconds(0));
    assert_eq!(answer.status, 401);
    assert_eq!(
        header(&answer, "www-authenticate"),
        format!(
            "Bearer authorization=\"https://login.windows.net/{TENANT}\", \
             resource=\"https://vault.azure.net\""
        )
    );
    let post = request(::http::Method::POST, "/", &[], "");
    assert_eq!(vault.answer(&backend, &post, seconds(0)).status, 405);
    assert_eq!(vault.name(), "resource.vault");
}
