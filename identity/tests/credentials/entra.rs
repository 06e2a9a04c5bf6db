//! ClientSecretCredential and EnvironmentCredential.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use credsim_identity::{
    ClientSecretCredential, EnvironmentCredential, Error, ErrorKind, TokenCredential,
    TokenCredentialExt, TokenRequest, credentials::ClientSecretCredentialBuilder,
    platform::TransportErrorKind,
};

use crate::stub::*;

const SECRET: &str = "s3cr3t-value";

fn builder(stub: &Arc<Stub>) -> ClientSecretCredentialBuilder {
    ClientSecretCredential::builder("contoso.example", "client", SECRET).platform(stub.platform())
}

fn good() -> Answer {
    let body = format!(
        r#"{{"token_type":"Bearer","expires_in":3599,"access_token":"{}"}}"#,
        jwt("app")
    );
    reply(200, body)
}

fn form(stub: &Stub, index: usize) -> BTreeMap<String, String> {
    let body = stub.requests.lock().unwrap()[index].1.body.clone();
    form_urlencoded::parse(&body).into_owned().collect()
}

async fn refused(status: u16, body: &str) -> Error {
    let stub = Stub::new();
    let body = body.to_owned();
    stub.on_http(move |_| reply(status, body.clone()));
    failure(&builder(&stub).build().unwrap()).await
}

/// EN-20, EN-23, EN-05: one POST, and nothing else.
#[tokio::test(start_paused = true)]
async fn the_request_is_the_client_credentials_grant() {
    let stub = Stub::new();
    stub.on_http(|_| good());
    let token = builder(&stub)
        .build()
        .unwrap()
        .get_token(&request())
        .await
        .unwrap();
    assert_eq!(token.expires_on(), start() + Duration::from_secs(3599));
    assert_eq!(token.answered_by(), "ClientSecretCredential");
    assert_eq!(
        stub.urls(),
        ["https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token"]
    );
    let seen = stub.requests.lock().unwrap()[0].1.clone();
    assert_eq!(seen.method.as_str(), "POST");
    let content_type = (
        "Content-Type".to_owned(),
        "application/x-www-form-urlencoded".to_owned(),
    );
    assert!(seen.headers.contains(&content_type));
    let header = |name: &str| seen.headers.iter().find(|(n, _)| n == name);
    let (id, same) = (
        header("x-ms-client-request-id"),
        header("client-request-id"),
    );
    assert_eq!(id.unwrap().1, same.unwrap().1, "one id under both names");
    let expected = [
        ("client_id", "client"),
        ("client_secret", SECRET),
        ("grant_type", "client_credentials"),
        ("scope", SCOPE),
    ];
    assert_eq!(
        form(&stub, 0),
        expected.map(|(n, v)| (n.to_owned(), v.to_owned())).into()
    );
}

/// EN-25, PR-26.
#[tokio::test(start_paused = true)]
async fn claims_and_cae_are_sent() {
    let stub = Stub::new();
    stub.on_http(|_| good());
    let credential = builder(&stub).build().unwrap();
    let claims = r#"{"access_token":{"nbf":{"essential":true}}}"#;
    credential
        .get_token(&request().with_claims(claims))
        .await
        .unwrap();
    credential
        .get_token(&request().with_claims(claims).with_cae(true))
        .await
        .unwrap();
    credential
        .get_token(&request().with_cae(true))
        .await
        .unwrap();
    assert_eq!(form(&stub, 0)["claims"], claims);
    let both = &form(&stub, 1)["claims"];
    assert!(both.contains("CP1") && both.contains("nbf"), "{both}");
    let wrong = credential
        .get_token(&request().with_claims("no json").with_cae(true))
        .await
        .unwrap_err();
    assert_eq!(wrong.kind(), ErrorKind::Configuration);
}

/// EN-01, EN-02.
#[tokio::test(start_paused = true)]
async fn the_authority_is_https_and_can_be_chosen() {
    let stub = Stub::new().var("AZURE_AUTHORITY_HOST", "login.example:8443");
    stub.on_http(|_| good());
    builder(&stub)
        .build()
        .unwrap()
        .get_token(&request())
        .await
        .unwrap();
    let chosen = builder(&stub)
        .authority_host("https://other.example/")
        .build()
        .unwrap();
    chosen.get_token(&request()).await.unwrap();
    assert_eq!(
        stub.urls(),
        [
            "https://login.example:8443/contoso.example/oauth2/v2.0/token",
            "https://other.example/contoso.example/oauth2/v2.0/token"
        ]
    );
    for bad in [
        "http://login.example",
        "https://user:pass@login.example",
        "https://",
        "a b",
    ] {
        let error = builder(&stub).authority_host(bad).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{bad}");
        assert!(!error.to_string().contains("pass@"), "{error}");
    }
}

