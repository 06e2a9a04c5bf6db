//! ManagedIdentityCredential: its source, its requests, its answers.

use std::time::Duration;

use credsim_identity::{
    Cached, ChainedTokenCredential, Error, ErrorKind, ManagedIdentityCredential, RetryOptions,
    TokenCredential, TokenCredentialExt, TokenRequest,
    managed_identity::ManagedIdentityCredentialBuilder, platform::TransportErrorKind,
};

use crate::stub::*;

fn builder(stub: &std::sync::Arc<Stub>) -> ManagedIdentityCredentialBuilder {
    ManagedIdentityCredential::builder().platform(stub.platform())
}

async fn refused(status: u16, body: &str, client_id: Option<&str>) -> Error {
    let stub = Stub::new();
    let body = body.to_owned();
    stub.on_http(move |_| reply(status, body.clone()));
    let mut builder = builder(&stub);
    if let Some(id) = client_id {
        builder = builder.client_id(id);
    }
    failure(&builder.build().unwrap()).await
}

/// MI-10, MI-17, MI-18.
#[tokio::test(start_paused = true)]
async fn the_request_is_what_imds_expects() {
    let stub = Stub::new();
    stub.on_http(|_| imds_token("oid", 86_400));
    let credential = builder(&stub).build().unwrap();
    let token = credential.get_token(&request()).await.unwrap();
    assert_eq!(token.expires_on(), start() + Duration::from_secs(86_400));
    assert_eq!(token.answered_by(), "ManagedIdentityCredential");
    assert_eq!(token.principal().unwrap().object_id, "oid");

    let seen = stub.requests.lock().unwrap()[0].1.clone();
    assert_eq!(seen.method.as_str(), "GET");
    assert_eq!(
        seen.url.as_str(),
        "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01\
         &resource=https%3A%2F%2Fvault.azure.net"
    );
    let header = |name: &str| {
        seen.headers
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, v)| v.as_str())
    };
    assert_eq!(header("Metadata"), Some("true"));
    assert!(
        header("User-Agent")
            .unwrap()
            .starts_with("credsim-identity/")
    );
    assert_eq!(header("x-ms-client-request-id").unwrap().len(), 36);
    assert!(seen.body.is_empty());
}

/// MI-10: the three ids and their names. MI-19: another host.
#[tokio::test(start_paused = true)]
async fn an_identity_is_named_by_one_of_three_ids() {
    let stub = Stub::new().var("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://proxy:8080/");
    stub.on_http(|_| imds_token("oid", 86_400));
    for builder in [
        builder(&stub).client_id("c"),
        builder(&stub).object_id("o"),
        builder(&stub).resource_id("/subscriptions/s"),
    ] {
        builder
            .build()
            .unwrap()
            .get_token(&request())
            .await
            .unwrap();
    }
    let base = "http://proxy:8080/metadata/identity/oauth2/token?api-version=2018-02-01\
                &resource=https%3A%2F%2Fvault.azure.net";
    assert_eq!(
        stub.urls(),
        [
            format!("{base}&client_id=c"),
            format!("{base}&object_id=o"),
            format!("{base}&msi_res_id=%2Fsubscriptions%2Fs"),
        ]
    );
}

/// MI-07 and MI-06.
#[tokio::test(start_paused = true)]
async fn wrong_use_is_a_configuration_error() {
    let stub = Stub::new();
    let two = builder(&stub)
        .client_id("c")
        .object_id("o")
        .build()
        .unwrap_err();
    assert_eq!(two.kind(), ErrorKind::Configuration);
    let empty = builder(&stub).client_id(" ").build().unwrap_err();
    assert_eq!(empty.kind(), ErrorKind::Configuration);
    let credential = builder(&stub).build().unwrap();
    for (scopes, message) in [
        (vec![], "takes exactly one scope, not 0"),
        (vec!["a", "b"], "takes exactly one scope, not 2"),
        (vec![""], "the scope is empty"),
    ] {
        let error = credential
            .get_token(&TokenRequest::new(scopes))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert_eq!(error.message(), message);
    }
    assert!(stub.urls().is_empty());
}

