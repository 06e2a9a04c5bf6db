//! The HTTP server that all services share: reads a request, tells the journal, lets the faults
//! have their say, and sends the answer.

use std::{
    io::ErrorKind,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;

use super::{
    body::{Cut, Payload},
    exchange::{Answer, Endpoint, Request},
    guard::{Names, Refusal},
    real_secret, reply,
};
use crate::backend::{Backend, capture::Captured, journal::Why};
use crate::{
    engine::{BoxFuture, Host, Runtime, Server, Stream},
    fault::{
        Strike,
        effect::{FaultThen, HttpEffect, ResetWhen},
    },
    scenario::Span,
    wording::{bytes, counted},
};

/// No client of these services sends a body that comes near this.
const LONGEST_BODY: usize = 1 << 20;

/// Serves `endpoint` on a port of `host` for as long as the host is up.
async fn serve(
    backend: Backend,
    endpoint: Arc<dyn Endpoint>,
    names: Arc<Names>,
    host: Host,
    port: u16,
) {
    let mut listener = match host.network.bind(port).await {
        Ok(listener) => listener,
        Err(error) => {
            let what = format!("{} cannot listen on port {port}: {error}", endpoint.name());
            backend.record_world(host.runtime.elapsed(), what);
            return;
        }
    };
    while let Ok((stream, peer)) = listener.accept().await {
        let line = Line {
            backend: backend.clone(),
            endpoint: endpoint.clone(),
            names: names.clone(),
            runtime: host.runtime.clone(),
            peer: peer.into(),
            now: Arc::default(),
        };
        host.runtime.spawn(Box::pin(line.serve(stream))).detach();
    }
}

/// A server of `endpoint`, to be played on a host of its own, with a port. `beside`: clients
/// outside reach it at an address of loopback too, past the proxy.
pub fn server(
    backend: &Backend,
    (host, port): (&str, u16),
    beside: bool,
    endpoint: impl Endpoint,
) -> Server {
    let (backend, endpoint) = (backend.clone(), Arc::new(endpoint));
    let names = Arc::new(Names::new(host, beside));
    Server {
        host: host.to_owned(),
        port,
        main: Arc::new(move |host| -> BoxFuture<'static, ()> {
            let (backend, endpoint) = (backend.clone(), endpoint.clone());
            Box::pin(serve(backend, endpoint, names.clone(), host, port))
        }),
    }
}

/// One connection.
#[derive(Clone)]
struct Line {
    backend: Backend,
    endpoint: Arc<dyn Endpoint>,
    /// What clients outside may call it.
    names: Arc<Names>,
    runtime: Arc<dyn Runtime>,
    peer: Arc<str>,
    /// What goes on; it outlives the exchange that hyper drops when the client hangs up.
    now: Arc<Mutex<Now>>,
}

#[derive(Default)]
struct Now {
    /// The request being served.
    open: Option<u64>,
    /// The fault that struck it.
    strike: Option<Strike>,
    /// The connection must end in a reset.
    reset: bool,
}

/// How a fault lets the body of an answer leave.
enum Sending {
    /// At once.
    Whole,
    /// So many bytes of it, then the connection breaks.
    Truncated(u32),
    /// Over this time.
    Dripping(Span),
    /// Not at all: the connection is reset.
    Reset,
}

impl Line {
    async fn serve(self, stream: Stream) {
        let exchange = self.clone();
        let mut connection = http1::Builder::new()
            .auto_date_header(false)
            .title_case_headers(true)
            .header_read_timeout(None)
            .serve_connection(
                TokioIo::new(stream),
                service_fn(move |request| exchange.clone().exchange(request)),
            );
        // However it ended, the trace has it or gets it below.
        let _ = (&mut connection).await;
        let Now {
            open,
            strike,
            reset,
        } = std::mem::take(&mut *self.now());
        if let Some(request) = open {
            let fault = strike.as_ref().map(|strike| strike.fault.clone());
            let why = Why {
                fault,
                ..Why::plain("the client hung up")
            };
            self.over(request, None, why, strike);
        }
        if reset {
            connection.into_parts().io.into_inner().reset();
        }
    }

