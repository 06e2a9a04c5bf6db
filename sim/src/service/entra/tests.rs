//! Entra, request by request.

use ::http::Method;

use super::server::Entra;
use crate::backend::testing::{act, ask, backend, claims, get, header, json, request, seconds};
use crate::http::exchange::{Answer, Endpoint as _};

const TENANT: &str = "72f988bf-0000-0000-0000-00000000cafe";
const GOOD: &str = "grant_type=client_credentials&client_id=app&client_secret=S3&\
                    scope=https%3A%2F%2Fvault.azure.net%2F.default";

fn world(more: &str) -> String {
    format!(
        r#"
        [entra]
        {more}
        [[entra.apps]]
        client-id = "app"
        object-id = "app-object"
        secret = "S3"
        [[entra.apps]]
        client-id = "off"
        object-id = "off-object"
        secret = "S3"
        disabled = true
        "#
    )
}

fn post(path: &str, body: &str) -> crate::http::exchange::Request {
    let form = ("content-type", "application/x-www-form-urlencoded");
    request(Method::POST, path, &[form], body)
}

fn token(more: &str, body: &str) -> Answer {
    ask(
        &Entra,
        &backend(&world(more)).0,
        &post(&format!("/{TENANT}/oauth2/v2.0/token"), body),
    )
}

#[test]
fn an_application_gets_a_token() {
    let answer = token("", GOOD);
    assert_eq!(answer.status, 200);
    let body = json(&answer);
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    assert_eq!(
        text.replace(body["access_token"].as_str().unwrap(), "T"),
        "{\"token_type\":\"Bearer\",\"expires_in\":3600,\"ext_expires_in\":3600,\
         \"access_token\":\"T\"}"
    );
    let claims = claims(&body["access_token"]);
    assert_eq!(claims["oid"], "app-object");
    assert_eq!(claims["appid"], "app");
    assert_eq!(claims["appidacr"], "1");
    assert_eq!(claims["aud"], "https://vault.azure.net");
    assert_eq!(claims["idtyp"], "app");
    assert!(claims.get("scp").is_none() && claims.get("xms_mirid").is_none());
    assert_eq!(header(&answer, "cache-control"), "no-store, no-cache");
    assert_eq!(
        header(&answer, "content-type"),
        "application/json; charset=utf-8"
    );
    assert_eq!(answer.headers.get_all("set-cookie").iter().count(), 3);
    assert_eq!(answer.why.principal.as_deref(), Some("app-object"));

    let body = json(&token("refresh-in = \"30m\"\ntoken-life = \"1d\"", GOOD));
    assert_eq!(
        (&body["refresh_in"], &body["expires_in"]),
        (&1_800.into(), &86_400.into())
    );
}

#[test]
fn every_refusal_has_its_number_and_status() {
    let with = |old: &str, new: &str| GOOD.replace(old, new);
    for (body, status, error, code) in [
        (
            with("grant_type=client_credentials&", ""),
            400,
            "invalid_request",
            900_144,
        ),
        (
            with("client_credentials", "password"),
            400,
            "unsupported_grant_type",
            70_003,
        ),
        (
            with("client_id=app", "x=y"),
            400,
            "invalid_request",
            900_144,
        ),
        (with("scope=", "skope="), 400, "invalid_request", 900_144),
        (
            with("client_id=app", "client_id=other"),
            400,
            "unauthorized_client",
            700_016,
        ),
        (
            with("client_id=app", "client_id=off"),
            400,
            "unauthorized_client",
            7_000_112,
        ),
        (
            with("client_secret=S3", "client_secret=S4"),
            401,
            "invalid_client",
            7_000_215,
        ),
        (
            with("client_secret=S3", "a=b"),
            401,
            "invalid_client",
            7_000_218,
        ),
        (with("%2F.default", ""), 400, "invalid_scope", 1_002_012),
        (
            with("%2F.default", "%2F.default+https://b/.default"),
            400,
            "invalid_scope",
            70_011,
        ),
    ] {
        let answer = token("", &body);
        assert_eq!(answer.status, status, "{body}");
        let said = json(&answer);
        assert_eq!(said["error"], error, "{body}");
        assert_eq!(said["error_codes"][0], code, "{body}");
        assert!(
            answer.why.why.starts_with(&format!("AADSTS{code}: ")),
            "{}",
            answer.why.why
        );
        assert!(!String::from_utf8_lossy(&answer.body).contains("S4"));
    }
}

#[test]
fn tenants_are_checked() {
    let backend = backend(&world("")).0;
    let code = |tenant: &str| {
        let answer = ask(
            &Entra,
            &backend,
            &post(&format!("/{tenant}/oauth2/v2.0/token/"), GOOD),
        );
        json(&answer)["error_codes"][0].as_u64()
    };
    assert_eq!(code(&TENANT.to_uppercase()), None);
    assert_eq!(code("elsewhere"), Some(90_002));
    assert_eq!(code("common"), Some(50_059));
    let other = get(&format!("/{TENANT}/oauth2/v2.0/token"), &[]);
    assert_eq!(
        json(&ask(&Entra, &backend, &other))["error_codes"][0],
        900_561
    );
    assert_eq!(ask(&Entra, &backend, &get("/", &[])).status, 404);
}