/// MI-06: nothing but a trailing `/.default` goes.
#[tokio::test(start_paused = true)]
async fn only_the_default_suffix_is_removed() {
    let stub = Stub::new();
    stub.on_http(|_| imds_token("oid", 86_400));
    let credential = builder(&stub).build().unwrap();
    for scope in ["https://a//.default", "https://a", "https://a/.default/x"] {
        credential
            .get_token(&TokenRequest::new([scope]))
            .await
            .unwrap();
    }
    let resources: Vec<String> = stub
        .requests
        .lock()
        .unwrap()
        .iter()
        .map(|(_, r)| {
            r.url
                .query_pairs()
                .find(|(n, _)| n == "resource")
                .unwrap()
                .1
                .into_owned()
        })
        .collect();
    assert_eq!(
        resources,
        ["https://a/", "https://a", "https://a/.default/x"]
    );
    // PR-26: all spellings of one resource, in whatever tenant, are one token.
    let other = TokenRequest::new(["https://a/.default"]).with_tenant("t");
    assert!(credential.cached(&other).is_some());
    credential.get_token(&other).await.unwrap();
    assert_eq!(stub.urls().len(), 3);
}

/// The variables of an app on App Service, with `header` as its secret.
fn app_service(header: &str) -> std::sync::Arc<Stub> {
    Stub::new()
        .var("IDENTITY_ENDPOINT", "http://169.254.130.4:8081/msi/token")
        .var("IDENTITY_HEADER", header)
}

/// MI-11, MI-50: the request, and an answer without `expires_in`.
#[tokio::test(start_paused = true)]
async fn an_app_is_asked_as_app_service_expects() {
    let stub = app_service("s3cr3t");
    let end = start().as_second() + 3600;
    stub.on_http(move |_| {
        let body = serde_json::json!({
            "access_token": "t", "expires_on": end.to_string(), "resource": "r",
            "token_type": "Bearer", "client_id": "c",
        });
        reply(200, body.to_string())
    });
    for builder in [
        builder(&stub),
        builder(&stub).client_id("c"),
        builder(&stub).object_id("o"),
        builder(&stub).resource_id("/subscriptions/s"),
    ] {
        let token = builder
            .build()
            .unwrap()
            .get_token(&request())
            .await
            .unwrap();
        assert_eq!(token.expires_on().as_second(), end);
        assert_eq!(token.answered_by(), "ManagedIdentityCredential");
    }
    let base = "http://169.254.130.4:8081/msi/token?api-version=2019-08-01\
                &resource=https%3A%2F%2Fvault.azure.net";
    assert_eq!(
        stub.urls(),
        [
            base.to_owned(),
            format!("{base}&client_id=c"),
            format!("{base}&object_id=o"),
            format!("{base}&mi_res_id=%2Fsubscriptions%2Fs"),
        ]
    );
    for (_, seen) in stub.requests.lock().unwrap().iter() {
        let secrets = seen.headers.iter().filter(|(_, value)| value == "s3cr3t");
        let names: Vec<_> = secrets.map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["X-IDENTITY-HEADER"]);
    }
}

/// PR-01, PR-08, MI-69: an app's endpoint that refuses or is silent is a failure, which no error
/// and no `Debug` tells the secret of.
#[tokio::test(start_paused = true)]
async fn an_app_without_its_identity_is_a_failure() {
    let stub = app_service("s3cr3t");
    let credential = builder(&stub).build().unwrap();
    assert!(!format!("{credential:?}").contains("s3cr3t"));
    for (status, body, said) in [
        (
            400,
            r#"{"statusCode":400,"message":"No Managed Identity found for s3cr3t","correlationId":"1"}"#,
            "No Managed Identity found for ***",
        ),
        (401, "who is s3cr3t?", "who is ***?"),
    ] {
        stub.on_http(move |_| reply(status, body.to_owned()));
        let error = failure(&credential).await;
        assert_eq!(
            (error.kind(), error.status()),
            (ErrorKind::Failed, Some(status))
        );
        assert!(error.message().contains(said), "{error}");
        assert!(
            !format!("{error} {error:?}").contains("s3cr3t"),
            "{error:?}"
        );
    }
    stub.on_http(|_| Answer::Fails(TransportErrorKind::Refused));
    let error = failure(&credential).await;
    assert_eq!(error.kind(), ErrorKind::Failed);
    assert!(
        error.message().contains("App Service cannot be reached"),
        "{error}"
    );
}

