//! The HTTP client of a simulated host, as the client that `azure_core` sends its requests with.

use std::{fmt, sync::Arc, time::Duration};

use credsim_identity::platform::{self, HttpRequest, Platform, TransportError};
use redis_azure_core::{
    Error,
    error::ErrorKind,
    http::{
        AsyncRawResponse, ClientOptions, HttpClient, Method, Request, Transport, Url,
        headers::Headers, request::Body,
    },
};

/// How long Linux tries to connect to a host that does not answer, unless told otherwise; the
/// client that `azure_core` brings has no limit of its own.
const CONNECT_LIMIT: Duration = Duration::from_secs(127);

/// More than any token endpoint answers.
const LARGEST_BODY: usize = 1 << 20;

/// Client options that lead to `platform` instead of the sockets of this machine.
pub fn options(platform: &Platform) -> ClientOptions {
    ClientOptions {
        transport: Some(Transport::new(Arc::new(OverPlatform(
            platform.http.clone(),
        )))),
        ..ClientOptions::default()
    }
}

struct OverPlatform(Arc<dyn platform::HttpClient>);

impl fmt::Debug for OverPlatform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OverPlatform")
    }
}

#[async_trait::async_trait]
impl HttpClient for OverPlatform {
    async fn execute_request(
        &self,
        request: &Request,
    ) -> redis_azure_core::Result<AsyncRawResponse> {
        let mut response = self.0.send(translate(request)?).await.map_err(io)?;
        let body = response.bytes(LARGEST_BODY).await.map_err(io)?;
        let mut headers = Headers::new();
        for (name, value) in response.headers {
            headers.insert(name.to_ascii_lowercase(), value);
        }
        Ok(AsyncRawResponse::from_bytes(
            response.status.into(),
            headers,
            body,
        ))
    }
}

fn translate(request: &Request) -> redis_azure_core::Result<HttpRequest> {
    let method = match request.method() {
        Method::Get => platform::Method::Get,
        Method::Post => platform::Method::Post,
        other => return Err(not_ours(&format!("the method {other:?}"))),
    };
    let url: &Url = request.url();
    let mut translated = HttpRequest::new(method, url.clone());
    for (name, value) in request.headers().iter() {
        translated = translated.header(name.as_str(), value.as_str());
    }
    translated.body = match request.body() {
        Body::Bytes(bytes) => bytes.to_vec(),
        Body::SeekableStream(_) => return Err(not_ours("a body that is a stream")),
    };
    translated.connect_limit = Some(CONNECT_LIMIT);
    Ok(translated)
}

fn not_ours(what: &str) -> Error {
    Error::with_message(
        ErrorKind::Other,
        format!("credentials were not expected to send {what}: src/transport.rs has to learn it"),
    )
}

/// As the client that `azure_core` brings tells everything that goes wrong on the wire.
fn io(error: TransportError) -> Error {
    Error::with_error(ErrorKind::Io, error, "failed to execute the request")
}