/// CA-16, EN-07, EN-17.
#[tokio::test(start_paused = true)]
async fn tenants_are_checked_before_anything_is_sent() {
    let stub = Stub::new();
    stub.on_http(|_| good());
    let credential = builder(&stub)
        .additionally_allowed_tenants(["other"])
        .build()
        .unwrap();
    credential
        .get_token(&request().with_tenant("other"))
        .await
        .unwrap();
    let error = credential
        .get_token(&request().with_tenant("third"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert_eq!(stub.urls().len(), 1);
    assert!(stub.urls()[0].contains("/other/"));
    for tenant in ["common", "Organizations", "a/b", ""] {
        let built = ClientSecretCredential::builder(tenant, "c", "s").platform(stub.platform());
        assert_eq!(
            built.build().unwrap_err().kind(),
            ErrorKind::Configuration,
            "{tenant}"
        );
    }
    for (client, secret) in [("", "s"), ("c", "")] {
        let built = ClientSecretCredential::builder("t", client, secret).platform(stub.platform());
        assert_eq!(built.build().unwrap_err().kind(), ErrorKind::Configuration);
    }
}

/// ER-01, PR-01: the code, the text, the id and what to do.
#[tokio::test(start_paused = true)]
async fn an_entra_error_is_reported_whole() {
    for separator in [r"\r\n", " "] {
        let body = format!(
            r#"{{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret
            \"x\" provided.{separator}Trace ID: tr{separator}Correlation ID: co","error_codes":[7000215],
            "timestamp":"2026-01-01 00:00:00Z","trace_id":"tr","correlation_id":"co"}}"#
        )
        .replace('\n', "");
        let error = refused(401, &body).await;
        assert_eq!(error.kind(), ErrorKind::Failed);
        assert_eq!(error.status(), Some(401));
        assert_eq!(error.code(), Some("AADSTS7000215"));
        assert_eq!(error.request_id(), Some("tr"));
        assert!(error.message().contains("Invalid client secret"), "{error}");
        assert!(!error.message().contains("Trace ID"), "{error}");
        assert!(error.help().unwrap().contains("secret is wrong"));
    }
}

/// ER-01: the id by which support finds the request may stand in the headers only.
#[tokio::test(start_paused = true)]
async fn the_request_id_is_taken_from_the_headers_if_the_body_has_none() {
    let stub = Stub::new();
    let headers = &[("other", "x"), ("X-Ms-Request-Id", "of-the-headers")];
    stub.on_http(|_| Answer::Reply(400, headers, "{}".to_owned()));
    let error = failure(&builder(&stub).build().unwrap()).await;
    assert_eq!(error.request_id(), Some("of-the-headers"));
}

/// ER-06: a person has to act.
#[tokio::test(start_paused = true)]
async fn interaction_required_is_its_own_kind() {
    for body in [
        r#"{"error":"interaction_required","error_description":"AADSTS50079: enrol"}"#,
        r#"{"error":"invalid_grant","suberror":"basic_action","error_codes":[50076]}"#,
    ] {
        assert_eq!(
            refused(400, body).await.kind(),
            ErrorKind::InteractionRequired
        );
    }
    let other = r#"{"error":"invalid_grant","suberror":"other","error_codes":[53003]}"#;
    assert_eq!(refused(400, other).await.kind(), ErrorKind::Failed);
}

/// TH-01: throttled with plain text; TH-11, PR-12.
#[tokio::test(start_paused = true)]
async fn a_plain_text_429_is_understood_and_obeyed() {
    let stub = Stub::new();
    stub.on_http(|_| Answer::Reply(429, &[("Retry-After", "120")], "Too Many Requests".into()));
    let credential = builder(&stub).build().unwrap();
    let error = failure(&credential).await;
    assert_eq!(error.kind(), ErrorKind::Failed);
    assert!(error.message().contains("Too Many Requests"), "{error}");
    assert_eq!(error.retry_at(), Some(start() + Duration::from_secs(120)));
    failure(&credential).await;
    assert_eq!(stub.urls().len(), 1, "nothing is sent before retry_at");
}

