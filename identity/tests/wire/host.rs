//! The real machine, but for its variables and for where https goes.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use credsim_identity::{
    RetryOptions, TokenRequest,
    adapters::reqwest::ReqwestClient,
    platform::{
        BoxFuture, Environment, HttpClient, HttpRequest, HttpResponse, Platform, TransportError,
    },
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

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
    let mut platform = platform(&[]);
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
