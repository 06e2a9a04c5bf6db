//! An [`HttpClient`] of the real network: reqwest, with rustls and ring (feature `reqwest`).

mod trust;

use std::{
    collections::BTreeMap,
    error::Error as StdError,
    fmt, io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use ::reqwest as rq;
use bytes::Bytes;

use crate::platform::{
    BoxFuture, HttpBody, HttpClient, HttpRequest, HttpResponse, Method, TransportError,
    TransportErrorKind, Trust,
};
use trust::Renamed;

/// Sends requests with reqwest, over HTTP/1.1. Clones share connections.
///
/// It follows no redirect, keeps no cookie, decompresses nothing and repeats nothing. **It uses no
/// proxy**, whatever `HTTPS_PROXY` and similar variables say: a proxy in front of 169.254.169.254
/// answers for the wrong host. Where Entra can only be reached through one, name it in
/// [`customized`](Self::customized), for https only.
///
/// Certificates are checked by the rules of the operating system, unless the request says what it
/// [trusts](HttpRequest::trust). A request with a [server name](HttpRequest::server_name) of its
/// own goes to its host directly, whatever proxy was named in `customized`.
#[derive(Clone)]
pub struct ReqwestClient(Arc<Inner>);

type Customize = Box<dyn Fn(rq::ClientBuilder) -> rq::ClientBuilder + Send + Sync>;

struct Inner {
    customize: Customize,
    clients: Mutex<Clients>,
}

/// What reqwest settles per client and not per request.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Settings {
    connect_limit: Option<Duration>,
    trust: Trust,
    renamed: Option<Renamed>,
}

/// The most clients that are kept for requests with a trust or a server name of their own: the
/// certificates of an authority are rotated, and each set is another client.
const MOST_OTHERS: usize = 8;

#[derive(Default)]
struct Clients {
    /// One for each connect limit; policies know few.
    by_limit: BTreeMap<Option<Duration>, rq::Client>,
    /// The others, the least recently used first.
    others: Vec<(Settings, rq::Client)>,
}

impl Clients {
    fn get(&mut self, settings: &Settings) -> Option<rq::Client> {
        if settings.is_common() {
            return self.by_limit.get(&settings.connect_limit).cloned();
        }
        let at = (self.others.iter()).position(|(known, _)| known == settings)?;
        let found = self.others.remove(at);
        let client = found.1.clone();
        self.others.push(found);
        Some(client)
    }

    fn keep(&mut self, settings: Settings, client: rq::Client) {
        if settings.is_common() {
            self.by_limit.insert(settings.connect_limit, client);
            return;
        }
        if self.others.len() == MOST_OTHERS {
            self.others.remove(0);
        }
        self.others.push((settings, client));
    }
}

impl Settings {
    fn of(request: &HttpRequest) -> Result<Self, TransportError> {
        request.check_trust()?;
        Ok(Self {
            connect_limit: request.connect_limit,
            trust: request.trust.clone(),
            renamed: Renamed::of(request)?,
        })
    }

    fn is_common(&self) -> bool {
        self.trust == Trust::System && self.renamed.is_none()
    }
}

impl ReqwestClient {
    /// A client as described above.
    pub fn new() -> Self {
        Self::customized(|builder| builder)
    }

    /// A client with changes of the caller's own, such as a proxy or another TLS configuration.
    /// `customize` is called once for each connect limit, trust and server name that requests
    /// name.
    ///
    /// Certificates are judged by a whole [`rustls::ClientConfig`], so reqwest's own options for
    /// them change nothing here: to trust an authority that the operating system does not know,
    /// give `tls_backend_preconfigured` another configuration. Requests with a trust of their own
    /// do not use it.
    pub fn customized(
        customize: impl Fn(rq::ClientBuilder) -> rq::ClientBuilder + Send + Sync + 'static,
    ) -> Self {
        let customize = Box::new(customize);
        Self(Arc::new(Inner {
            customize,
            clients: Mutex::default(),
        }))
    }

    fn client(&self, settings: Settings) -> Result<rq::Client, TransportError> {
        let Inner { customize, clients } = &*self.0;
        let mut clients = clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&settings) {
            return Ok(client);
        }
        let mut builder = rq::Client::builder()
            .no_proxy()
            .http1_only()
            .referer(false)
            // Whatever features of reqwest another crate of the program turned on.
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .redirect(rq::redirect::Policy::none())
            .retry(rq::retry::never());
        if let Some(limit) = settings.connect_limit {
            builder = builder.connect_timeout(limit);
        }
        let tls = trust::config(&settings.trust)?;
        // What the request trusts is not the caller's to change; what the host trusts is.
        builder = match settings.trust {
            Trust::System => customize(builder.tls_backend_preconfigured(tls)),
            Trust::Authority(_) | Trust::Thumbprint(_) => {
                customize(builder).tls_backend_preconfigured(tls)
            }
        };
        if let Some(renamed) = &settings.renamed {
            builder = renamed.build(builder);
        }
        let client = builder.build().map_err(|error| {
            let message = format!("the HTTP client cannot be built: {error}");
            TransportError::new(TransportErrorKind::NoClient, message)
        })?;
        clients.keep(settings, client.clone());
        Ok(client)
    }
}