    fn now(&self) -> std::sync::MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request is over.
    fn over(&self, request: u64, status: Option<u16>, why: Why, strike: Option<Strike>) {
        let at = self.runtime.elapsed();
        self.backend
            .journal()
            .answered(at, self.endpoint.name(), request, status, why);
        if let Some(strike) = strike.filter(|strike| strike.last) {
            self.backend.retire(strike.rule, at);
        }
    }

    async fn exchange(
        self,
        request: http::Request<Incoming>,
    ) -> Result<http::Response<Payload>, Cut> {
        let request = self.whole(request).await?;
        let refusal = self.refusal(&request);
        if let Some(misdirected) = self.misdirected(refusal.as_ref()) {
            return Ok(misdirected);
        }
        let (name, recorded) = (self.endpoint.name(), self.endpoint.record(&request));
        self.backend.capture(|| Captured::request(name, &request));
        let arrived = self.runtime.elapsed();
        let number = self
            .backend
            .journal()
            .arrived(arrived, name, &self.peer, &recorded);
        if self.backend.is_open()
            && let Some(what) = real_secret::in_request(&self.backend, &request)
        {
            self.backend.warn_of_real_secret(arrived, name, what);
        }
        if let Some(refusal) = refusal {
            let answer = refusal.answer();
            self.over(
                number,
                Some(answer.status.as_u16()),
                answer.why.clone(),
                None,
            );
            return Ok(respond_with(answer));
        }
        let strike = self.backend.strike(&recorded.facts, arrived);
        *self.now() = Now {
            open: Some(number),
            strike: strike.clone(),
            reset: false,
        };

        let served = self
            .serve_one(&request, strike.as_ref().map(|strike| &strike.then))
            .await;
        let fault = strike.as_ref().map(|strike| strike.fault.clone());
        let served = served.map_err(|why| Why {
            fault: fault.clone(),
            ..why
        });
        *self.now() = Now {
            reset: served.is_err(),
            ..Now::default()
        };
        match served {
            Ok((answer, payload)) => {
                let why = Why {
                    fault,
                    ..answer.why
                };
                self.over(number, Some(answer.status.as_u16()), why, strike);
                Ok(respond(answer.status, answer.headers, payload))
            }
            Err(why) => {
                self.over(number, None, why, strike);
                Err(Cut)
            }
        }
    }