/// PR-01, EN-42: what is no token is a failure, and none of its text is repeated.
#[tokio::test(start_paused = true)]
async fn a_malformed_answer_is_a_failure_without_its_text() {
    for body in [
        "hidden",
        r#"{"token_type":"Bearer","expires_in":3599}"#,
        r#"{"token_type":"Bearer","access_token":"hidden"}"#,
        r#"{"token_type":"pop","expires_in":3599,"access_token":"hidden"}"#,
        r#"{"error":"invalid_client","error_description":"hidden"}"#,
    ] {
        let error = refused(200, body).await;
        assert_eq!(error.kind(), ErrorKind::Failed);
        assert!(!format!("{error} {error:?}").contains("hidden"), "{error}");
    }
    let stub = Stub::new();
    stub.on_http(|_| {
        reply(
            200,
            r#"{"token_type":"bearer","expires_in":"60","access_token":"a","refresh_in":30}"#,
        )
    });
    let token = builder(&stub)
        .build()
        .unwrap()
        .get_token(&request())
        .await
        .unwrap();
    assert_eq!(
        token.expires_on(),
        start() + Duration::from_secs(60),
        "a string is a number, too"
    );
    assert_eq!(token.refresh_on(), Some(start() + Duration::from_secs(30)));
}

/// Entra out of reach is Failed, never Unavailable; PR-14: four attempts.
#[tokio::test(start_paused = true)]
async fn an_unreachable_entra_is_a_failure() {
    let stub = Stub::new();
    stub.on_http(|_| Answer::Fails(TransportErrorKind::Dns));
    let error = failure(&builder(&stub).build().unwrap()).await;
    assert_eq!(error.kind(), ErrorKind::Failed);
    let whom = "login.microsoftonline.com cannot be reached: ";
    assert!(error.message().starts_with(whom), "{error}");
    assert_eq!(error.help(), Some("check that this host reaches it"));
    let cause = std::error::Error::source(&error).unwrap();
    assert!(cause.source().is_some(), "what the client said: {cause}");
    assert_eq!(stub.urls().len(), 4);
}

/// No secret in `Debug` or errors, even when the service repeats it.
#[tokio::test(start_paused = true)]
async fn the_secret_is_never_shown() {
    let stub = Stub::new();
    let builder = builder(&stub);
    assert!(!format!("{builder:?}").contains(SECRET));
    assert!(!format!("{:?}", builder.build().unwrap()).contains(SECRET));
    for body in [
        format!("bad secret {SECRET}"),
        format!(r#"{{"error":"x","error_description":"bad {SECRET}"}}"#),
    ] {
        let error = refused(401, &body).await;
        assert!(!format!("{error} {error:?}").contains(SECRET), "{error}");
        assert!(error.message().contains("***"), "{error}");
    }
}

/// Nor when the service spells it in another way.
#[tokio::test(start_paused = true)]
async fn a_secret_that_json_escapes_is_not_shown_either() {
    let secret = "qu\"ote";
    let stub = Stub::new();
    let description = serde_json::Value::from(format!("bad {secret}"));
    let body = format!(r#"{{"error":"x","error_description":{description}}}"#);
    stub.on_http(move |_| reply(401, body.clone()));
    let credential = ClientSecretCredential::builder("t", "c", secret).platform(stub.platform());
    let error = failure(&credential.build().unwrap()).await;
    assert!(error.message().ends_with("x: bad ***"), "{error}");
}

fn environment(variables: &[(&str, &str)]) -> Arc<Stub> {
    let stub = variables
        .iter()
        .fold(Stub::new(), |stub, (name, value)| stub.var(name, value));
    stub.on_http(|_| good());
    stub
}

/// CLI-30, CLI-32.
#[tokio::test(start_paused = true)]
async fn the_environment_describes_an_application() {
    let stub = environment(&[
        ("AZURE_TENANT_ID", "t"),
        ("AZURE_CLIENT_ID", "c"),
        ("AZURE_CLIENT_SECRET", "s"),
        ("AZURE_ADDITIONALLY_ALLOWED_TENANTS", "other; third"),
    ]);
    let credential = EnvironmentCredential::builder()
        .platform(stub.platform())
        .build()
        .unwrap();
    let token = credential.get_token(&request()).await.unwrap();
    assert_eq!(token.answered_by(), "EnvironmentCredential");
    credential
        .get_token(&request().with_tenant("third"))
        .await
        .unwrap();
    let error = credential
        .get_token(&request().with_tenant("fourth"))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.credential()),
        (ErrorKind::Configuration, "EnvironmentCredential")
    );
    assert!(credential.cached(&request()).is_some());
    credential.clone().dispose();
    assert!(credential.cached(&request()).is_none(), "PR-29");
    assert_eq!(failure(&credential).await.kind(), ErrorKind::Cancelled);
}