#[test]
fn an_error_is_written_as_the_service_writes_it() {
    let path = format!("/{TENANT}/oauth2/v2.0/token?client-request-id=my-id");
    let request = post(&path, &GOOD.replace("S3", "no"));
    for (more, gap) in [("", " "), ("crlf-descriptions = true", "\r\n")] {
        let answer = Entra.answer(&backend(&world(more)).0, &request, seconds(61));
        let body = json(&answer);
        let trace = body["trace_id"].as_str().unwrap().to_owned();
        assert_eq!(body["timestamp"], "2026-01-01 00:01:01Z");
        assert_eq!(body["correlation_id"], "my-id");
        assert_eq!(
            body["error_uri"],
            "https://login.microsoftonline.com/error?code=7000215"
        );
        assert_eq!(header(&answer, "x-ms-request-id"), trace);
        assert_eq!(
            body["error_description"],
            format!(
                "AADSTS7000215: Invalid client secret provided for app 'app'.{gap}Trace ID: {trace}\
                 {gap}Correlation ID: my-id{gap}Timestamp: 2026-01-01 00:01:01Z"
            )
        );
    }
}

#[test]
fn a_client_over_its_limit_is_told_so() {
    for (body, text) in [("json", false), ("text", true)] {
        let limit = format!(
            "limit = {{ requests = 1, per = \"1m\", retry-after = \"60\", body = \"{body}\" }}"
        );
        let (backend, _) = backend(&world(&limit));
        let request = post(&format!("/{TENANT}/oauth2/v2.0/token"), GOOD);
        assert_eq!(ask(&Entra, &backend, &request).status, 200);
        let answer = ask(&Entra, &backend, &request);
        assert_eq!(
            (answer.status.as_u16(), header(&answer, "retry-after")),
            (429, "60")
        );
        if text {
            assert_eq!(&answer.body[..], b"Too Many Requests");
            assert_eq!(header(&answer, "content-type"), "text/plain; charset=utf-8");
        } else {
            assert_eq!(json(&answer)["error_codes"][0], 90_055);
        }
        let other = post(
            &format!("/{TENANT}/oauth2/v2.0/token"),
            &GOOD.replace("=app", "=off"),
        );
        assert_eq!(
            ask(&Entra, &backend, &other).status,
            400,
            "the budget is the application's"
        );
    }
}

#[test]
fn a_replaced_secret_no_longer_opens_and_still_may_not_leak() {
    let (backend, _) = backend(&world(""));
    let request = post(&format!("/{TENANT}/oauth2/v2.0/token"), GOOD);
    act(
        &backend,
        "rotate-secret = { client-id = \"app\", secret = \"S5\" }",
        seconds(1),
    );
    assert_eq!(ask(&Entra, &backend, &request).status, 401);
    assert_eq!(
        backend.secret_in("client_secret=S3, and on"),
        Some("client secret")
    );
    let good = post(
        &format!("/{TENANT}/oauth2/v2.0/token"),
        &GOOD.replace("S3", "S5"),
    );
    let answer = String::from_utf8(ask(&Entra, &backend, &good).body.to_vec()).unwrap();
    assert_eq!(backend.secret_in(&answer), Some("token"));
    assert_eq!(backend.secret_in("eyJ and S4"), None);
    for secret in ["S3", "S5"] {
        assert_eq!(backend.secret_in(secret), Some("client secret"));
    }
}

#[test]
fn discovery_knows_the_clouds() {
    let (backend, _) = backend(&world(""));
    let discover = |authority: &str| {
        let target = format!(
            "/common/discovery/instance?api-version=1.1&authorization_endpoint=\
             {authority}/{TENANT}/oauth2/v2.0/authorize"
        );
        ask(&Entra, &backend, &get(&target, &[]))
    };
    let body = json(&discover("https://login.microsoftonline.com"));
    assert_eq!(body["api-version"], "1.1");
    assert_eq!(body["metadata"][0]["preferred_cache"], "login.windows.net");
    assert_eq!(
        body["tenant_discovery_endpoint"],
        format!("https://login.microsoftonline.com/{TENANT}/v2.0/.well-known/openid-configuration")
    );
    let unknown = discover("https://login.example.com");
    assert_eq!(
        (unknown.status.as_u16(), &json(&unknown)["error"]),
        (400, &"invalid_instance".into())
    );
}

#[test]
fn the_configuration_names_the_tenant_and_the_keys() {
    let (backend, _) = backend(&world(""));
    let read = |path: &str| ask(&Entra, &backend, &get(path, &[]));
    let body = json(&read(&format!(
        "/{TENANT}/v2.0/.well-known/openid-configuration"
    )));
    let base = format!("https://login.microsoftonline.com/{TENANT}");
    assert_eq!(body["issuer"], format!("{base}/v2.0"));
    assert_eq!(body["token_endpoint"], format!("{base}/oauth2/v2.0/token"));
    assert_eq!(body["jwks_uri"], format!("{base}/discovery/v2.0/keys"));
    let common = json(&read("/common/v2.0/.well-known/openid-configuration"));
    assert_eq!(
        common["issuer"],
        "https://login.microsoftonline.com/{tenantid}/v2.0"
    );
    let keys = json(&read(&format!("/{TENANT}/discovery/v2.0/keys")));
    assert_eq!(keys["keys"][0]["issuer"], body["issuer"]);
    let unknown = read("/elsewhere/v2.0/.well-known/openid-configuration");
    assert_eq!(
        (unknown.status.as_u16(), &json(&unknown)["error"]),
        (400, &"invalid_tenant".into())
    );
}

#[test]
fn the_trace_shows_the_form_without_the_secret() {
    let recorded = Entra.record(&post(&format!("/{TENANT}/oauth2/v2.0/token"), GOOD));
    assert_eq!(recorded.what, "token");
    assert_eq!(
        recorded.detail,
        "grant_type=client_credentials&client_id=app&client_secret=***&\
         scope=https://vault.azure.net/.default"
    );
}
