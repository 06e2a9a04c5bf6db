//! The real machine, but for its variables and for where https goes.

use std::{collections::BTreeMap, error::Error as StdError, sync::Arc, time::Duration};

use credsim_identity::{
    ClientSecretCredential, Error, ManagedIdentityCredential, RetryOptions, TokenCredential,
    TokenRequest,
    adapters::reqwest::ReqwestClient,
    platform::{
        BoxFuture, Environment, HttpClient, HttpRequest, HttpResponse, Platform, TransportError,
    },
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

/// The client secret. The form spells it differently.
pub const SECRET: &str = "s&cret=+";

/// The access token that the servers here give.
pub const ACCESS_TOKEN: &str = "eyJ0eXAi.x.y";

/// An answer of Entra, with a number, which is also one that IMDS could give (MI-51).
pub const TOKEN: &str = r#"{"token_type":"Bearer","expires_in":3599,"ext_expires_in":3599,
    "access_token":"eyJ0eXAi.x.y"}"#;

/// Asks the metadata service at `uri`, without the waiting.
pub fn managed_identity(uri: &str) -> ManagedIdentityCredential {
    let builder = ManagedIdentityCredential::builder().platform(with_imds(uri));
    builder.retry(quick()).build().unwrap()
}

/// Asks the Entra at `uri`, without the waiting.
pub fn client_secret(uri: &str) -> ClientSecretCredential {
    ClientSecretCredential::builder("contoso.example", "client", SECRET)
        .platform(with_entra(uri))
        .retry(quick())
        .build()
        .unwrap()
}

/// Both, for what they have in common.
pub fn both(uri: &str) -> [Box<dyn TokenCredential>; 2] {
    [
        Box::new(managed_identity(uri)),
        Box::new(client_secret(uri)),
    ]
}

/// The error of a credential that gets no token.
pub async fn failure(credential: &dyn TokenCredential) -> Error {
    let error = credential.get_token(&request()).await.unwrap_err();
    assert_no_secret(&error);
    error
}

/// Neither a secret that was sent nor a token that came is in an error, or in a cause of it.
pub fn assert_no_secret(error: &dyn StdError) {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let said = format!("{error} {error:?}");
        for secret in [SECRET, "s%26cret", "s&amp;cret", "eyJ0eXAi"] {
            assert!(!said.contains(secret), "{said}");
        }
        cause = error.source();
    }
}

/// A machine whose only variables are these.
pub fn platform(variables: &[(&str, &str)]) -> Platform {
    let variables = variables.iter().map(|&(n, v)| (n.to_owned(), v.to_owned()));
    let mut platform = Platform::system();
    platform.environment = Arc::new(Variables(variables.collect()));
    platform
}

/// A machine whose metadata service is at `uri`.
pub fn with_imds(uri: &str) -> Platform {
    platform(&[("AZURE_POD_IDENTITY_AUTHORITY_HOST", uri)])
}

struct Variables(BTreeMap<String, String>);

impl Environment for Variables {
    fn var(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }
}

/// A machine on which every https host is the plain server at `uri`: credentials insist on https.
pub fn with_entra(uri: &str) -> Platform {
    with_entra_and(uri, &[])
}

/// The same, with these variables.
pub fn with_entra_and(uri: &str, variables: &[(&str, &str)]) -> Platform {
    let mut platform = platform(variables);
    platform.http = Arc::new(Plain {
        inner: ReqwestClient::new(),
        base: uri.parse().unwrap(),
    });
    platform
}

struct Plain {
    inner: ReqwestClient,
    base: url::Url,
}

impl HttpClient for Plain {
    fn send(
        &self,
        mut request: HttpRequest,
    ) -> BoxFuture<'static, Result<HttpResponse, TransportError>> {
        assert_eq!(request.url.scheme(), "https");
        let mut url = self.base.clone();
        url.set_path(request.url.path());
        url.set_query(request.url.query());
        request.url = url;
        self.inner.send(request)
    }
}

/// Retries without the waiting.
pub fn quick() -> RetryOptions {
    RetryOptions {
        retry_delay: Some(Duration::from_millis(1)),
        ..RetryOptions::default()
    }
}

pub fn request() -> TokenRequest {
    TokenRequest::new(["https://vault.azure.net/.default"])
}

/// A server that answers each connection with the next of these bytes, and closes it.
pub async fn raw(answers: Vec<Vec<u8>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(&answer).await;
            let _ = stream.shutdown().await;
        }
    });
    uri
}
