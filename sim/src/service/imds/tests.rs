//! IMDS, request by request.

use ::http::Method;

use super::server::Imds;
use crate::backend::testing::{act, ask, backend, claims, get, header, json, request, seconds};
use crate::http::exchange::{Answer, Endpoint as _, Request};

const PATH: &str = "/metadata/identity/oauth2/token";
const QUERY: &str = "api-version=2018-02-01&resource=https%3A%2F%2Fvault.azure.net";
const SYSTEM: &str = "5e29463d-0000-0000-0000-000000000001";
const USER: &str = "5e29463d-0000-0000-0000-000000000002";

fn world(more: &str) -> String {
    format!(
        r#"
        [imds]
        {more}
        system-identity = {{ object-id = "{SYSTEM}" }}
        [[imds.user-identities]]
        object-id = "{USER}"
        client-id = "c0000000-0000-0000-0000-000000000002"
        resource-id = "/subscriptions/s/resourceGroups/g/userAssignedIdentities/u"
        "#
    )
}

fn answer(world: &str, target: &str, headers: &[(&str, &str)]) -> Answer {
    ask(&Imds, &backend(world).0, &get(target, headers))
}

fn token(more: &str, query: &str) -> Answer {
    answer(
        &world(more),
        &format!("{PATH}?{query}"),
        &[("Metadata", "true")],
    )
}

#[test]
fn a_token_answer_has_the_documented_fields() {
    let answer = token("", QUERY);
    assert_eq!(answer.status, 200);
    assert_eq!(header(&answer, "content-type"), "application/json");
    let body = json(&answer);
    let claims = claims(&body["access_token"]);
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    let token = body["access_token"].as_str().unwrap();
    assert_eq!(
        text.replace(token, "T"),
        format!(
            "{{\"access_token\":\"T\",\"client_id\":{},\"expires_in\":\"86400\",\
             \"expires_on\":\"1767312000\",\"ext_expires_in\":\"86400\",\
             \"not_before\":\"1767225300\",\"resource\":\"https://vault.azure.net\",\
             \"token_type\":\"Bearer\"}}",
            body["client_id"]
        )
    );
    assert_eq!(claims["oid"], SYSTEM);
    assert_eq!(claims["appid"], body["client_id"]);
    assert_eq!(claims["aud"], "https://vault.azure.net");
    assert_eq!(claims["exp"], 1_767_312_000);
    assert_eq!(claims["appidacr"], "2");
    assert!(
        claims["xms_mirid"]
            .as_str()
            .unwrap()
            .ends_with("virtualMachines/host")
    );
    assert_eq!(answer.why.principal.as_deref(), Some(SYSTEM));
    assert!(answer.why.token.is_some());
}

#[test]
fn paths_and_encodings_of_all_sdks_are_accepted() {
    for target in [
        format!("{PATH}/?{QUERY}"),
        format!("/{PATH}?{QUERY}"),
        format!("{PATH}?resource=https://vault.azure.net&api-version=2019-08-01"),
    ] {
        let answer = answer(&world(""), &target, &[("Metadata", "true")]);
        assert_eq!(answer.status, 200, "{target}");
        assert_eq!(json(&answer)["resource"], "https://vault.azure.net");
    }
}

#[test]
fn an_identity_is_found_by_each_of_its_ids() {
    let id = "/SUBSCRIPTIONS/s/resourceGroups/g/userAssignedIdentities/u";
    for (name, value) in [
        ("client_id", "C0000000-0000-0000-0000-000000000002"),
        ("object_id", USER),
        ("msi_res_id", id),
        ("mi_res_id", id),
    ] {
        let answer = token("", &format!("{QUERY}&{name}={value}"));
        assert_eq!(answer.status, 200, "{name}");
        let body = json(&answer);
        assert_eq!(claims(&body["access_token"])["oid"], USER, "{name}");
        assert_eq!(body["client_id"], "c0000000-0000-0000-0000-000000000002");
    }
    let body = json(&token("", &format!("{QUERY}&object_id={USER}")));
    assert!(
        claims(&body["access_token"])["xms_mirid"]
            .as_str()
            .unwrap()
            .ends_with("/u")
    );
}

#[test]
fn who_is_not_here_is_not_found() {
    let exact = "{\"error\":\"invalid_request\",\"error_description\":\"Identity not found\"}";
    let unknown = token("", &format!("{QUERY}&client_id=nobody"));
    assert_eq!(
        (unknown.status.as_u16(), &unknown.body[..]),
        (400, exact.as_bytes())
    );
    assert_eq!(
        unknown.why.why,
        "this host does not have the identity with client_id nobody"
    );
    let none = answer(
        "[imds]",
        &format!("{PATH}?{QUERY}"),
        &[("Metadata", "true")],
    );
    assert_eq!(
        (none.status.as_u16(), &none.body[..]),
        (400, exact.as_bytes())
    );
    assert_eq!(none.why.why, "this host has no system-assigned identity");
}

/// What a proxy has passed on is refused, the header or not (MI-108).
#[test]
fn a_forwarded_request_is_refused() {
    for headers in [
        &[("Metadata", "true"), ("X-Forwarded-For", "10.0.0.1")][..],
        &[("X-Forwarded-For", "")],
    ] {
        let refused = answer(&world(""), &format!("{PATH}?{QUERY}"), headers);
        assert_eq!(refused.status.as_u16(), 400);
        assert!(
            refused.why.why.contains("X-Forwarded-For"),
            "{}",
            refused.why.why
        );
    }
}

