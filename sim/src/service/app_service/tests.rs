//! App Service's token endpoint, request by request.

use ::http::Method;
use serde_json::json;

use super::{matcher::AppServiceMatch, server::AppService, world};
use crate::{
    backend::testing::{ask, backend, claims, get, json, request},
    fault::Matcher as _,
    http::exchange::{Answer, Endpoint as _},
    service::Service as _,
};

const SYSTEM: &str = "5e29463d-0000-0000-0000-000000000001";
const USER: &str = "5e29463d-0000-0000-0000-000000000002";
const QUERY: &str = "api-version=2019-08-01&resource=https%3A%2F%2Fvault.azure.net";
const HEADER: (&str, &str) = ("X-IDENTITY-HEADER", "853b9a84-5bfa-4b22-a3f3-0b9a43d9ad8a");

fn world(more: &str) -> String {
    format!(
        r#"
        [app-service]
        {more}
        system-identity = {{ object-id = "{SYSTEM}" }}
        [[app-service.user-identities]]
        object-id = "{USER}"
        client-id = "c0000000-0000-0000-0000-000000000002"
        resource-id = "/subscriptions/s/resourceGroups/g/userAssignedIdentities/u"
        "#
    )
}

fn answer(more: &str, target: &str, headers: &[(&str, &str)]) -> Answer {
    ask(&AppService, &backend(&world(more)).0, &get(target, headers))
}

fn token(query: &str) -> Answer {
    answer("", &format!("/msi/token?{query}"), &[HEADER])
}

#[test]
fn a_token_answer_has_the_documented_fields() {
    let answer = token(QUERY);
    assert_eq!(answer.status, 200);
    let body = json(&answer);
    let claims = claims(&body["access_token"]);
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    assert_eq!(
        text.replace(body["access_token"].as_str().unwrap(), "T"),
        format!(
            "{{\"access_token\":\"T\",\"expires_on\":\"1767312000\",\
             \"resource\":\"https://vault.azure.net\",\"token_type\":\"Bearer\",\
             \"client_id\":{}}}",
            body["client_id"]
        )
    );
    assert_eq!(claims["oid"], SYSTEM);
    assert_eq!(claims["appid"], body["client_id"]);
    let site = claims["xms_mirid"].as_str().unwrap();
    assert!(site.ends_with("/Microsoft.Web/sites/app"), "{site}");
}

#[test]
fn an_identity_is_found_by_each_of_its_ids() {
    for id in [
        "client_id=c0000000-0000-0000-0000-000000000002",
        &format!("object_id={USER}"),
        &format!("principal_id={USER}"),
        "mi_res_id=%2Fsubscriptions%2Fs%2FresourceGroups%2Fg%2FuserAssignedIdentities%2Fu",
    ] {
        let body = json(&token(&format!("{QUERY}&{id}")));
        assert_eq!(claims(&body["access_token"])["oid"], USER, "{id}");
    }
}

#[test]
fn what_cannot_be_served_is_refused_in_the_service_s_form() {
    let path = format!("/msi/token?{QUERY}");
    let unknown = format!("{QUERY}&client_id=x");
    let two = format!("{QUERY}&client_id=x&object_id=y");
    for (answer, status, message) in [
        (answer("", &path, &[]), 401, "Unauthorized"),
        (
            answer(
                "wrong-header-status = 403",
                &path,
                &[("X-IDENTITY-HEADER", "no")],
            ),
            403,
            "Forbidden",
        ),
        (answer("", "/msi/other", &[HEADER]), 404, "Not Found"),
        (
            token("resource=https%3A%2F%2Fa"),
            400,
            "The parameter api-version is missing",
        ),
        (
            token("api-version=2017-09-01&resource=https%3A%2F%2Fa"),
            400,
            "The api-version is not supported",
        ),
        (
            token("api-version=2019-08-01"),
            400,
            "The parameter resource is missing",
        ),
        (
            token(&unknown),
            400,
            "No Managed Identity found for specified ClientId/ResourceId/PrincipalId.",
        ),
        (token(&two), 400, "More than one identity is named"),
    ] {
        let body = json(&answer);
        assert_eq!(
            (answer.status.as_u16(), &body["message"]),
            (status, &json!(message))
        );
        assert_eq!(body["statusCode"], status);
        assert_eq!(body["correlationId"].as_str().map(str::len), Some(36));
    }
    let post = request(Method::POST, &path, &[HEADER], "");
    let refused = ask(&AppService, &backend(&world("")).0, &post);
    assert_eq!(refused.status, 405);
}

#[test]
fn the_variables_lead_to_the_endpoint() {
    let app: world::AppService = toml::from_str("identity-header = \"h\"").unwrap();
    assert_eq!(
        app.environment(),
        [
            (
                "IDENTITY_ENDPOINT",
                "http://169.254.130.4:8081/msi/token".to_owned()
            ),
            ("IDENTITY_HEADER", "h".to_owned()),
        ]
    );
}

#[test]
fn a_matcher_reads_the_resource() {
    let facts = |target: &str| AppService.record(&get(target, &[HEADER])).facts;
    let asked = facts("/msi/token?resource=https%3A%2F%2Fa");
    let is = |text: &str, facts| {
        let matcher: AppServiceMatch = toml::from_str(text).unwrap();
        matcher.matches(facts)
    };
    assert!(is("", &asked) && is("resource = \"https://a/\"", &asked));
    assert!(!is("resource = \"https://b\"", &asked));
    assert!(!is(
        "resource = \"https://a\"",
        &facts("/other?resource=https%3A%2F%2Fa")
    ));
}
