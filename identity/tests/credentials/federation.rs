//! WorkloadIdentityCredential, ClientAssertionCredential, AzurePipelinesCredential and
//! GitHubActionsCredential.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use credsim_identity::{
    AzurePipelinesCredential, ClientAssertionCredential, DefaultAzureCredential, Error, ErrorKind,
    GitHubActionsCredential, ManagedIdentityCredential, TokenCredential,
    WorkloadIdentityCredential,
};

use crate::stub::*;

const FILE: &str = "/tokens/azure-identity-token";
const TENANT: &str = "contoso.example";
const ENTRA: &str = "https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token";
const OIDC: &str = "https://dev.azure.com/contoso/_apis/oidctoken";
const GITHUB: &str = "https://pipelines.actions.githubusercontent.com/idtoken?api-version=2.0";

fn good() -> Answer {
    let token = jwt("app");
    let body = format!(r#"{{"token_type":"Bearer","expires_in":3599,"access_token":"{token}"}}"#);
    reply(200, body)
}

fn refusal(code: u32) -> Answer {
    let body = format!(
        r#"{{"error":"invalid_client","error_description":"AADSTS{code}: no","error_codes":[{code}]}}"#
    );
    reply(401, body)
}

/// A pod with a complete workload identity.
fn pod() -> Arc<Stub> {
    let stub = Stub::new()
        .var("AZURE_TENANT_ID", TENANT)
        .var("AZURE_CLIENT_ID", "client")
        .var("AZURE_FEDERATED_TOKEN_FILE", FILE)
        .file(FILE, "a.b.c\n");
    stub.on_http(|_| good());
    stub
}

fn workload(stub: &Arc<Stub>) -> WorkloadIdentityCredential {
    let builder = WorkloadIdentityCredential::builder().platform(stub.platform());
    builder.build().unwrap()
}

fn form(stub: &Stub, index: usize) -> BTreeMap<String, String> {
    let body = stub.requests.lock().unwrap()[index].1.body.clone();
    form_urlencoded::parse(&body).into_owned().collect()
}

fn header(stub: &Stub, index: usize, name: &str) -> Option<String> {
    let request = stub.requests.lock().unwrap()[index].1.clone();
    let mut headers = request.headers.into_iter();
    headers
        .find(|(n, _)| n.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

/// The times of the requests.
fn times(stub: &Stub) -> Vec<Duration> {
    let requests = stub.requests.lock().unwrap();
    requests.iter().map(|(at, _)| *at).collect()
}

/// CLI-42: one POST with the text of the file, without the line break behind it.
#[tokio::test(start_paused = true)]
async fn the_token_of_the_file_is_exchanged() {
    let stub = pod();
    let token = workload(&stub).get_token(&request()).await.unwrap();
    assert_eq!(token.answered_by(), "WorkloadIdentityCredential");
    assert_eq!(stub.urls(), [ENTRA]);
    let expected = [
        ("client_id", "client"),
        ("client_assertion", "a.b.c"),
        (
            "client_assertion_type",
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        ),
        ("grant_type", "client_credentials"),
        ("scope", SCOPE),
    ];
    assert_eq!(
        form(&stub, 0),
        expected.map(|(n, v)| (n.to_owned(), v.to_owned())).into()
    );
}

/// H92, CLI-40: each incomplete set of tenant, client id and file is an error that names what is
/// missing, and sends nothing. An empty variable is missing.
#[tokio::test(start_paused = true)]
async fn an_incomplete_set_is_unavailable() {
    let names = [
        "AZURE_TENANT_ID",
        "AZURE_CLIENT_ID",
        "AZURE_FEDERATED_TOKEN_FILE",
    ];
    for set in 0..7_usize {
        let mut stub = pod();
        for (index, name) in names.iter().enumerate() {
            if set & (1 << index) == 0 {
                stub = stub.var(name, "");
            }
        }
        let error = failure(&workload(&stub)).await;
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{set}");
        for (index, name) in names.iter().enumerate() {
            assert_eq!(error.message().contains(name), set & (1 << index) == 0);
        }
        assert!(stub.urls().is_empty() && error.help().is_some());
    }
}

/// CLI-40: options win over variables.
#[tokio::test(start_paused = true)]
async fn options_win_over_variables() {
    let stub = pod().file("/other", "d.e.f");
    let builder = WorkloadIdentityCredential::builder().platform(stub.platform());
    let builder = builder.tenant_id("fabrikam.example").client_id("other");
    let credential = builder.token_file("/other").build().unwrap();
    credential.get_token(&request()).await.unwrap();
    assert!(stub.urls()[0].contains("/fabrikam.example/"));
    let form = form(&stub, 0);
    assert_eq!(
        (&*form["client_id"], &*form["client_assertion"]),
        ("other", "d.e.f")
    );
}

/// H70, PR-08: wrong values are errors of the builder.
#[tokio::test(start_paused = true)]
async fn wrong_values_are_refused_at_construction() {
    for (name, value) in [
        ("AZURE_TENANT_ID", "a/b"),
        ("AZURE_TENANT_ID", "common"),
        ("AZURE_CLIENT_ID", " "),
        ("AZURE_AUTHORITY_HOST", "http://localhost"),
    ] {
        let stub = pod().var(name, value);
        let builder = WorkloadIdentityCredential::builder().platform(stub.platform());
        let error = builder.build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{name}={value}");
    }
}

/// H100, WI-01: identity bindings are not built, and the variables of their proxy are ignored, even
/// a wrong one.
#[tokio::test(start_paused = true)]
async fn h100_variables_of_the_token_proxy_are_ignored() {
    let stub = pod().var("AZURE_KUBERNETES_TOKEN_PROXY", "http://user@proxy#x");
    workload(&stub).get_token(&request()).await.unwrap();
    assert_eq!(stub.urls(), [ENTRA]);
}

/// PR-08, H94: what is no token is not sent, and no error shows it; a missing file is an error of
/// the request, not of the builder.
#[tokio::test(start_paused = true)]
async fn a_file_without_a_token_is_not_sent() {
    for (content, why) in [
        ("", "is empty"),
        (" \n", "is empty"),
        ("s3cr3t", "holds no JSON Web Token"),
        ("s3cr3t.b", "holds no JSON Web Token"),
    ] {
        let stub = pod().file(FILE, content);
        let error = failure(&workload(&stub)).await;
        assert_eq!(error.kind(), ErrorKind::Failed);
        assert_eq!(
            error.message(),
            format!("the federated token file {FILE} {why}")
        );
        assert!(!format!("{error} {error:?}").contains("s3cr3t"));
        assert!(stub.urls().is_empty());
    }
    let stub = pod().var("AZURE_FEDERATED_TOKEN_FILE", "/gone");
    let error = failure(&workload(&stub)).await;
    assert_eq!(error.kind(), ErrorKind::Failed);
    assert!(error.message().contains("/gone does not exist"), "{error}");
}

/// CLI-41, H95: an assertion that has ended is read again; a newer one is exchanged at once, the
/// same one is not.
#[tokio::test(start_paused = true)]
async fn an_ended_assertion_is_read_again() {
    let stub = pod();
    let other = Arc::downgrade(&stub);
    stub.on_http(move |sent| {
        if sent.body.windows(5).any(|part| part == b"a.b.c") {
            other.upgrade().unwrap().file(FILE, "d.e.f");
            return refusal(700_024);
        }
        good()
    });
    workload(&stub).get_token(&request()).await.unwrap();
    assert_eq!(form(&stub, 1)["client_assertion"], "d.e.f");
    assert_eq!(times(&stub), [Duration::ZERO; 2]);

    let stub = pod();
    stub.on_http(|_| refusal(700_024));
    let error = failure(&workload(&stub)).await;
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::Failed, Some("AADSTS700024"))
    );
    assert_eq!(stub.urls().len(), 1);
}

/// PR-09: 700213 is tried once more after 1 s, any other refusal is not.
#[tokio::test(start_paused = true)]
async fn a_refused_subject_is_tried_once_more() {
    let stub = pod();
    let mut answers = [refusal(700_213), good()].into_iter();
    stub.on_http(move |_| answers.next().unwrap());
    workload(&stub).get_token(&request()).await.unwrap();
    assert_eq!(times(&stub), [Duration::ZERO, Duration::from_secs(1)]);
    for (code, requests) in [(700_213, 2), (700_211, 1), (700_212, 1), (7_000_215, 1)] {
        let stub = pod();
        stub.on_http(move |_| refusal(code));
        let error = failure(&workload(&stub)).await;
        assert_eq!(stub.urls().len(), requests, "{code}");
        assert_eq!(error.code(), Some(&*format!("AADSTS{code}")));
        assert_eq!(error.kind(), ErrorKind::Failed);
    }
}

fn assertion<R>(
    stub: &Arc<Stub>,
    get: impl Fn() -> R + Send + Sync + 'static,
) -> ClientAssertionCredential
where
    R: Future<Output = Result<String, String>> + Send + 'static,
{
    let builder = ClientAssertionCredential::builder(TENANT, "client", get);
    let builder = builder.assertion_timeout(Duration::from_secs(5));
    builder.platform(stub.platform()).build().unwrap()
}

/// The callback is awaited and timed out, and its failure is told without tokens.
#[tokio::test(start_paused = true)]
async fn a_callback_is_awaited_timed_out_and_told() {
    let stub = pod();
    let credential = assertion(&stub, || async {
        tokio::time::sleep(Duration::from_secs(4)).await;
        Ok("d.e.f".to_owned())
    });
    let token = credential.get_token(&request()).await.unwrap();
    assert_eq!(token.answered_by(), "ClientAssertionCredential");
    assert_eq!(form(&stub, 0)["client_assertion"], "d.e.f");

    let stub = pod();
    let failing = [
        assertion(&stub, || async {
            tokio::time::sleep(Duration::from_secs(6)).await;
            Ok(String::new())
        }),
        assertion(&stub, || async {
            Err("vault said eyJ0.eyJ1.c2ln".to_owned())
        }),
        assertion(&stub, || async { Ok("'s3cr3t'".to_owned()) }),
    ];
    let whys = [
        "the assertion callback has not returned within 5 s",
        "the assertion callback failed: vault said ***",
        "the text that the assertion callback returned holds no JSON Web Token",
    ];
    for (credential, why) in failing.iter().zip(whys) {
        let error = failure(credential).await;
        assert_eq!((error.kind(), error.message()), (ErrorKind::Failed, why));
        assert!(!format!("{error} {error:?}").contains("s3cr3t"));
    }
    assert!(stub.urls().is_empty());
}

fn pipelines(stub: &Arc<Stub>) -> Result<AzurePipelinesCredential, Error> {
    AzurePipelinesCredential::builder(TENANT, "client", "connection", "s3cr3t")
        .platform(stub.platform())
        .build()
}

/// H89, CLI-43: Pipelines is asked with a POST without a body; its token becomes the assertion.
#[tokio::test(start_paused = true)]
async fn h89_pipelines_gives_the_assertion() {
    for (uri, asked) in [
        (
            OIDC.to_owned(),
            format!("{OIDC}?api-version=7.1&serviceConnectionId=connection"),
        ),
        (
            format!("{OIDC}/?a=b"),
            format!("{OIDC}/?a=b&api-version=7.1&serviceConnectionId=connection"),
        ),
    ] {
        let stub = Stub::new().var("SYSTEM_OIDCREQUESTURI", &uri);
        stub.on_http(|sent| match sent.url.host_str() {
            Some("dev.azure.com") => reply(200, r#"{"oidcToken":"d.e.f"}"#),
            _ => good(),
        });
        let token = pipelines(&stub)
            .unwrap()
            .get_token(&request())
            .await
            .unwrap();
        assert_eq!(token.answered_by(), "AzurePipelinesCredential");
        assert_eq!(stub.urls(), [asked, ENTRA.to_owned()]);
        let sent = stub.requests.lock().unwrap()[0].1.clone();
        assert_eq!((sent.method.as_str(), sent.body.len()), ("POST", 0));
        for (name, value) in [
            ("Authorization", "Bearer s3cr3t"),
            ("Content-Type", "application/json"),
            ("Content-Length", "0"),
            ("X-TFS-FedAuthRedirect", "Suppress"),
        ] {
            assert_eq!(header(&stub, 0, name).as_deref(), Some(value), "{name}");
        }
        assert_eq!(form(&stub, 1)["client_assertion"], "d.e.f");
    }
}

/// CLI-44: each failure of Pipelines is an error that names it and repeats nothing of its answer.
#[tokio::test(start_paused = true)]
async fn cli_44_each_failure_of_pipelines_is_told() {
    const IDS: &[(&str, &str)] = &[("X-VSS-E2EID", "e2e-1"), ("X-MSEdge-Ref", "edge")];
    for (answer, why) in [
        (
            Answer::Reply(401, IDS, "s3cr3t".into()),
            "Azure Pipelines answered 401",
        ),
        (
            Answer::Reply(302, IDS, "s3cr3t".into()),
            "Azure Pipelines answered 302",
        ),
        // Some SDKs take the token of such an answer; a proxy may have written it.
        (
            Answer::Reply(203, IDS, r#"{"oidcToken":"d.e.f"}"#.into()),
            "Azure Pipelines answered 203",
        ),
        (
            reply(200, "s3cr3t"),
            "the answer of Azure Pipelines is not JSON",
        ),
        (
            reply(200, r#"{"x":"s3cr3t"}"#),
            "the answer of Azure Pipelines has no oidcToken",
        ),
        (
            reply(200, r#"{"oidcToken":"s3cr3t"}"#),
            "the answer of Azure Pipelines has a oidcToken that is no token",
        ),
    ] {
        let stub = Stub::new().var("SYSTEM_OIDCREQUESTURI", OIDC);
        let is_refusal = !matches!(&answer, Answer::Reply(200, ..));
        stub.on_http(move |_| answer.clone());
        let error = failure(&pipelines(&stub).unwrap()).await;
        assert_eq!((error.kind(), error.message()), (ErrorKind::Failed, why));
        assert_eq!(error.request_id(), is_refusal.then_some("e2e-1"));
        assert!(!format!("{error} {error:?}").contains("s3cr3t"));
        assert_eq!(stub.urls().len(), 1);
    }
    let error = failure(&pipelines(&Stub::new()).unwrap()).await;
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let stub = Stub::new().var("SYSTEM_OIDCREQUESTURI", "http://dev.azure.com/");
    let error = pipelines(&stub).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
}

/// A failed connection is retried as one to Entra is, and ends a chain (PR-01, PR-14).
#[tokio::test(start_paused = true)]
async fn unreachable_pipelines_is_a_failure() {
    let stub = Stub::new().var("SYSTEM_OIDCREQUESTURI", OIDC);
    let error = failure(&pipelines(&stub).unwrap()).await;
    assert_eq!((error.kind(), stub.urls().len()), (ErrorKind::Failed, 4));
}

fn github(stub: &Arc<Stub>) -> Result<GitHubActionsCredential, Error> {
    GitHubActionsCredential::builder(TENANT, "client")
        .platform(stub.platform())
        .build()
}

fn workflow() -> Arc<Stub> {
    let stub = Stub::new().var("ACTIONS_ID_TOKEN_REQUEST_URL", GITHUB);
    stub.var("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "s3cr3t")
}

/// GH-01, H90: the query of the address is kept, and the value becomes the assertion.
#[tokio::test(start_paused = true)]
async fn h90_github_gives_the_assertion() {
    let stub = workflow();
    stub.on_http(|sent| match sent.url.query() {
        Some(_) => reply(200, r#"{"count":1,"value":"d.e.f"}"#),
        None => good(),
    });
    let token = github(&stub).unwrap().get_token(&request()).await.unwrap();
    assert_eq!(token.answered_by(), "GitHubActionsCredential");
    let asked = format!("{GITHUB}&audience=api%3A%2F%2FAzureADTokenExchange");
    assert_eq!(stub.urls(), [asked, ENTRA.to_owned()]);
    assert_eq!(
        header(&stub, 0, "authorization").as_deref(),
        Some("Bearer s3cr3t")
    );
    assert_eq!(form(&stub, 1)["client_assertion"], "d.e.f");
}

/// GH-01, GH-02, H90, H91: each failure is an error that repeats nothing of the answer; an
/// authority of an unknown cloud needs an audience.
#[tokio::test(start_paused = true)]
async fn each_failure_of_github_is_told() {
    for (answer, why) in [
        (reply(403, "s3cr3t"), "GitHub Actions answered 403"),
        (
            reply(200, "s3cr3t"),
            "the answer of GitHub Actions is not JSON",
        ),
        (
            reply(200, r#"{"v":"s3cr3t"}"#),
            "the answer of GitHub Actions has no value",
        ),
        (
            reply(200, r#"{"value":7}"#),
            "the answer of GitHub Actions has no value",
        ),
    ] {
        let stub = workflow();
        stub.on_http(move |_| answer.clone());
        let error = failure(&github(&stub).unwrap()).await;
        assert_eq!((error.kind(), error.message()), (ErrorKind::Failed, why));
        assert!(!format!("{error} {error:?}").contains("s3cr3t"));
    }
    for missing in [
        "ACTIONS_ID_TOKEN_REQUEST_URL",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    ] {
        let stub = workflow().var(missing, "");
        let error = failure(&github(&stub).unwrap()).await;
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.message().contains(missing), "{error}");
    }
    for host in ["not a URL", "https://login.example.com"] {
        let stub = workflow().var("AZURE_AUTHORITY_HOST", host);
        assert_eq!(github(&stub).unwrap_err().kind(), ErrorKind::Configuration);
    }
    let stub = workflow().var("AZURE_AUTHORITY_HOST", "https://login.example.com");
    let builder = GitHubActionsCredential::builder(TENANT, "client").audience("me");
    builder.platform(stub.platform()).build().unwrap();
}

/// MI-40, MI-01: in a pod, ManagedIdentityCredential exchanges the token of the pod in its own
/// tenant, with one scope of its resource.
#[tokio::test(start_paused = true)]
async fn a_managed_identity_in_a_pod_is_an_exchange() {
    let stub = pod()
        .var("IDENTITY_ENDPOINT", "http://169.254.130.4/")
        .var("IDENTITY_HEADER", "h");
    let builder = ManagedIdentityCredential::builder().platform(stub.platform());
    let credential = builder.client_id("mine").build().unwrap();
    let asked = request().with_tenant("fabrikam.example");
    let token = credential.get_token(&asked).await.unwrap();
    assert_eq!(token.answered_by(), "ManagedIdentityCredential");
    assert_eq!(stub.urls(), [ENTRA]);
    let form = form(&stub, 0);
    assert_eq!((&*form["client_id"], &*form["scope"]), ("mine", SCOPE));
    credential.get_token(&asked).await.unwrap();
    assert_eq!(stub.urls().len(), 1, "the token is cached");

    let builder = ManagedIdentityCredential::builder().platform(stub.platform());
    let error = failure(&builder.object_id("oid").build().unwrap()).await;
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(
        error.message().starts_with("AZURE_FEDERATED_TOKEN_FILE"),
        "{error}"
    );
}

/// CH-10, PR-08: a workload identity that is configured and fails ends the default chain, and its
/// options reach the member.
#[tokio::test(start_paused = true)]
async fn a_broken_workload_identity_ends_the_default_chain() {
    let build = |stub: &Arc<Stub>| {
        let builder = DefaultAzureCredential::builder().platform(stub.platform());
        builder
            .workload_identity_client_id("other")
            .build()
            .unwrap()
    };
    let stub = pod();
    let token = build(&stub).get_token(&request()).await.unwrap();
    assert_eq!(token.answered_by(), "WorkloadIdentityCredential");
    assert_eq!(form(&stub, 0)["client_id"], "other");

    let stub = pod().var("AZURE_FEDERATED_TOKEN_FILE", "/gone");
    stub.on_command(|_| az_token("alice", 3_600));
    let error = failure(&build(&stub)).await;
    assert_eq!(error.kind(), ErrorKind::Failed);
    assert!(stub.lines().is_empty() && stub.urls().is_empty());
}
