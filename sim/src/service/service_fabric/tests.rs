//! Service Fabric's token service, request by request.

use ::http::Method;
use serde_json::json;

use super::{
    SERVICE_FABRIC_HOST, certificate, matcher::ServiceFabricMatch, server::ServiceFabric, world,
};
use crate::{
    backend::testing::{ask, backend, claims, get, json, request},
    fault::Matcher as _,
    http::exchange::{Answer, Endpoint as _},
    service::Service as _,
};

const SYSTEM: &str = "5e29463d-0000-0000-0000-000000000001";
const PATH: &str = "/metadata/identity/oauth2/token";
const QUERY: &str = "api-version=2019-07-01-preview&resource=https%3A%2F%2Fvault.azure.net";
const HEADER: (&str, &str) = ("sEcret", "912e4af7-77ba-4fa5-a737-56c8e3ace132");

fn world(more: &str) -> String {
    format!("[service-fabric]\n{more}")
}

fn identity() -> String {
    format!("system-identity = {{ object-id = \"{SYSTEM}\" }}")
}

fn answer(more: &str, target: &str, headers: &[(&str, &str)]) -> Answer {
    ask(
        &ServiceFabric,
        &backend(&world(more)).0,
        &get(target, headers),
    )
}

/// MI-50: `expires_on` is a number, and there is no `expires_in`.
#[test]
fn a_token_answer_has_the_documented_fields() {
    let answer = answer(&identity(), &format!("{PATH}?{QUERY}"), &[HEADER]);
    assert_eq!(answer.status, 200);
    let body = json(&answer);
    assert_eq!(claims(&body["access_token"])["oid"], SYSTEM);
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    assert_eq!(
        text.replace(body["access_token"].as_str().unwrap(), "T"),
        "{\"access_token\":\"T\",\"expires_on\":1767312000,\
         \"resource\":\"https://vault.azure.net\",\"token_type\":\"Bearer\"}"
    );
}

/// MI-70.
#[test]
fn what_cannot_be_served_is_refused_in_the_service_s_form() {
    let (own, path) = (identity(), format!("{PATH}?{QUERY}"));
    let wrong = [("Secret", "no")];
    let forbidden = format!("{own}\nwrong-header-status = 403");
    let without = |query: &str| answer(&own, &format!("{PATH}?{query}"), &[HEADER]);
    for (answer, status, code) in [
        (answer(&own, &path, &[]), 400, "SecretHeaderNotFound"),
        (answer(&own, &path, &wrong), 401, "Unauthorized"),
        (answer(&forbidden, &path, &wrong), 403, "Forbidden"),
        (answer("", &path, &[HEADER]), 404, "ManagedIdentityNotFound"),
        (answer(&own, "/other", &[HEADER]), 404, "NotFound"),
        (without("resource=a"), 400, "InvalidApiVersion"),
        (
            without("api-version=2019-07-01-preview"),
            400,
            "ArgumentNullOrEmpty",
        ),
    ] {
        let error = &json(&answer)["error"];
        assert_eq!(
            (answer.status.as_u16(), &error["code"]),
            (status, &json!(code))
        );
        assert_eq!(error["correlationId"].as_str().map(str::len), Some(36));
    }
    let post = request(Method::POST, &path, &[HEADER], "");
    let refused = ask(&ServiceFabric, &backend(&world("")).0, &post);
    assert_eq!(refused.status, 405);
}

/// MI-20: the variable has the thumbprint of the certificate that is presented.
#[test]
fn the_variables_lead_to_the_endpoint_and_its_certificate() {
    let fabric: world::ServiceFabric = toml::from_str("identity-header = \"h\"").unwrap();
    let presented = backend(&world("")).0.certificate_of(SERVICE_FABRIC_HOST);
    assert_eq!(
        fabric.environment(),
        [
            (
                "IDENTITY_ENDPOINT",
                "https://10.0.0.4:2377/metadata/identity/oauth2/token".to_owned()
            ),
            ("IDENTITY_HEADER", "h".to_owned()),
            ("IDENTITY_SERVER_THUMBPRINT", presented.thumbprint_text()),
        ]
    );
    assert_ne!(certificate(2).thumbprint(), presented.thumbprint());
}

#[test]
fn a_matcher_reads_the_resource() {
    let facts = |target: &str| ServiceFabric.record(&get(target, &[HEADER])).facts;
    let asked = facts("/metadata/identity/oauth2/token?resource=https%3A%2F%2Fa");
    let is = |text: &str, facts| {
        let matcher: ServiceFabricMatch = toml::from_str(text).unwrap();
        matcher.matches(facts)
    };
    assert!(is("", &asked) && is("resource = \"https://a/\"", &asked));
    assert!(!is("resource = \"https://b\"", &asked));
    assert!(!is(
        "resource = \"https://a\"",
        &facts("/other?resource=https%3A%2F%2Fa")
    ));
}