impl Default for ReqwestClient {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for ReqwestClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReqwestClient")
    }
}

impl HttpClient for ReqwestClient {
    fn send(
        &self,
        request: HttpRequest,
    ) -> BoxFuture<'static, Result<HttpResponse, TransportError>> {
        let this = self.clone();
        Box::pin(async move {
            let settings = Settings::of(&request)?;
            let mut url = request.url;
            let host = (settings.renamed.as_ref())
                .map(|renamed| renamed.apply(&mut url))
                .transpose()?;
            let client = this.client(settings)?;
            let method = match request.method {
                Method::Get => rq::Method::GET,
                Method::Post => rq::Method::POST,
            };
            let mut sent = client.request(method, url);
            if let Some(host) = host {
                sent = sent.header(rq::header::HOST, host);
            }
            for (name, value) in request.headers {
                sent = sent.header(name, value);
            }
            if request.method == Method::Post || !request.body.is_empty() {
                sent = sent.body(request.body);
            }
            let response = sent.send().await.map_err(|error| transport_error(&error))?;
            let text = |value: &rq::header::HeaderValue| {
                String::from_utf8_lossy(value.as_bytes()).into_owned()
            };
            Ok(HttpResponse {
                status: response.status().as_u16(),
                headers: (response.headers().iter())
                    .map(|(name, value)| (name.as_str().to_owned(), text(value)))
                    .collect(),
                body: Box::new(Body(response)),
            })
        })
    }
}

struct Body(rq::Response);

impl HttpBody for Body {
    fn chunk(&mut self) -> BoxFuture<'_, Option<Result<Bytes, TransportError>>> {
        Box::pin(async {
            let chunk = self.0.chunk().await;
            chunk.map_err(|error| transport_error(&error)).transpose()
        })
    }
}

/// Converts an error of reqwest. The message is that of the innermost cause, which names neither
/// the URL nor anything that was sent.
fn transport_error(error: &rq::Error) -> TransportError {
    let mut innermost: &dyn StdError = error;
    let mut kind = None;
    while let Some(cause) = innermost.source() {
        innermost = cause;
        kind = kind_of(cause).or(kind);
    }
    let kind = match kind {
        // Whatever else happened: the limit was the connect's, because requests have no other.
        _ if error.is_connect() && error.is_timeout() => TransportErrorKind::ConnectTimeout,
        // What breaks after the connect breaks the connection, whatever layer noticed.
        Some(TransportErrorKind::Tls) if !error.is_connect() => TransportErrorKind::Broken,
        Some(kind) => kind,
        None if error.is_builder() => TransportErrorKind::NoClient,
        None if error.is_connect() => TransportErrorKind::Unreachable,
        None => TransportErrorKind::Broken,
    };
    let message = match kind {
        TransportErrorKind::ConnectTimeout => "the connect took too long".to_owned(),
        _ => trust::mismatch(innermost).unwrap_or_else(|| innermost.to_string()),
    };
    TransportError::new(kind, message)
}

/// The kind that one cause in a chain of causes stands for.
fn kind_of(cause: &(dyn StdError + 'static)) -> Option<TransportErrorKind> {
    if let Some(error) = cause.downcast_ref::<rustls::Error>() {
        return Some(match error {
            rustls::Error::InvalidCertificate(_) => TransportErrorKind::Certificate,
            _ => TransportErrorKind::Tls,
        });
    }
    if let Some(error) = cause.downcast_ref::<hyper::Error>() {
        return match error {
            error if error.is_parse_too_large() => Some(TransportErrorKind::TooLarge),
            error => error.is_parse().then_some(TransportErrorKind::Protocol),
        };
    }
    if let Some(error) = cause.downcast_ref::<io::Error>() {
        // An io error may be the envelope of another error; rustls speaks through such.
        if let Some(kind) = error.get_ref().and_then(|inner| kind_of(inner)) {
            return Some(kind);
        }
        return match error.kind() {
            io::ErrorKind::ConnectionRefused => Some(TransportErrorKind::Refused),
            io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
                Some(TransportErrorKind::Unreachable)
            }
            // Also in the handshake of TLS, which counts as connect: the peer exists.
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof => Some(TransportErrorKind::Broken),
            _ => None,
        };
    }
    // The resolver's error has no type of its own that could be asked for.
    cause
        .to_string()
        .starts_with("dns error")
        .then_some(TransportErrorKind::Dns)
}
