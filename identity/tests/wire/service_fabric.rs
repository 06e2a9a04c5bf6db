//! Service Fabric over real TLS (MI-14, MI-20, MI-106).

use credsim_identity::{Error, ErrorKind, ManagedIdentityCredential, TokenCredential};

use crate::{
    host::{self, ACCESS_TOKEN, SECRET, platform, quick, request},
    peer::answer,
    trust::{Leaf, Server},
};

/// The credential of an application whose variables name `endpoint` and the certificate of `leaf`.
fn credential(endpoint: &str, leaf: &Leaf) -> ManagedIdentityCredential {
    let digits = leaf.thumbprint().map(|byte| format!("{byte:02X}"));
    let builder = ManagedIdentityCredential::builder().platform(platform(&[
        ("IDENTITY_ENDPOINT", &format!("{endpoint}/token")),
        ("IDENTITY_HEADER", SECRET),
        ("IDENTITY_SERVER_THUMBPRINT", &digits.join(" ")),
    ]));
    builder.retry(quick()).build().unwrap()
}

async fn failure(endpoint: &str, leaf: &Leaf) -> Error {
    host::failure(&credential(endpoint, leaf)).await
}

#[tokio::test]
async fn a_token_comes_over_the_pinned_connection() {
    let leaf = Leaf::self_signed();
    let body = format!(
        r#"{{"access_token":"{ACCESS_TOKEN}","expires_on":4102444800,
            "resource":"https://vault.azure.net","token_type":"Bearer"}}"#
    );
    let server = Server::saying(&leaf, answer("200 OK", "", &body)).await;
    let credential = credential(&server.peer.https(), &leaf);
    let token = credential.get_token(&request()).await.unwrap();
    assert_eq!(token.secret(), ACCESS_TOKEN);
    assert_eq!(token.expires_on().as_second(), 4_102_444_800);
    let requests = server.peer.requests();
    assert_eq!(requests.len(), 1);
    let start = "GET /token?api-version=2019-07-01-preview&resource=https%3A%2F%2Fvault.azure.net ";
    assert!(requests[0].starts_with(start), "{requests:?}");
    let header = format!("\r\nsecret: {SECRET}\r\n");
    assert!(requests[0].contains(&header), "{requests:?}");
}

/// MI-106: a peer with another certificate gets no request, and is not tried again.
#[tokio::test]
async fn another_certificate_gets_no_secret() {
    let (shown, expected) = (Leaf::self_signed(), Leaf::self_signed());
    let server = Server::saying(&shown, answer("200 OK", "", "{}")).await;
    let error = failure(&server.peer.https(), &expected).await;
    assert_eq!(error.kind(), ErrorKind::Failed);
    assert!(error.message().contains("its thumbprint is"), "{error}");
    assert_eq!(server.peer.requests(), Vec::<String>::new());
    assert_eq!(server.peer.connections(), 1);
}

/// MI-106: the secret is not taken along to where a redirect leads.
#[tokio::test]
async fn a_redirect_is_not_followed() {
    let leaf = Leaf::self_signed();
    let elsewhere = Server::saying(&leaf, answer("200 OK", "", "{}")).await;
    let location = format!("Location: {}/token\r\n", elsewhere.peer.https());
    let server = Server::saying(&leaf, answer("307 Temporary Redirect", &location, "")).await;
    let error = failure(&server.peer.https(), &leaf).await;
    assert_eq!(
        (error.kind(), error.status()),
        (ErrorKind::Failed, Some(307))
    );
    assert_eq!(server.peer.requests().len(), 1);
    assert_eq!(elsewhere.peer.connections(), 0);
}

/// MI-106: without TLS there is no certificate to check, and nothing is sent.
#[tokio::test]
async fn plain_http_is_refused() {
    let leaf = Leaf::self_signed();
    let server = Server::saying(&leaf, answer("200 OK", "", "{}")).await;
    let error = failure(&server.peer.http(), &leaf).await;
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.message().contains("not an https URL"), "{error}");
    assert_eq!(server.peer.connections(), 0);
}