/// MI-104, PR-08: a value that cannot be used is an error that names the variable.
#[tokio::test(start_paused = true)]
async fn a_variable_of_an_app_that_cannot_be_used_is_named() {
    for (name, value) in [
        ("IDENTITY_ENDPOINT", "169.254.130.4:8081/msi/token"),
        ("IDENTITY_HEADER", "a\r\nb"),
    ] {
        let stub = app_service("h").var(name, value);
        let error = failure(&builder(&stub).build().unwrap()).await;
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.message().starts_with(name), "{error}");
        assert!(stub.urls().is_empty());
    }
}

/// PR-08, MI-01, MI-02, MI-04: sources that are not built are named, and end a chain, except
/// in Cloud Shell; empty variables do not count.
#[tokio::test(start_paused = true)]
async fn a_source_that_is_not_built_is_named() {
    let cases: [(&[&str], &str); 10] = [
        (&["MSI_ENDPOINT", "MSI_SECRET"], "Azure Machine Learning"),
        (&["MSI_ENDPOINT"], "Cloud Shell"),
        (&["IDENTITY_ENDPOINT", "IMDS_ENDPOINT"], "Azure Arc"),
        (&["/opt/azcmagent/bin/himds"], "Azure Arc"),
        (&["IDENTITY_ENDPOINT"], ""),
        (
            &[
                "IDENTITY_HEADER",
                "IDENTITY_SERVER_THUMBPRINT",
                "IMDS_ENDPOINT",
                "MSI_SECRET",
            ],
            "",
        ),
        (&["AZURE_TENANT_ID", "AZURE_FEDERATED_TOKEN_FILE"], ""),
        (&["AZURE_CLIENT_ID", "AZURE_TENANT_ID"], ""),
        (&["AZURE_CLIENT_ID", "AZURE_FEDERATED_TOKEN_FILE"], ""),
        (&["ProgramFiles"], ""),
    ];
    for (variables, name) in cases {
        let mut stub = Stub::new();
        for variable in variables {
            stub = stub.var(variable, "value");
        }
        stub.on_http(|_| imds_token("oid", 86_400));
        let answer = builder(&stub).build().unwrap().get_token(&request()).await;
        if name.is_empty() {
            answer.expect("IMDS answers");
            continue;
        }
        let error = answer.unwrap_err();
        let kind = match name {
            "Cloud Shell" => ErrorKind::Unavailable,
            _ => ErrorKind::Configuration,
        };
        assert_eq!(error.kind(), kind, "{name}");
        assert!(error.message().starts_with(name), "{error}");
        assert!(error.message().contains("not supported yet"), "{error}");
    }
    let stub = Stub::new()
        .var("IDENTITY_ENDPOINT", "")
        .var("IDENTITY_HEADER", "");
    stub.on_http(|_| imds_token("oid", 86_400));
    builder(&stub)
        .build()
        .unwrap()
        .get_token(&request())
        .await
        .expect("IMDS answers");
}

