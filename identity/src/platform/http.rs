//! HTTP clients: one request, one answer, and a body that is read in pieces.

use std::{fmt, time::Duration};

use bytes::Bytes;
use url::Url;

use super::{BoxFuture, trust::Trust};

/// Sends HTTP requests. An implementation follows no redirects, keeps no cookies, does not retry,
/// and has no time limit but the request's [`connect_limit`](HttpRequest::connect_limit): retries
/// and other limits are the policy of the caller.
///
/// An implementation honours [`trust`](HttpRequest::trust) and
/// [`server_name`](HttpRequest::server_name), or refuses a request that names them with
/// [`Unsupported`](TransportErrorKind::Unsupported) before anything is sent: see
/// [`HttpRequest::check_trust`] and [`HttpRequest::only_system_trust`].
pub trait HttpClient: Send + Sync + 'static {
    /// Sends `request`, and completes when the head of the answer has arrived. Dropping the future
    /// ends the exchange.
    ///
    /// # Errors
    /// See [`TransportErrorKind`]. An answer is never an error, whatever its status.
    fn send(
        &self,
        request: HttpRequest,
    ) -> BoxFuture<'static, Result<HttpResponse, TransportError>>;
}

/// The method of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Method {
    /// `GET`
    Get,
    /// `POST`
    Post,
}

impl Method {
    /// Returns the name of the method, as it is sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// A request. `Debug` shows neither headers nor body nor query: they hold secrets.
#[derive(Clone)]
pub struct HttpRequest {
    /// The method.
    pub method: Method,
    /// The URL; `http` or `https`.
    pub url: Url,
    /// The headers, in the order in which they are sent. The client adds `Host` and
    /// `Content-Length`.
    pub headers: Vec<(String, String)>,
    /// The body; empty for none.
    pub body: Vec<u8>,
    /// The limit of the connect (name resolution, TCP and TLS). `None`: no limit.
    pub connect_limit: Option<Duration>,
    /// The check of the peer's certificate. Default: [`Trust::System`].
    pub trust: Trust,
    /// The DNS name that is sent in the TLS handshake (SNI) and that the peer's certificate must
    /// have, in place of the host of the URL. The connection and the `Host` header still use the
    /// URL. Default: `None`.
    pub server_name: Option<String>,
}

impl HttpRequest {
    /// Creates a request without headers and body.
    pub fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            headers: Vec::new(),
            body: Vec::new(),
            connect_limit: None,
            trust: Trust::System,
            server_name: None,
        }
    }

    /// Checks that [`trust`](Self::trust) and [`server_name`](Self::server_name) can be honoured.
    /// Without TLS no certificate would be checked, and the request would be sent nevertheless.
    ///
    /// # Errors
    /// The URL is not https although the request sets a trust, or the server name is not a
    /// DNS name: an error of the kind [`Unsupported`](TransportErrorKind::Unsupported).
    pub fn check_trust(&self) -> Result<(), TransportError> {
        let refuse = |why: String| Err(TransportError::new(TransportErrorKind::Unsupported, why));
        if self.has_own_trust() && self.url.scheme() != "https" {
            return refuse(format!(
                "the request sets its own trust or server name, so its URL must be https and not {}",
                self.url.scheme()
            ));
        }
        match &self.server_name {
            // A URL normalises unusual spellings of an address, so the parsed host is compared.
            Some(name)
                if !matches!(url::Host::parse(name), Ok(url::Host::Domain(host))
                    if host.eq_ignore_ascii_case(name)) =>
            {
                refuse(format!(
                    "the server name {name:?} cannot be used: it is not a DNS name"
                ))
            }
            _ => Ok(()),
        }
    }

    /// For clients without support for [`trust`](Self::trust) and
    /// [`server_name`](Self::server_name): checks that the request uses neither. `client` is the
    /// client's name.
    ///
    /// # Errors
    /// It uses one: an error of the kind [`Unsupported`](TransportErrorKind::Unsupported).
    pub fn only_system_trust(&self, client: &str) -> Result<(), TransportError> {
        if self.has_own_trust() {
            return Err(TransportError::new(
                TransportErrorKind::Unsupported,
                format!(
                    "{client} cannot trust a certificate or use a server name that the request \
                     names: give the platform a client that can, such as that of the feature \
                     `reqwest`"
                ),
            ));
        }
        Ok(())
    }

    fn has_own_trust(&self) -> bool {
        self.trust != Trust::System || self.server_name.is_some()
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {}://{}{}",
            self.method.as_str(),
            self.url.scheme(),
            self.url.host_str().unwrap_or("-"),
            self.url.path()
        )
    }
}

/// The head of an answer and a reader for its body. `Debug` shows no header and no body.
pub struct HttpResponse {
    /// The status code.
    pub status: u16,
    /// The headers as they came.
    pub headers: Vec<(String, String)>,
    /// The body, which may not have arrived yet.
    pub body: Box<dyn HttpBody>,
}

impl HttpResponse {
    /// Returns the value of the first header with this `name`, whose case is ignored.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, v)| v.as_str())
    }

    /// Reads the body to its end.
    ///
    /// # Errors
    /// [`TooLarge`](TransportErrorKind::TooLarge) if the body has more than `limit` bytes, and
    /// those of [`HttpBody::chunk`].
    pub async fn bytes(&mut self, limit: usize) -> Result<Vec<u8>, TransportError> {
        let mut all = Vec::new();
        while let Some(chunk) = self.body.chunk().await {
            let chunk = chunk?;
            if all.len() + chunk.len() > limit {
                return Err(TransportError::new(
                    TransportErrorKind::TooLarge,
                    format!("the body is larger than {limit} bytes"),
                ));
            }
            all.extend_from_slice(&chunk);
        }
        Ok(all)
    }
}

impl fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HttpResponse({})", self.status)
    }
}

/// The body of an answer, read in pieces.
pub trait HttpBody: Send {
    /// Returns the next piece; `None` at the end. A body that ends before its announced length is
    /// an error.
    fn chunk(&mut self) -> BoxFuture<'_, Option<Result<Bytes, TransportError>>>;
}

/// A request without a complete answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransportError {
    /// The kind of the failure.
    pub kind: TransportErrorKind,
    /// A description of the failure. Holds no secret.
    pub message: String,
}

impl TransportError {
    /// Creates an error of `kind`.
    pub fn new(kind: TransportErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for TransportError {}

/// The kinds of transport failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// The name of the host is unknown.
    Dns,
    /// The peer refused the connection.
    Refused,
    /// There is no route to the peer.
    Unreachable,
    /// The connect took longer than its limit.
    ConnectTimeout,
    /// The TLS handshake failed.
    Tls,
    /// The peer's certificate was refused because of its issuer, dates, names or thumbprint.
    /// Another attempt would fail in the same way.
    Certificate,
    /// The connection broke before the answer was complete.
    Broken,
    /// The bytes received are not HTTP.
    Protocol,
    /// The answer is larger than the limit of its reader.
    TooLarge,
    /// The platform has no HTTP client.
    NoClient,
    /// The client does not support the [`trust`](HttpRequest::trust) or the
    /// [`server_name`](HttpRequest::server_name) of the request. Nothing was sent.
    Unsupported,
}

impl TransportErrorKind {
    /// Returns whether no connection to the peer was made.
    pub fn is_connect(self) -> bool {
        matches!(
            self,
            Self::Dns | Self::Refused | Self::Unreachable | Self::ConnectTimeout
        )
    }
}