#[test]
fn without_the_header_it_is_a_probe() {
    let exact = "{\"error\":\"bad_request_102\",\
                 \"error_description\":\"Required metadata header not specified\"}";
    let probe = answer(&world(""), PATH, &[]);
    assert_eq!(
        (probe.status.as_u16(), &probe.body[..]),
        (400, exact.as_bytes())
    );
    assert_eq!(Imds.record(&get(PATH, &[])).what, "probe");
    assert_eq!(
        Imds.record(&get(PATH, &[("metadata", "true")])).what,
        "token"
    );
    assert_eq!(Imds.record(&get("/metadata/instance", &[])).what, "other");

    let wrong = answer(
        &world(""),
        &format!("{PATH}?{QUERY}"),
        &[("Metadata", "True")],
    );
    assert_eq!(wrong.status, 400);
    assert_eq!(wrong.why.why, "the Metadata header is not exactly true");

    let other = answer(
        &world("answer.missing-header-code = \"invalid_request\""),
        PATH,
        &[],
    );
    assert_eq!(json(&other)["error"], "invalid_request");
}

#[test]
fn a_request_must_be_complete() {
    for (query, text) in [
        (
            "resource=r",
            "Required query variable 'api-version' is missing",
        ),
        (
            "resource=r&api-version=latest",
            "The requested api-version is not supported",
        ),
        (
            "api-version=2018-02-01",
            "Required query variable 'resource' is missing",
        ),
        (
            "api-version=2018-02-01&resource=",
            "Required query variable 'resource' is missing",
        ),
        (
            "api-version=2018-02-01&resource=r&client_id=a&object_id=b",
            "Only one of client_id, object_id and msi_res_id may be given",
        ),
    ] {
        let answer = token("", query);
        assert_eq!(answer.status, 400, "{query}");
        assert_eq!(json(&answer)["error_description"], text);
    }
}

#[test]
fn other_paths_and_methods_are_refused() {
    assert_eq!(
        answer(&world(""), "/metadata/instance", &[("Metadata", "true")]).status,
        404
    );
    let post = request(Method::POST, PATH, &[("Metadata", "true")], "");
    let answer = ask(&Imds, &backend(&world("")).0, &post);
    assert_eq!(
        (answer.status.as_u16(), header(&answer, "allow")),
        (405, "GET")
    );
}

#[test]
fn the_form_of_the_answer_is_a_knob() {
    let body = json(&token("answer.numbers = true", QUERY));
    assert_eq!(body["expires_in"], 86_400);
    assert_eq!(body["expires_on"], 1_767_312_000);
    let body = json(&token("answer.without-expires-in = true", QUERY));
    assert!(body.get("expires_in").is_none() && body.get("expires_on").is_some());
    let body = json(&token(
        "answer.without-expires-on = true\ntoken-life = \"7200s\"",
        QUERY,
    ));
    assert!(body.get("expires_on").is_none());
    assert_eq!(body["expires_in"], "7200");
}

#[test]
fn a_kept_token_is_handed_out_until_its_end() {
    let (backend, _) = backend(&world(
        "keeps-tokens = true\ntoken-life = \"1h\"\nkeeps-until-left = \"5m\"",
    ));
    let ask = |resource: &str, at: u64| {
        let target = format!("{PATH}?api-version=2018-02-01&resource={resource}");
        json(&Imds.answer(
            &backend,
            &get(&target, &[("Metadata", "true")]),
            seconds(at),
        ))
    };
    let first = ask("a", 0);
    let kept = ask("a/", 3_299);
    assert_eq!(kept["access_token"], first["access_token"]);
    assert_eq!(kept["expires_in"], "301");
    assert_ne!(ask("b", 3_299)["access_token"], first["access_token"]);
    assert_ne!(ask("a", 3_300)["access_token"], first["access_token"]);
}

#[test]
fn the_limit_counts_in_windows_and_leaves_probes_alone() {
    let (backend, _) = backend(&world(
        "limit = { requests = 2, per = \"1m\", retry-after = \"soon\" }",
    ));
    let token = get(&format!("{PATH}?{QUERY}"), &[("Metadata", "true")]);
    let status =
        |request: &Request, at| Imds.answer(&backend, request, seconds(at)).status.as_u16();
    assert_eq!([0, 58, 59].map(|at| status(&token, at)), [200, 200, 429]);
    assert_eq!(status(&get(PATH, &[]), 59), 400);
    let refused = Imds.answer(&backend, &token, seconds(59));
    assert_eq!(header(&refused, "retry-after"), "soon");
    assert_eq!(json(&refused)["error"], "too_many_requests");
    assert_eq!(refused.why.why, "more than 2 requests in 1m");
    assert_eq!(status(&token, 60), 200);
}

#[test]
fn identities_come_and_go() {
    let (backend, recorder) = backend(&world("keeps-tokens = true"));
    let token = get(&format!("{PATH}?{QUERY}"), &[("Metadata", "true")]);
    let status = || Imds.answer(&backend, &token, seconds(2)).status.as_u16();
    assert_eq!(status(), 200);
    act(
        &backend,
        &format!("remove-identity = {{ object-id = \"{SYSTEM}\" }}"),
        seconds(1),
    );
    assert_eq!(status(), 400);
    let new = "assign-system-identity = { object-id = \"5e29463d-0000-0000-0000-000000000009\" }";
    act(&backend, new, seconds(2));
    assert_eq!(status(), 200);
    assert_eq!(recorder.finish().events.len(), 2);
}
