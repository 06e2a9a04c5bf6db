//! Managed identity over real HTTP (MI-10, MI-50, MI-60 to MI-68, PR-10 to PR-13).

use std::time::{Duration, Instant};

use credsim_identity::{
    DefaultAzureCredential, Error, ErrorKind, ManagedIdentityCredential, TokenCredential,
};
use jiff::Timestamp;
use tokio::net::TcpListener;
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{any, header, method, path, query_param},
};

use crate::host::{self, managed_identity as credential, platform, raw, request, with_imds};

/// The sample of MI-50, with its strings.
/// Its life is longer than its end is far: the earlier one counts.
const TOKEN: &str = r#"{"access_token":"eyJ0eXAi.x.y","refresh_token":"","expires_in":"3155760000",
    "expires_on":"4102444800","not_before":"1506480273","resource":"https://vault.azure.net",
    "token_type":"Bearer"}"#;

async fn failure(server: &MockServer) -> Error {
    host::failure(&credential(&server.uri())).await
}

fn token() -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_raw(TOKEN, "application/json")
}

#[tokio::test]
async fn a_token_comes_over_the_wire() {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .and(path("/metadata/identity/oauth2/token"))
        .and(query_param("api-version", "2018-02-01"))
        .and(query_param("resource", "https://vault.azure.net"))
        .and(query_param("msi_res_id", "/subscriptions/a b"))
        .and(header("Metadata", "true"))
        .respond_with(token())
        .expect(1)
        .mount(&server)
        .await;
    let credential = ManagedIdentityCredential::builder()
        .platform(with_imds(&server.uri()))
        .resource_id("/subscriptions/a b")
        .build()
        .unwrap();
    for _ in 0..3 {
        let token = credential.get_token(&request()).await.unwrap();
        assert_eq!(token.secret(), "eyJ0eXAi.x.y");
        assert_eq!(token.expires_on().as_second(), 4_102_444_800);
    }
}

/// PR-12: all forms, in their order; longer than a minute is not waited for.
#[tokio::test]
async fn retry_after_is_obeyed_in_every_form() {
    for (name, value) in [("retry-after-ms", "300"), ("x-ms-retry-after-ms", "300")] {
        let server = MockServer::start().await;
        let busy = ResponseTemplate::new(429)
            .insert_header(name, value)
            .insert_header("Retry-After", "30");
        Mock::given(any())
            .respond_with(busy)
            .up_to_n_times(1)
            .mount(&server)
            .await;
        Mock::given(any())
            .respond_with(token())
            .mount(&server)
            .await;
        let before = Instant::now();
        let credential = credential(&server.uri());
        credential.get_token(&request()).await.unwrap();
        let waited = before.elapsed();
        assert!(waited >= Duration::from_millis(300), "{name} {waited:?}");
        assert!(waited < Duration::from_secs(10), "{name} {waited:?}");
    }
    for value in ["7200", "Fri, 01 Jan 2100 00:00:00 GMT"] {
        let server = MockServer::start().await;
        let busy = ResponseTemplate::new(503).insert_header("Retry-After", value);
        Mock::given(any())
            .respond_with(busy)
            .expect(1)
            .mount(&server)
            .await;
        let credential = credential(&server.uri());
        for _ in 0..2 {
            let error = credential.get_token(&request()).await.unwrap_err();
            let at = error.retry_at().unwrap();
            assert!(
                at > Timestamp::now() + Duration::from_secs(7000),
                "{value} {at}"
            );
        }
    }
}

/// A body that is cut off is a read error, and asked for again.
#[tokio::test]
async fn a_truncated_token_is_asked_for_again() {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", TOKEN.len());
    let uri = raw(vec![
        format!("{head}{}", &TOKEN[..100]).into_bytes(),
        format!("{head}{TOKEN}").into_bytes(),
    ])
    .await;
    let token = credential(&uri).get_token(&request()).await.unwrap();
    assert_eq!(token.secret(), "eyJ0eXAi.x.y");
}

/// An absurdly large answer is not read to its end, and not asked for again.
#[tokio::test]
async fn an_oversized_token_is_a_failure() {
    let server = MockServer::start().await;
    let large = ResponseTemplate::new(200).set_body_string("x".repeat(3 << 20));
    Mock::given(any())
        .respond_with(large)
        .expect(1)
        .mount(&server)
        .await;
    assert_eq!(failure(&server).await.kind(), ErrorKind::Failed);
}

#[tokio::test]
async fn a_closed_port_is_unavailable() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);
    let error = credential(&uri).get_token(&request()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
}

/// PR-13, CHD-12: a listener that accepts and stays silent costs the chain one second.
#[tokio::test]
async fn a_silent_listener_does_not_hold_the_default_chain() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://{}", silent.local_addr().unwrap());
    let variables = [
        ("AZURE_POD_IDENTITY_AUTHORITY_HOST", uri.as_str()),
        ("AZURE_TOKEN_CREDENTIALS", "prod"),
    ];
    let credential = DefaultAzureCredential::builder()
        .platform(platform(&variables))
        .build()
        .unwrap();
    let before = Instant::now();
    let error = credential.get_token(&request()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    let took = before.elapsed();
    assert!(took >= Duration::from_millis(900), "{took:?}");
    assert!(took < Duration::from_secs(5), "{took:?}");
}
