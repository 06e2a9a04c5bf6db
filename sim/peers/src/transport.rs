//! The HTTP client of a simulated host as the transport of `azure_core`, of whichever release.
//!
//! `azure_core` brings `reqwest`, which needs real sockets; this takes its place, with its time
//! limits and none of its connections. [`transport!`](crate::transport::transport) writes the part
//! that names the types of a release.

use std::time::Duration;

use credsim_identity::platform::{HttpRequest, Platform, TransportError};

/// The time limits of the client that a release of `azure_core` brings.
pub struct Limits {
    /// How long it tries to connect.
    pub connect: Duration,
    /// How long it waits for the head of an answer, with connecting, and then for each further
    /// piece of it; none if it waits as long as the connection lasts.
    pub read: Option<Duration>,
    /// How many bytes of a body are read, at most; none if an answer of any size is read.
    pub body: Option<usize>,
}

/// Why there is no answer.
pub enum Failure {
    /// A limit was reached.
    TimedOut,
    /// The wire failed.
    Transport(TransportError),
    /// The body is longer than this limit, in bytes.
    TooLong(usize),
}

/// What an error says of a body that is longer than `limit` bytes.
pub fn too_long(limit: usize) -> String {
    format!("the body of the answer is longer than {limit} bytes, the limit of this transport")
}

/// An answer, read to its end.
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers, their names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body: all of it, as the pipeline of `azure_core` buffers it before a retry.
    pub body: Vec<u8>,
}

/// Sends a request from the host of `platform`.
///
/// # Errors
/// There is no whole answer.
pub async fn exchange(
    platform: &Platform,
    limits: &Limits,
    mut request: HttpRequest,
) -> Result<Answer, Failure> {
    request.connect_limit = Some(limits.connect);
    let sent = platform.http.send(request);
    let mut response = within(platform, limits, sent)
        .await?
        .map_err(Failure::Transport)?;
    let mut body = Vec::new();
    while let Some(piece) = within(platform, limits, response.body.chunk()).await? {
        let piece = piece.map_err(Failure::Transport)?;
        if let Some(limit) = limits.body
            && body.len() + piece.len() > limit
        {
            return Err(Failure::TooLong(limit));
        }
        body.extend_from_slice(&piece);
    }
    let headers = response.headers.into_iter();
    let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value));
    Ok(Answer {
        status: response.status,
        headers: headers.collect(),
        body,
    })
}

async fn within<T>(
    platform: &Platform,
    limits: &Limits,
    work: impl Future<Output = T>,
) -> Result<T, Failure> {
    match limits.read {
        Some(limit) => platform.within(limit, work).await.ok_or(Failure::TimedOut),
        None => Ok(work.await),
    }
}

/// Defines `options`, which gives the client options of the release of `azure_core` that the crate
/// `$azure_core` is, with [`Limits`]; `$failed` makes its error of a [`Failure`].
macro_rules! transport {
    ($azure_core:ident, $limits:expr, $failed:expr) => {
        use std::{fmt, sync::Arc};

        use credsim_identity::platform::{self, HttpRequest, Platform};
        use $azure_core::{
            Error, Result,
            error::ErrorKind,
            http::{
                AsyncRawResponse, ClientOptions, HttpClient, Method, Request, Transport,
                headers::Headers, request::Body,
            },
        };

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

        #[async_trait::async_trait]
        impl HttpClient for OverPlatform {
            async fn execute_request(&self, request: &Request) -> Result<AsyncRawResponse> {
                let request = translated(request)?;
                let answer = $crate::transport::exchange(&self.0, &$limits, request);
                let answer = answer.await.map_err($failed)?;
                let mut headers = Headers::new();
                for (name, value) in answer.headers {
                    headers.insert(name, value);
                }
                let status = answer.status.into();
                Ok(AsyncRawResponse::from_bytes(status, headers, answer.body))
            }
        }

        fn translated(request: &Request) -> Result<HttpRequest> {
            let method = match request.method() {
                Method::Get => platform::Method::Get,
                Method::Post => platform::Method::Post,
                other => return Err(not_supported(&format!("the method {other:?}"))),
            };
            let mut translated = HttpRequest::new(method, request.url().clone());
            for (name, value) in request.headers().iter() {
                translated = translated.header(name.as_str(), value.as_str());
            }
            translated.body = match request.body() {
                Body::Bytes(bytes) => bytes.to_vec(),
                Body::SeekableStream(_) => return Err(not_supported("a body that is a stream")),
            };
            Ok(translated)
        }

        fn not_supported(what: &str) -> Error {
            Error::with_message(
                ErrorKind::Other,
                format!("src/transport.rs does not support what a credential sends: {what}"),
            )
        }
    };
}
pub(crate) use transport;