type Variables = Vec<(&'static str, &'static str)>;

/// Variables, and the kind and the message of the error that they lead to.
fn incomplete_environments() -> Vec<(Variables, ErrorKind, &'static str)> {
    let application = [("AZURE_TENANT_ID", "t"), ("AZURE_CLIENT_ID", "c")];
    let with = |others: &[(&'static str, &'static str)]| [&application, others].concat();
    let (absent, unusable) = (ErrorKind::Unavailable, ErrorKind::Configuration);
    vec![
        (
            vec![],
            absent,
            "AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET are not set",
        ),
        (
            with(&[("AZURE_CLIENT_SECRET", "")]),
            absent,
            "AZURE_CLIENT_SECRET is not set",
        ),
        (
            with(&[("AZURE_CLIENT_CERTIFICATE_PATH", "/c.pem")]),
            unusable,
            "AZURE_CLIENT_CERTIFICATE_PATH asks for a client certificate, which is not supported yet",
        ),
        (
            vec![("AZURE_CLIENT_CERTIFICATE_PATH", "/c.pem")],
            absent,
            "AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET are not set",
        ),
        (
            vec![
                ("AZURE_TENANT_ID", "t"),
                ("AZURE_CLIENT_CERTIFICATE_PATH", "/c.pem"),
            ],
            absent,
            "AZURE_CLIENT_ID, AZURE_CLIENT_SECRET are not set",
        ),
        (
            vec![
                ("AZURE_CLIENT_ID", "c"),
                ("AZURE_USERNAME", "u"),
                ("AZURE_PASSWORD", "p"),
            ],
            absent,
            "AZURE_TENANT_ID, AZURE_CLIENT_SECRET are not set",
        ),
        (
            with(&[("AZURE_PASSWORD", "p")]),
            absent,
            "AZURE_CLIENT_SECRET is not set",
        ),
        (
            with(&[("AZURE_USERNAME", "u"), ("AZURE_PASSWORD", "p")]),
            unusable,
            "AZURE_USERNAME asks for a user name with password, which is not supported yet",
        ),
        (
            with(&[("AZURE_USERNAME", "u")]),
            absent,
            "AZURE_CLIENT_SECRET is not set",
        ),
    ]
}

/// CLI-31, PR-08: missing variables are named, and an empty one is missing; what is whole and
/// cannot be used is not missing.
#[tokio::test(start_paused = true)]
async fn an_incomplete_environment_is_unavailable() {
    for (variables, kind, message) in incomplete_environments() {
        let stub = environment(&variables);
        let credential = EnvironmentCredential::builder()
            .platform(stub.platform())
            .build()
            .unwrap();
        let error = failure(&credential).await;
        assert_eq!(error.kind(), kind, "{variables:?}");
        assert_eq!(error.message(), message);
        assert!(stub.urls().is_empty());
    }
}

/// CLI-31, PR-08: a variable that cannot be right is an error at once.
#[tokio::test(start_paused = true)]
async fn an_environment_with_a_wrong_tenant_builds_no_credential() {
    let wrong = [
        ("AZURE_TENANT_ID", "a/b"),
        ("AZURE_CLIENT_ID", "c"),
        ("AZURE_CLIENT_SECRET", "s"),
    ];
    let stub = environment(&wrong);
    let error = EnvironmentCredential::builder()
        .platform(stub.platform())
        .build()
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
}

/// MI-06's cousin: a scope is needed.
#[tokio::test(start_paused = true)]
async fn a_scope_is_needed() {
    let stub = Stub::new();
    let credential = builder(&stub).build().unwrap();
    let error = credential
        .get_token(&TokenRequest::new(Vec::<String>::new()))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
}
