//! The exchange of assertions over real HTTP, with a real file (CLI-41 to CLI-44, GH-01).

use std::io::Write as _;

use credsim_identity::{
    AzurePipelinesCredential, ErrorKind, GitHubActionsCredential, TokenCredential as _,
    WorkloadIdentityCredential,
};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{body_string, body_string_contains, header, method, path, query_param},
};

use crate::host::{ACCESS_TOKEN, SECRET, TOKEN, failure, quick, request, with_entra_and};

const EXCHANGE: &str = "client_id=client&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3A\
    client-assertion-type%3Ajwt-bearer&client_assertion=a.b.c&grant_type=client_credentials\
    &scope=https%3A%2F%2Fvault.azure.net%2F.default";

async fn entra(server: &MockServer, form: &str) {
    Mock::given(method("POST"))
        .and(path("/contoso.example/oauth2/v2.0/token"))
        .and(header("content-type", "application/x-www-form-urlencoded"))
        .and(body_string(form))
        .respond_with(ResponseTemplate::new(200).set_body_raw(TOKEN, "application/json"))
        .expect(1)
        .mount(server)
        .await;
}

#[tokio::test]
async fn a_workload_exchanges_the_text_of_its_file() {
    let server = MockServer::start().await;
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"a.b.c\n").unwrap();
    let name = file.path().to_str().unwrap();
    let variables = [
        ("AZURE_TENANT_ID", "contoso.example"),
        ("AZURE_CLIENT_ID", "client"),
        ("AZURE_FEDERATED_TOKEN_FILE", name),
    ];
    let platform = with_entra_and(&server.uri(), &variables);
    let builder = WorkloadIdentityCredential::builder().platform(platform);
    let credential = builder.retry(quick()).build().unwrap();
    entra(&server, EXCHANGE).await;
    let token = credential.get_token(&request()).await.unwrap();
    assert_eq!(token.secret(), ACCESS_TOKEN);

    // A folder is no token file, and nothing is sent.
    let folder = tempfile::tempdir().unwrap();
    let builder = WorkloadIdentityCredential::builder().token_file(folder.path());
    let platform = with_entra_and(&server.uri(), &variables);
    let error = failure(&builder.platform(platform).build().unwrap()).await;
    assert_eq!(error.kind(), ErrorKind::Failed);
}

#[tokio::test]
async fn an_ended_file_is_read_again_and_a_new_one_is_exchanged() {
    let server = MockServer::start().await;
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().join("token");
    std::fs::write(&name, "o.l.d").unwrap();
    let renewed = name.clone();
    Mock::given(body_string_contains("client_assertion=o.l.d"))
        .respond_with(move |_: &wiremock::Request| {
            std::fs::write(&renewed, "a.b.c").unwrap();
            let body = r#"{"error":"invalid_client","error_codes":[700024]}"#;
            ResponseTemplate::new(401).set_body_raw(body, "application/json")
        })
        .expect(1)
        .mount(&server)
        .await;
    entra(&server, EXCHANGE).await;
    let builder = WorkloadIdentityCredential::builder()
        .tenant_id("contoso.example")
        .client_id("client")
        .token_file(&name);
    let platform = with_entra_and(&server.uri(), &[]);
    let credential = builder.platform(platform).build().unwrap();
    credential.get_token(&request()).await.unwrap();
}

#[tokio::test]
async fn pipelines_and_github_give_assertions() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/oidctoken"))
        .and(query_param("api-version", "7.1"))
        .and(query_param("serviceConnectionId", "connection"))
        .and(header("content-length", "0"))
        .and(header("content-type", "application/json"))
        .and(header("x-tfs-fedauthredirect", "Suppress"))
        .and(header("authorization", format!("Bearer {SECRET}").as_str()))
        .respond_with(ResponseTemplate::new(200).set_body_string(r#"{"oidcToken":"a.b.c"}"#))
        .expect(1)
        .mount(&server)
        .await;
    Mock::given(method("GET"))
        .and(path("/idtoken"))
        .and(query_param("api-version", "2.0"))
        .and(query_param("audience", "api://AzureADTokenExchange"))
        .and(header("authorization", format!("Bearer {SECRET}").as_str()))
        .respond_with(ResponseTemplate::new(200).set_body_string(r#"{"value":"a.b.c"}"#))
        .expect(1)
        .mount(&server)
        .await;
    Mock::given(path("/contoso.example/oauth2/v2.0/token"))
        .and(body_string(EXCHANGE))
        .respond_with(ResponseTemplate::new(200).set_body_raw(TOKEN, "application/json"))
        .expect(2)
        .mount(&server)
        .await;
    let host = "https://login.microsoftonline.com";
    let variables = [
        ("SYSTEM_OIDCREQUESTURI", format!("{host}/oidctoken")),
        (
            "ACTIONS_ID_TOKEN_REQUEST_URL",
            format!("{host}/idtoken?api-version=2.0"),
        ),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", SECRET.to_owned()),
    ];
    let variables: Vec<_> = variables.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let platform = with_entra_and(&server.uri(), &variables);
    let credential =
        AzurePipelinesCredential::builder("contoso.example", "client", "connection", SECRET)
            .platform(platform.clone())
            .build()
            .unwrap();
    let token = credential.get_token(&request()).await.unwrap();
    assert_eq!(token.secret(), ACCESS_TOKEN);
    let builder = GitHubActionsCredential::builder("contoso.example", "client");
    let credential = builder.platform(platform).build().unwrap();
    credential.get_token(&request()).await.unwrap();
}
