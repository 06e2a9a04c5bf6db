//! Managed identity on Service Fabric: what is asked, and what is refused before anything is sent.

use credsim_identity::{
    Error, ErrorKind, ManagedIdentityCredential, TokenCredential as _,
    managed_identity::ManagedIdentityCredentialBuilder,
    platform::{TransportErrorKind, Trust},
};

use crate::stub::*;

fn builder(stub: &std::sync::Arc<Stub>) -> ManagedIdentityCredentialBuilder {
    ManagedIdentityCredential::builder().platform(stub.platform())
}

async fn failure(credential: &ManagedIdentityCredential) -> Error {
    credential.get_token(&request()).await.unwrap_err()
}

const PIN: &str = "00:0d:1A:27:34:41:4e:5b:68:75:82:8f:9c:a9:b6:c3:d0:dd:ea:f7";

/// The variables of an application on Service Fabric.
fn service_fabric() -> std::sync::Arc<Stub> {
    let endpoint = "https://localhost:2377/metadata/identity/oauth2/token";
    Stub::new()
        .var("IDENTITY_ENDPOINT", endpoint)
        .var("IDENTITY_HEADER", "s3cr3t")
        .var("IDENTITY_SERVER_THUMBPRINT", PIN)
}

/// MI-01, MI-14, MI-20, MI-50, MI-51: the request is pinned, and `expires_on` is a number.
#[tokio::test(start_paused = true)]
async fn service_fabric_is_asked_with_its_certificate_pinned() {
    let stub = service_fabric();
    let end = start().as_second() + 3600;
    stub.on_http(move |_| {
        let body = serde_json::json!({
            "access_token": "t", "expires_on": end, "resource": "r", "token_type": "Bearer",
        });
        reply(200, body.to_string())
    });
    let credential = builder(&stub).build().unwrap();
    let token = credential.get_token(&request()).await.unwrap();
    assert_eq!(token.expires_on().as_second(), end);
    assert_eq!(
        stub.urls(),
        [
            "https://localhost:2377/metadata/identity/oauth2/token?api-version=2019-07-01-preview\
          &resource=https%3A%2F%2Fvault.azure.net"
        ]
    );
    for (_, seen) in stub.requests.lock().unwrap().iter() {
        assert_eq!(Ok(seen.trust.clone()), Trust::thumbprint(PIN));
        let secrets = seen.headers.iter().filter(|(_, value)| value == "s3cr3t");
        let names: Vec<_> = secrets.map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["Secret"]);
    }
}

/// MI-14, PR-08: an id of an identity is refused before any request.
#[tokio::test(start_paused = true)]
async fn service_fabric_takes_no_id() {
    let named: [fn(ManagedIdentityCredentialBuilder) -> ManagedIdentityCredentialBuilder; 3] = [
        |builder| builder.client_id("c"),
        |builder| builder.object_id("o"),
        |builder| builder.resource_id("/subscriptions/s"),
    ];
    for name in named {
        let stub = service_fabric();
        let error = failure(&name(builder(&stub)).build().unwrap()).await;
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.message().contains("takes no id"), "{error}");
        assert!(stub.urls().is_empty());
    }
}

/// MI-64, MI-106, CHD-16: a 404, a redirect and a wrong certificate are final, and asked once.
#[tokio::test(start_paused = true)]
async fn service_fabric_is_final_where_it_says_so() {
    let stub = service_fabric();
    let credential = builder(&stub).build().unwrap();
    let body = r#"{"error":{"code":"ManagedIdentityNotFound","message":"none for s3cr3t"}}"#;
    for (count, status) in [(1, 404), (2, 302)] {
        stub.on_http(move |_| reply(status, body.to_owned()));
        let error = failure(&credential).await;
        assert_eq!(
            (error.kind(), error.status()),
            (ErrorKind::Failed, Some(status))
        );
        assert!(!error.is_transient(), "{error}");
        assert!(!format!("{error} {error:?}").contains("s3cr3t"));
        assert_eq!(stub.urls().len(), count);
    }
    stub.on_http(|_| Answer::Fails(TransportErrorKind::Certificate));
    let error = failure(&credential).await;
    assert_eq!(error.kind(), ErrorKind::Failed);
    assert!(error.to_string().contains("thumbprint"), "{error}");
    assert_eq!(stub.urls().len(), 3);
}