    /// Records why the body of a request can't be read, unless the client just left.
    fn unreadable(&self, error: &(dyn std::error::Error + 'static)) -> Cut {
        let why = if error.is::<LengthLimitError>() {
            Some(format!(
                "its body is larger than {}",
                bytes(LONGEST_BODY as u64)
            ))
        } else {
            let http = error.downcast_ref::<hyper::Error>();
            // A connection that ends early leaves its message incomplete.
            let is_broken = |error: &&hyper::Error| !error.is_incomplete_message();
            let cause = http.filter(is_broken).and_then(std::error::Error::source);
            let is_invalid = |cause: &&(dyn std::error::Error + 'static)| {
                let io = cause.downcast_ref::<std::io::Error>();
                io.is_some_and(|io| {
                    matches!(io.kind(), ErrorKind::InvalidInput | ErrorKind::InvalidData)
                })
            };
            cause
                .filter(is_invalid)
                .map(|cause| format!("its body cannot be read: {cause}"))
        };
        if let Some(why) = why {
            let at = self.runtime.elapsed();
            self.backend.request_refused(at, &why);
        }
        Cut
    }

    /// A request, read to its end.
    async fn whole(&self, request: http::Request<Incoming>) -> Result<Request, Cut> {
        let (head, body) = request.into_parts();
        let body = Limited::new(body, LONGEST_BODY)
            .collect()
            .await
            .map_err(|error| self.unreadable(&*error))?
            .to_bytes();
        Ok(Request {
            method: head.method,
            path: head.uri.path().to_owned(),
            query: head.uri.query().unwrap_or_default().to_owned(),
            headers: head.headers,
            body,
        })
    }

    /// Why a request of a process outside is not served, if so.
    fn refusal(&self, request: &Request) -> Option<Refusal> {
        if !self.backend.is_open() {
            return None;
        }
        self.names.refusal(request, self.endpoint.refuses_pages())
    }

    /// The answer to a request that is for another host, which is no request to this service.
    fn misdirected(&self, refusal: Option<&Refusal>) -> Option<http::Response<Payload>> {
        let refusal = refusal?;
        let at = self.runtime.elapsed();
        match refusal {
            Refusal::Misdirected(host) => self.backend.host_refused(at, host.clone()),
            Refusal::WithoutHost => self
                .backend
                .request_refused(at, "it does not name one host"),
            Refusal::Foreign => return None,
        }
        Some(respond_with(refusal.answer()))
    }

    /// The answer and how its body is sent, or why the connection is reset instead.
    async fn serve_one(
        &self,
        request: &Request,
        then: Option<&FaultThen>,
    ) -> Result<(Answer, Payload), Why> {
        let mut reply = None;
        let mut sending = Sending::Whole;
        match then.and_then(FaultThen::on_http) {
            Some(HttpEffect::Hang) => std::future::pending().await,
            Some(HttpEffect::Reset(ResetWhen::Before)) => {
                return Err(Why::plain(
                    "the connection is reset before the request is processed",
                ));
            }
            Some(HttpEffect::Reset(ResetWhen::After)) => sending = Sending::Reset,
            Some(HttpEffect::Delay(by)) => {
                let by = self
                    .backend
                    .draw(&format!("{} delay", self.endpoint.name()), by);
                self.runtime.sleep(by).await;
            }
            Some(HttpEffect::Reply(wanted)) => reply = Some(wanted),
            Some(HttpEffect::Truncate(after)) => sending = Sending::Truncated(after),
            Some(HttpEffect::Drip(over)) => sending = Sending::Dripping(over),
            None => {}
        }
        self.take_time().await;
        let at = self.runtime.elapsed();
        let mut answer = match reply {
            Some(wanted) => reply::reply(&self.backend, &*self.endpoint, request, wanted, at),
            None => self.endpoint.answer(&self.backend, request, at),
        };
        if let Ok(date) = HeaderValue::from_str(&reply::http_date(self.backend.time(at))) {
            answer.headers.insert(header::DATE, date);
        }
        let body = answer.body.clone();
        let payload = match sending {
            Sending::Reset => {
                answer
                    .why
                    .why
                    .push_str("; the connection is reset before the answer leaves");
                return Err(answer.why);
            }
            Sending::Truncated(after) => {
                let cut = format!("; cut after {}", counted(after, "byte"));
                answer.why.why.push_str(&cut);
                Payload::truncated(body, after)
            }
            Sending::Dripping(over) => {
                let drips = format!("; dripping over {over}");
                answer.why.why.push_str(&drips);
                Payload::dripping(body, over.0, self.runtime.clone())
            }
            Sending::Whole => Payload::whole(body),
        };
        Ok((answer, payload))
    }

    /// The service's own latency.
    async fn take_time(&self) {
        let Some(takes) = self.endpoint.takes(&self.backend) else {
            return;
        };
        let time = self
            .backend
            .draw(&format!("{} takes", self.endpoint.name()), takes);
        if time > Duration::ZERO {
            self.runtime.sleep(time).await;
        }
    }
}

fn respond_with(answer: Answer) -> http::Response<Payload> {
    respond(answer.status, answer.headers, Payload::whole(answer.body))
}

fn respond(status: StatusCode, headers: HeaderMap, payload: Payload) -> http::Response<Payload> {
    let mut response = http::Response::new(payload);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}