/// MI-50, MI-51, MI-52: every form of the end of a token is read.
#[tokio::test(start_paused = true)]
async fn numbers_strings_and_lifetimes_are_understood() {
    let at = start().as_second() + 3600;
    for field in [
        format!(r#""expires_on":{at}"#),
        format!(r#""expires_on":"{at}""#),
        r#""expires_on":"2026-01-01T01:00:00.000Z""#.to_owned(),
        r#""expires_in":3600"#.to_owned(),
        r#""expires_in":"3600""#.to_owned(),
        r#""expires_in":"3600","expires_on":"01/01/2026 01:00:00 +00:00""#.to_owned(),
    ] {
        let stub = Stub::new();
        let body = format!(r#"{{"access_token":"t",{field}}}"#);
        stub.on_http(move |_| reply(200, body.clone()));
        let token = builder(&stub)
            .build()
            .unwrap()
            .get_token(&request())
            .await
            .unwrap();
        assert_eq!(
            token.expires_on(),
            start() + Duration::from_secs(3600),
            "{field}"
        );
        let due = token.refresh_on().unwrap() - start();
        assert!((3120..=3300).contains(&due.get_seconds()), "PR-21: {due}");
    }
}

/// PR-01: malformed answers are Failed, and none of their text is repeated.
#[tokio::test(start_paused = true)]
async fn a_malformed_token_is_a_failure_without_its_text() {
    for body in [
        "{}",
        "<html>hidden</html>",
        "",
        r#"{"access_token":"hidden"}"#,
        r#"{"access_token":"hidden","expires_on":"never","expires_in":"9223372036854775807"}"#,
        r#"{"access_token":"","expires_in":"3600"}"#,
        r#"{"access_token":"hidden","expires_in":"3600""#,
    ] {
        let error = refused(200, body, None).await;
        assert_eq!(error.kind(), ErrorKind::Failed, "{body}");
        assert_eq!(error.status(), Some(200));
        assert!(!format!("{error} {error:?}").contains("hidden"), "{error}");
    }
}

/// PR-01 for MI-60 to MI-68.
#[tokio::test(start_paused = true)]
async fn refusals_are_distinguished() {
    use ErrorKind::{Failed, Unavailable};
    let not_found = r#"{"error":"invalid_request","error_description":"Identity not found"}"#;
    let throttled = r#"{"error":"throttled","error_description":"slow down"}"#;
    let docker = "connecting to 169.254.169.254: A socket operation was attempted to an \
                  unreachable network";
    let cases = [
        (400, not_found, None, Unavailable),
        (400, not_found, Some("c"), Failed),
        (
            400,
            r#"{"error":"invalid_resource","error_description":"AADSTS50001: x"}"#,
            None,
            Failed,
        ),
        (401, r#"{"error":"unauthorized_client"}"#, None, Failed),
        (403, docker, None, Unavailable),
        (403, r#"{"error":"access_denied"}"#, None, Failed),
        (404, throttled, None, Failed),
        (410, throttled, None, Failed),
        (429, throttled, None, Failed),
        (
            500,
            r#"{"error":"unknown","error_description":"Failed to retrieve"}"#,
            None,
            Failed,
        ),
        (501, "", None, Failed),
        (503, "<html>", None, Failed),
        (302, "", None, Failed),
    ];
    for (status, body, id, kind) in cases {
        let error = refused(status, body, id).await;
        assert_eq!(error.kind(), kind, "{status} {body}: {error}");
        assert_eq!(error.status(), Some(status));
    }
    let error = refused(400, not_found, None).await;
    assert_eq!(error.code(), Some("invalid_request"));
    assert!(error.message().contains("Identity not found"), "{error}");
    assert!(error.help().is_some());
}

/// PR-10: 1 + 5 attempts; PR-12: nothing is sent before `retry_at`.
#[tokio::test(start_paused = true)]
async fn failures_are_retried_and_a_long_retry_after_is_obeyed() {
    let stub = Stub::new();
    stub.on_http(|_| reply(500, "{}"));
    let error = failure(&builder(&stub).build().unwrap()).await;
    assert_eq!(stub.urls().len(), 6, "{error}");
    let said = "IMDS answered 500 6 times: {}";
    assert_eq!(error.message(), said);
    let ids: std::collections::BTreeSet<String> = stub
        .requests
        .lock()
        .unwrap()
        .iter()
        .map(|(_, r)| format!("{:?}", r.headers))
        .collect();
    assert_eq!(
        ids.len(),
        1,
        "the same headers, the request id among them, on every attempt"
    );

    let stub = Stub::new();
    stub.on_http(|_| Answer::Reply(429, &[("Retry-After", "3600")], String::new()));
    let credential = builder(&stub).build().unwrap();
    let error = failure(&credential).await;
    assert_eq!(error.kind(), ErrorKind::Failed);
    assert_eq!(error.retry_at(), Some(start() + Duration::from_secs(3600)));
    assert_eq!(failure(&credential).await.retry_at(), error.retry_at());
    assert_eq!(stub.urls().len(), 1);
}

/// Asks twice, a second apart, a source that wants to be left alone for 33 s. What the first error
/// says about that, and how many requests were sent.
async fn asks_twice(status: u16, in_a_chain: bool) -> (Option<Duration>, usize) {
    const HEADERS: &[(&str, &str)] = &[("Retry-After", "33")];
    let stub = Stub::new();
    stub.on_http(move |_| Answer::Reply(status, HEADERS, "{}".to_owned()));
    let options = RetryOptions {
        max_retries: Some(0),
        ..RetryOptions::default()
    };
    let identity = builder(&stub).retry(options).build().unwrap();
    let credential: Box<dyn TokenCredential> = if in_a_chain {
        let chain = ChainedTokenCredential::builder().platform(stub.platform());
        let chain = chain.credential(identity).build().unwrap();
        Box::new(Cached::on(stub.platform(), chain))
    } else {
        Box::new(identity)
    };
    let error = failure(&*credential).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(failure(&*credential).await.status(), Some(status));
    let wait = error.retry_at().map(|at| at.duration_since(start()));
    (wait.map(|wait| wait.unsigned_abs()), stub.urls().len())
}

/// PR-01: `retry_at` is kept whatever the status, but silences only after one that is retried.
#[tokio::test(start_paused = true)]
async fn a_wait_named_with_a_final_status_is_reported_and_not_kept() {
    let told = Some(Duration::from_secs(33));
    for in_a_chain in [false, true] {
        for (status, requests) in [(400, 2), (401, 2), (403, 2), (501, 2), (429, 1), (503, 1)] {
            let seen = asks_twice(status, in_a_chain).await;
            assert_eq!(seen, (told, requests), "{status} in a chain: {in_a_chain}");
        }
    }
}

/// PR-01: an absent service is Unavailable, one that does not answer is Failed.
#[tokio::test(start_paused = true)]
async fn an_absent_service_is_not_the_same_as_a_silent_one() {
    use TransportErrorKind::*;
    for (answer, kind) in [
        (Answer::Fails(Refused), ErrorKind::Unavailable),
        (Answer::Fails(Unreachable), ErrorKind::Unavailable),
        (Answer::Fails(ConnectTimeout), ErrorKind::Unavailable),
        (Answer::Fails(Broken), ErrorKind::Failed),
        (Answer::Hangs, ErrorKind::Failed),
        (Answer::Fails(Certificate), ErrorKind::Failed),
        (Answer::Fails(NoClient), ErrorKind::Configuration),
        (Answer::Fails(Unsupported), ErrorKind::Configuration),
    ] {
        let (message, help) = match &answer {
            Answer::Fails(NoClient | Unsupported) => ("cannot be asked: ", None),
            Answer::Fails(Certificate) => ("did not answer: ", Some("certificate authorities")),
            Answer::Fails(Broken) | Answer::Hangs => {
                ("did not answer: ", Some("breaks the connection"))
            }
            _ => (
                "cannot be reached: ",
                Some("check that this is an Azure host"),
            ),
        };
        let (stub, answers) = (Stub::new(), answer.clone());
        stub.on_http(move |_| answers.clone());
        let error = failure(&builder(&stub).build().unwrap()).await;
        assert_eq!(error.kind(), kind, "{error}");
        assert!(
            error.message().starts_with(&format!("IMDS {message}")),
            "{error}"
        );
        let said = match &answer {
            Answer::Hangs => "no answer within 10 s",
            _ => "as the test says",
        };
        assert!(error.message().ends_with(said), "{error}");
        assert_eq!(error.help().is_some(), help.is_some(), "{error}");
        assert!(
            help.is_none_or(|words| error.help().unwrap().contains(words)),
            "{error}"
        );
    }
}

/// PR-29: dispose ends it for good.
#[tokio::test(start_paused = true)]
async fn a_disposed_credential_gives_nothing() {
    let stub = Stub::new();
    stub.on_http(|_| imds_token("oid", 86_400));
    let credential = builder(&stub).build().unwrap();
    credential.get_token(&request()).await.unwrap();
    assert!(credential.cached(&request()).is_some());
    credential.dispose();
    assert!(credential.cached(&request()).is_none());
    assert_eq!(failure(&credential).await.kind(), ErrorKind::Cancelled);
}
