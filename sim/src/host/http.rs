//! The HTTP client that a simulated host lends to its credentials: real HTTP/1.1 over the engine's
//! streams, one connection per exchange. `https` is spoken in the clear on port 443: the engines
//! carry no TLS, and the scheme stays visible in the trace. The certificate that the peer presents
//! is checked all the same, when the connection is made and before anything is sent.

use std::sync::Arc;

use bytes::Bytes;
use credsim_identity::platform::{
    BoxFuture, HttpBody, HttpClient, HttpRequest, HttpResponse, TransportError, TransportErrorKind,
};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;

use super::{instance::Instance, state::HostState, tls};
use crate::{
    engine::Work,
    http::exchange::Request,
    trace::{Facts, Fingerprint, Kind, fingerprint},
    world,
};

/// The client of one credential instance on one host.
pub(crate) struct SimHttp {
    pub instance: Instance,
}

impl HttpClient for SimHttp {
    fn send(
        &self,
        request: HttpRequest,
    ) -> BoxFuture<'static, Result<HttpResponse, TransportError>> {
        let instance = self.instance.clone();
        Box::pin(async move {
            let exchange = Exchange::begin(instance, &request);
            match exchange.instance.state.clone().exchange(request).await {
                Ok((head, body, work)) => Ok(exchange.answered(head, body, work)),
                Err(error) => Err(exchange.failed(error)),
            }
        })
    }
}

/// One exchange in the trace. Dropping it early records that the caller gave up.
struct Exchange {
    instance: Instance,
    number: u64,
    over: bool,
}

impl Exchange {
    fn begin(instance: Instance, request: &HttpRequest) -> Self {
        let number = instance.state.next_exchange();
        instance.record(Kind::RequestSent {
            instance: instance.number,
            exchange: number,
            method: request.method.as_str().into(),
            to: request.url.as_str().into(),
            key: key_of(request),
            facts: facts_of(request),
        });
        Self {
            instance,
            number,
            over: false,
        }
    }

    fn answered(self, head: http::response::Parts, body: Incoming, work: Work) -> HttpResponse {
        let headers: Vec<(String, String)> = head
            .headers
            .iter()
            .map(|(name, value)| {
                (
                    name.to_string(),
                    String::from_utf8_lossy(value.as_bytes()).into_owned(),
                )
            })
            .collect();
        let retry_after = ["retry-after-ms", "x-ms-retry-after-ms", "retry-after"]
            .iter()
            .find_map(|wanted| {
                let (name, value) = headers.iter().find(|(name, _)| name == wanted)?;
                Some(format!("{name}: {value}"))
            });
        let status = head.status.as_u16();
        self.instance.record(Kind::ResponseReceived {
            instance: self.instance.number,
            exchange: self.number,
            status,
            retry_after,
        });
        HttpResponse {
            status,
            headers,
            body: Box::new(Body {
                incoming: body,
                exchange: self,
                _connection: work,
            }),
        }
    }

    fn failed(mut self, error: TransportError) -> TransportError {
        self.end(&error.message);
        error
    }

    fn end(&mut self, how: &str) {
        if !std::mem::replace(&mut self.over, true) {
            self.instance.record(Kind::ExchangeEnded {
                instance: self.instance.number,
                exchange: self.number,
                how: how.into(),
            });
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.end("given up");
    }
}

struct Body {
    incoming: Incoming,
    exchange: Exchange,
    _connection: Work,
}

impl HttpBody for Body {
    fn chunk(&mut self) -> BoxFuture<'_, Option<Result<Bytes, TransportError>>> {
        Box::pin(async move {
            loop {
                match self.incoming.frame().await {
                    None => {
                        self.exchange.end("complete");
                        return None;
                    }
                    Some(Ok(frame)) => {
                        if let Ok(data) = frame.into_data() {
                            return Some(Ok(data));
                        }
                    }
                    Some(Err(error)) => {
                        let error = of_hyper(&error);
                        self.exchange.end(&error.message);
                        return Some(Err(error));
                    }
                }
            }
        })
    }
}

impl HostState {
    /// Sends a request and waits for the head of its answer.
    pub(crate) async fn exchange(
        self: Arc<Self>,
        request: HttpRequest,
    ) -> Result<(http::response::Parts, Incoming, Work), TransportError> {
        request.check_trust()?;
        let url = &request.url;
        let host = url.host_str().unwrap_or_default().to_owned();
        let port = url.port_or_known_default().unwrap_or(80);
        let stream = self.connect(&host, port, request.connect_limit).await?;
        if url.scheme() == "https" {
            let name = request.server_name.as_deref().unwrap_or(&host);
            let certificate = self.backend.certificate_of(&host);
            tls::check(&certificate, &request.trust, name, self.now())?;
        }
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|e| of_hyper(&e))?;
        let work = self.host.runtime.spawn(Box::pin(async move {
            // Its errors reach the caller, which waits for the answer.
            let _ = connection.await;
        }));
        let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
        let mut builder = http::Request::builder()
            .method(request.method.as_str())
            .uri(target)
            .header("host", &host);
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        let request = builder
            .body(Full::new(Bytes::from(request.body)))
            .map_err(|_| {
                TransportError::new(
                    TransportErrorKind::Protocol,
                    "the request is not valid HTTP",
                )
            })?;
        let (head, body) = sender
            .send_request(request)
            .await
            .map_err(|e| of_hyper(&e))?
            .into_parts();
        Ok((head, body, work))
    }
}

/// What makes two requests the same one. Correlation ids travel in headers, which don't count.
fn key_of(request: &HttpRequest) -> Fingerprint {
    let mut text = format!("{} {}\n", request.method.as_str(), request.url).into_bytes();
    text.extend_from_slice(&request.body);
    fingerprint(text)
}

/// What the service at the host of the URL would know of a request.
fn facts_of(request: &HttpRequest) -> Facts {
    let Ok(method) = http::Method::from_bytes(request.method.as_str().as_bytes()) else {
        return Facts::default();
    };
    let headers = request.headers.iter().filter_map(|(name, value)| {
        Some((
            http::HeaderName::from_bytes(name.as_bytes()).ok()?,
            http::HeaderValue::from_str(value).ok()?,
        ))
    });
    let host = request.url.host_str().unwrap_or_default();
    let request = Request {
        method,
        path: request.url.path().to_owned(),
        query: request.url.query().unwrap_or_default().to_owned(),
        headers: headers.collect(),
        body: Bytes::copy_from_slice(&request.body),
    };
    world::facts_of(host, &request)
}

/// Hyper's words differ between its states and versions; a trace must not.
fn of_hyper(error: &hyper::Error) -> TransportError {
    if error.is_parse() {
        TransportError::new(TransportErrorKind::Protocol, "the answer is not HTTP")
    } else {
        TransportError::new(
            TransportErrorKind::Broken,
            "the connection broke before the answer was complete",
        )
    }
}
