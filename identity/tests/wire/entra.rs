//! The client credentials grant over real HTTP (EN-20, EN-23, EN-40, ER-01, TH-01).

use credsim_identity::{Error, TokenCredential as _};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{any, body_string, header, method, path},
};

use crate::host::{TOKEN, client_secret as credential, failure, raw, request};

async fn refused(answer: ResponseTemplate, attempts: u64) -> Error {
    let server = MockServer::start().await;
    Mock::given(any())
        .respond_with(answer)
        .expect(attempts)
        .mount(&server)
        .await;
    failure(&credential(&server.uri())).await
}

#[tokio::test]
async fn the_grant_is_posted_as_a_form() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/contoso.example/oauth2/v2.0/token"))
        .and(header("content-type", "application/x-www-form-urlencoded"))
        .and(body_string(
            "client_id=client&client_secret=s%26cret%3D%2B&grant_type=client_credentials\
             &scope=https%3A%2F%2Fvault.azure.net%2F.default",
        ))
        .respond_with(ResponseTemplate::new(200).set_body_raw(TOKEN, "application/json"))
        .expect(1)
        .mount(&server)
        .await;
    let token = credential(&server.uri())
        .get_token(&request())
        .await
        .unwrap();
    assert_eq!(token.secret(), "eyJ0eXAi.x.y");
}

#[tokio::test]
async fn refusals_keep_their_words() {
    let body = r#"{"error":"invalid_client","error_description":"AADSTS7000222: The provided client secret keys are expired.\r\nTrace ID: tr","error_codes":[7000222],"trace_id":"tr"}"#;
    let error = refused(
        ResponseTemplate::new(401).set_body_raw(body, "application/json"),
        1,
    )
    .await;
    assert_eq!(error.code(), Some("AADSTS7000222"));
    assert_eq!(error.request_id(), Some("tr"));

    let throttled = ResponseTemplate::new(429)
        .insert_header("Retry-After", "3600")
        .set_body_string("Too Many Requests");
    let error = refused(throttled, 1).await;
    assert!(error.message().contains("Too Many Requests"), "{error}");
    assert!(error.retry_at().is_some());
}

#[tokio::test]
async fn a_broken_connection_is_tried_again() {
    let good = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{TOKEN}",
        TOKEN.len()
    );
    let uri = raw(vec![Vec::new(), good.into_bytes()]).await;
    credential(&uri).get_token(&request()).await.unwrap();
}
