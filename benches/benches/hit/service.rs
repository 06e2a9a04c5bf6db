//! The token endpoint behind the credentials: in this process, without sockets. It counts requests.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use azure_core::http::{AsyncRawResponse, HttpClient as TheirClient, Request, headers::Headers};
use bytes::Bytes;
use credsim_identity::{
    Platform,
    platform::{BoxFuture, HttpBody, HttpClient, HttpRequest, HttpResponse, TransportError},
};

/// The length of every token: that of one from Entra ID with a few groups in it.
pub const LENGTH: usize = 1_600;

pub const TENANT: &str = "00000000-0000-0000-0000-00000000000a";
pub const CLIENT: &str = "00000000-0000-0000-0000-00000000000b";
pub const SECRET: &str = "a secret that is not checked";
pub const SCOPE: &str = "https://vault.azure.net/.default";
pub const OTHER_SCOPE: &str = "https://storage.azure.com/.default";

/// A token endpoint that answers after a delay, or never, and counts requests.
#[derive(Clone)]
pub struct Service(Arc<Inner>);

struct Inner {
    asked: AtomicUsize,
    plan: Mutex<Plan>,
}

#[derive(Clone, Copy)]
struct Plan {
    takes: Duration,
    life: u64,
    /// Requests for this scope are never answered.
    hangs_for: Option<&'static str>,
}

impl Service {
    /// Answers at once, with tokens of a day.
    pub fn new() -> Self {
        Self(Arc::new(Inner {
            asked: AtomicUsize::new(0),
            plan: Mutex::new(Plan {
                takes: Duration::ZERO,
                life: 86_400,
                hangs_for: None,
            }),
        }))
    }

    fn change(&self, change: impl FnOnce(&mut Plan)) {
        change(&mut self.0.plan.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub fn takes(&self, takes: Duration) {
        self.change(|plan| plan.takes = takes);
    }

    pub fn lives(&self, seconds: u64) {
        self.change(|plan| plan.life = seconds);
    }

    pub fn hangs_for(&self, scope: &'static str) {
        self.change(|plan| plan.hangs_for = Some(scope));
    }

    pub fn asked(&self) -> usize {
        self.0.asked.load(Relaxed)
    }

    async fn answer(&self, body: &[u8]) -> String {
        self.0.asked.fetch_add(1, Relaxed);
        let plan = *self.0.plan.lock().unwrap_or_else(PoisonError::into_inner);
        let wants = |scope: &str| {
            let scope: String = url::form_urlencoded::byte_serialize(scope.as_bytes()).collect();
            body.windows(scope.len())
                .any(|window| window == scope.as_bytes())
        };
        if plan.hangs_for.is_some_and(wants) {
            std::future::pending::<()>().await;
        }
        if !plan.takes.is_zero() {
            tokio::time::sleep(plan.takes).await;
        }
        let (life, token) = (plan.life, "e".repeat(LENGTH));
        format!(
            r#"{{"token_type":"Bearer","expires_in":{life},"ext_expires_in":{life},"access_token":"{token}"}}"#
        )
    }

    /// The platform of this machine, with this service instead of the network.
    pub fn platform(&self) -> Platform {
        let mut platform = Platform::system();
        platform.http = Arc::new(self.clone());
        platform.environment = Arc::new(Empty);
        platform
    }
}

/// No variables.
struct Empty;

impl credsim_identity::platform::Environment for Empty {
    fn var(&self, _: &str) -> Option<String> {
        None
    }
}

impl HttpClient for Service {
    fn send(
        &self,
        request: HttpRequest,
    ) -> BoxFuture<'static, Result<HttpResponse, TransportError>> {
        let this = self.clone();
        Box::pin(async move {
            let body = this.answer(&request.body).await;
            Ok(HttpResponse {
                status: 200,
                headers: vec![("content-type".to_owned(), "application/json".to_owned())],
                body: Box::new(Whole(Some(body.into()))),
            })
        })
    }
}

struct Whole(Option<Bytes>);

impl HttpBody for Whole {
    fn chunk(&mut self) -> BoxFuture<'_, Option<Result<Bytes, TransportError>>> {
        Box::pin(async { self.0.take().map(Ok) })
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Service")
    }
}

#[async_trait::async_trait]
impl TheirClient for Service {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let body = match request.body() {
            azure_core::http::request::Body::Bytes(bytes) => bytes.to_vec(),
            azure_core::http::request::Body::SeekableStream(_) => Vec::new(),
        };
        let body = self.answer(&body).await;
        Ok(AsyncRawResponse::from_bytes(
            200.into(),
            Headers::new(),
            body,
        ))
    }
}
