//! The client alone: what it sends, what it never does, and how its errors are distinguished.

use credsim_identity::{
    adapters::reqwest::ReqwestClient,
    platform::{HttpClient as _, HttpRequest, Method, TransportErrorKind},
};
use tokio::{net::TcpListener, time::timeout};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{header, method},
};

use crate::{
    host::{assert_no_secret, raw},
    peer::SOON,
};

pub fn get(uri: &str) -> HttpRequest {
    HttpRequest::new(Method::Get, uri.parse().unwrap())
}

/// Why `request` gets no whole answer of at most 1000 bytes.
pub async fn kind(request: HttpRequest) -> TransportErrorKind {
    let answer = async {
        match ReqwestClient::new().send(request).await {
            Err(error) => error,
            Ok(mut response) => response.bytes(1000).await.expect_err("a whole answer came"),
        }
    };
    let error = timeout(SOON, answer).await.unwrap();
    assert!(!error.message.is_empty());
    assert!(!error.message.contains("secret"), "{error}");
    assert_no_secret(&error);
    error.kind
}

#[tokio::test]
async fn it_sends_what_it_is_given() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(header("x-one", "1"))
        .and(header("accept", "application/json"))
        .and(wiremock::matchers::body_string("a=b"))
        .respond_with(
            ResponseTemplate::new(418)
                .insert_header("x-two", "2")
                .set_body_string("tea"),
        )
        .expect(1)
        .mount(&server)
        .await;
    let mut request = HttpRequest::new(Method::Post, server.uri().parse().unwrap())
        .header("X-One", "1")
        .header("Accept", "application/json");
    request.body = b"a=b".to_vec();
    let mut response = ReqwestClient::new().send(request).await.unwrap();
    assert_eq!(response.status, 418);
    assert_eq!(response.header("X-Two"), Some("2"));
    assert_eq!(response.bytes(3).await.unwrap(), b"tea");
}

#[tokio::test]
async fn its_errors_are_distinguished() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let refused = format!("http://{}/?q=secret", closed.local_addr().unwrap());
    drop(closed);
    assert_eq!(kind(get(&refused)).await, TransportErrorKind::Refused);

    let unknown = "http://no-such-host.invalid/?q=secret";
    assert_eq!(kind(get(unknown)).await, TransportErrorKind::Dns);

    // No stream has a broadcast address: the kernel refuses, and sends nothing.
    let nowhere = "http://255.255.255.255:9/?q=secret";
    assert_eq!(kind(get(nowhere)).await, TransportErrorKind::Unreachable);

    let not_http = raw(vec![b"SSH-2.0-OpenSSH_9.6\r\n\r\n".to_vec()]).await;
    assert_eq!(kind(get(&not_http)).await, TransportErrorKind::Protocol);

    let closing = raw(vec![Vec::new()]).await;
    assert_eq!(kind(get(&closing)).await, TransportErrorKind::Broken);

    let cut = raw(vec![
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf".to_vec(),
    ])
    .await;
    assert_eq!(kind(get(&cut)).await, TransportErrorKind::Broken);

    let cut = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhalf";
    let cut = raw(vec![cut.to_vec()]).await;
    assert_eq!(kind(get(&cut)).await, TransportErrorKind::Broken);

    let large = raw(vec![
        [b"HTTP/1.1 200 OK\r\n\r\n".as_slice(), &[b'x'; 2000]].concat(),
    ])
    .await;
    assert_eq!(kind(get(&large)).await, TransportErrorKind::TooLarge);

    let not_tls = raw(vec![b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()]).await;
    let not_tls = not_tls.replace("http:", "https:");
    assert_eq!(kind(get(&not_tls)).await, TransportErrorKind::Tls);
}
