//! HTTP as a credential needs it: one request, one answer, read as far as the reader wants.

use std::{fmt, time::Duration};

use bytes::Bytes;
use url::Url;

use super::{BoxFuture, trust::Trust};

/// Sends requests. It follows no redirect, keeps no cookie, retries nothing and times nothing but
/// the connect: everything else is the caller's policy.
///
/// An implementation honours [`trust`](HttpRequest::trust) and
/// [`server_name`](HttpRequest::server_name), or refuses a request that names them with
/// [`Unsupported`](TransportErrorKind::Unsupported) before anything is sent: see
/// [`HttpRequest::check_trust`] and [`HttpRequest::only_system_trust`].
pub trait HttpClient: Send + Sync + 'static {
    /// Sends `request`; completes when the head of the answer has arrived. Dropping the future
    /// drops the exchange.
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
    /// Its name on the wire.
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
    /// Where to; `http` or `https`.
    pub url: Url,
    /// Headers in the order in which they are sent. `Host` and `Content-Length` are the client's.
    pub headers: Vec<(String, String)>,
    /// The body; empty for none.
    pub body: Vec<u8>,
    /// How long the connect may take (name, TCP and TLS). `None`: as long as the caller waits.
    pub connect_limit: Option<Duration>,
    /// How the certificate of an https peer is judged. Default: by the rules of the host.
    pub trust: Trust,
    /// The name that is sent in the TLS handshake (SNI) and that the peer's certificate must have,
    /// where it is not the host of the URL. The connection and the `Host` header stay the URL's.
    /// A DNS name. Default: none.
    pub server_name: Option<String>,
}

impl HttpRequest {
    /// A request without headers or body.
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

    /// Whether its [`trust`](Self::trust) and [`server_name`](Self::server_name) mean anything.
    /// Without TLS nothing would be checked, and what they protect would be sent all the same.
    ///
    /// # Errors
    /// The URL is not https although the request sets a trust, or the server name is not a
    /// DNS name: an error of the kind [`Unsupported`](TransportErrorKind::Unsupported).
    pub fn check_trust(&self) -> Result<(), TransportError> {
        let refuse = |why: String| Err(TransportError::new(TransportErrorKind::Unsupported, why));
        if self.has_own_trust() && self.url.scheme() != "https" {
            return refuse(format!(
                "the request says which certificate it trusts, so its URL must be https and not {}",
                self.url.scheme()
            ));
        }
        match &self.server_name {
            // An address that is written oddly is no name either: a URL would take it for one.
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

    /// For clients that judge every peer by the rules of the host: whether this request asks for
    /// nothing else. `client` is the client's name.
    ///
    /// # Errors
    /// It does: an error of the kind [`Unsupported`](TransportErrorKind::Unsupported).
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
    /// The body, still on its way.
    pub body: Box<dyn HttpBody>,
}

impl HttpResponse {
    /// The first header called `name`, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, v)| v.as_str())
    }

    /// Reads the body to its end; more than `limit` bytes are a
    /// [`TooLarge`](TransportErrorKind::TooLarge) error.
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

/// The body of an answer, piece by piece.
pub trait HttpBody: Send {
    /// The next piece; `None` at the end. A body that ends before its announced length is an
    /// error, never an end.
    fn chunk(&mut self) -> BoxFuture<'_, Option<Result<Bytes, TransportError>>>;
}

/// Why there is no (whole) answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransportError {
    /// What went wrong, for code.
    pub kind: TransportErrorKind,
    /// What went wrong, for people. Holds no secret.
    pub message: String,
}

impl TransportError {
    /// An error of `kind`.
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

/// The kinds of transport failure that a policy tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// The name is unknown.
    Dns,
    /// The peer refused the connection.
    Refused,
    /// There is no route to the peer.
    Unreachable,
    /// The connect took longer than its limit.
    ConnectTimeout,
    /// TLS could not be agreed on.
    Tls,
    /// The peer's certificate was refused: its issuer, its dates, its names or its thumbprint. It
    /// is refused the next time, too.
    Certificate,
    /// The connection broke before the answer was complete.
    Broken,
    /// The bytes received are not HTTP.
    Protocol,
    /// The answer is larger than its reader allows.
    TooLarge,
    /// No client is configured that could send the request.
    NoClient,
    /// The client cannot check the peer as the request asks: see [`HttpRequest::trust`] and
    /// [`HttpRequest::server_name`]. Nothing was sent, and the next attempt fares no better.
    Unsupported,
}

impl TransportErrorKind {
    /// Whether the peer was never reached.
    pub fn is_connect(self) -> bool {
        matches!(
            self,
            Self::Dns | Self::Refused | Self::Unreachable | Self::ConnectTimeout
        )
    }
}
