//! The HTTP client of a simulated host, as the client that `azure_core` sends its requests with.

use std::{fmt, sync::Arc, time::Duration};

use azure_core::{
    Error, Result,
    error::ErrorKind,
    http::{
        AsyncRawResponse, ClientOptions, HttpClient, Method, Request, Transport, headers::Headers,
        request::Body,
    },
};
use credsim_identity::platform::{self, HttpRequest, Platform, TransportError};

/// How long the `reqwest` client of `azure_core` tries to connect (TH-02).
const CONNECT_LIMIT: Duration = Duration::from_secs(20);

/// How long it waits for the head of an answer, with connecting, and then for each further piece
/// of it (TH-02).
const READ_LIMIT: Duration = Duration::from_secs(60);

/// Client options that lead to `platform` instead of the sockets of this machine.
pub fn options(platform: &Platform) -> ClientOptions {
    ClientOptions {
        transport: Some(Transport::new(Arc::new(OverPlatform(platform.clone())))),
        ..ClientOptions::default()
    }
}

struct OverPlatform(Platform);

impl fmt::Debug for OverPlatform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OverPlatform")
    }
}

impl OverPlatform {
    /// What comes of a piece of work on the wire within the limit.
    async fn read<T>(&self, work: impl Future<Output = T>) -> Result<T> {
        let done = self.0.within(READ_LIMIT, work).await;
        done.ok_or_else(|| Error::with_message(ErrorKind::Io, "the operation timed out"))
    }
}

#[async_trait::async_trait]
impl HttpClient for OverPlatform {
    async fn execute_request(&self, request: &Request) -> Result<AsyncRawResponse> {
        let sent = self.0.http.send(translate(request)?);
        let mut response = self.read(sent).await?.map_err(failed)?;
        // All of it, as its pipeline buffers it before a retry is thought of.
        let mut body = Vec::new();
        while let Some(piece) = self.read(response.body.chunk()).await? {
            body.extend_from_slice(&piece.map_err(failed)?);
        }
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

fn translate(request: &Request) -> Result<HttpRequest> {
    let method = match request.method() {
        Method::Get => platform::Method::Get,
        Method::Post => platform::Method::Post,
        other => return Err(not_ours(&format!("the method {other:?}"))),
    };
    let mut translated = HttpRequest::new(method, request.url().clone());
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
        format!(
            "credentials were not expected to send {what}: src/azure_identity/transport.rs has to \
             learn it"
        ),
    )
}

/// As the client that `azure_core` brings tells what goes wrong on the wire.
fn failed(error: TransportError) -> Error {
    let kind = if error.kind.is_connect() {
        ErrorKind::Connection
    } else {
        ErrorKind::Io
    };
    Error::with_error(kind, error, "failed to execute `reqwest` request")
}
