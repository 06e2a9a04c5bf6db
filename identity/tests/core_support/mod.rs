//! A host for tests: tokio's paused clock, a wall clock that can be stepped, scripted HTTP, a
//! random number that is always the same, and a source of tokens that counts.
#![allow(
    dead_code,
    unused_imports,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "test support: each test file uses a part, and this implements the platform"
)]

mod source;

pub use source::{Source, jwt, jwt_with};

use std::{
    collections::VecDeque,
    io,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use credsim_identity::{
    Platform,
    platform::{
        BoxFuture, ByteStream, ByteStreams, Clock, Command, CommandError, CommandOutput,
        CommandRunner, Environment, Files, HttpBody, HttpClient, HttpRequest, HttpResponse, Parts,
        Random, Spawner, TaskHandle, TransportError, TransportErrorKind,
    },
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use tokio::time::Instant;
use tracing::Instrument as _;

pub const SECOND: Duration = Duration::from_secs(1);
pub const MINUTE: Duration = Duration::from_secs(60);
pub const HOUR: Duration = Duration::from_secs(3600);

/// One test host. Make it inside the runtime: its time starts then.
#[derive(Clone)]
pub struct Host(Arc<Inner>);

struct Inner {
    origin: Instant,
    stepped: Mutex<SignedDuration>,
    slept: Mutex<Duration>,
    unit: f64,
    script: Mutex<VecDeque<Exchange>>,
    requests: Mutex<Vec<(Duration, HttpRequest)>>,
    purposes: Mutex<Vec<String>>,
}

/// What happens to one request.
#[derive(Clone)]
pub enum Exchange {
    Answer {
        status: u16,
        headers: Vec<(String, String)>,
        body: Vec<Chunk>,
    },
    Error(TransportErrorKind),
    Hang,
}

#[derive(Clone)]
pub enum Chunk {
    Bytes(Vec<u8>),
    Pause(Duration),
    Break,
}

pub fn status(status: u16) -> Exchange {
    Exchange::Answer {
        status,
        headers: Vec::new(),
        body: vec![Chunk::Bytes(b"{}".to_vec())],
    }
}

pub fn status_with(status: u16, name: &str, value: &str) -> Exchange {
    let headers = vec![(name.to_owned(), value.to_owned())];
    Exchange::Answer {
        status,
        headers,
        body: Vec::new(),
    }
}

impl Host {
    /// A host whose every random number in [0, 1) is `unit`: 0.5 is a jitter of exactly 1.
    pub fn new(unit: f64) -> Self {
        Self(Arc::new(Inner {
            origin: Instant::now(),
            stepped: Mutex::default(),
            slept: Mutex::default(),
            unit,
            script: Mutex::default(),
            requests: Mutex::default(),
            purposes: Mutex::default(),
        }))
    }

    /// The exchanges to come; the last one repeats.
    pub fn script(&self, exchanges: impl IntoIterator<Item = Exchange>) {
        *self.0.script.lock().unwrap() = exchanges.into_iter().collect();
    }

    pub fn platform(&self) -> Platform {
        let this = Arc::new(self.clone());
        Platform::new(Parts {
            http: this.clone(),
            commands: this.clone(),
            environment: this.clone(),
            files: this.clone(),
            streams: this.clone(),
            ..Parts::bare(this.clone(), this.clone(), this)
        })
    }

    pub fn elapsed(&self) -> Duration {
        self.0.origin.elapsed()
    }

    /// When requests were sent.
    pub fn times(&self) -> Vec<Duration> {
        self.0
            .requests
            .lock()
            .unwrap()
            .iter()
            .map(|(at, _)| *at)
            .collect()
    }

    pub fn requests(&self) -> Vec<HttpRequest> {
        self.0
            .requests
            .lock()
            .unwrap()
            .iter()
            .map(|(_, request)| request.clone())
            .collect()
    }

    pub fn purposes(&self) -> Vec<String> {
        self.0.purposes.lock().unwrap().clone()
    }

    /// Steps the wall clock.
    pub fn step(&self, by: SignedDuration) {
        *self.0.stepped.lock().unwrap() += by;
    }

    /// The host sleeps: its monotonic clock does not see `duration`, its wall clock does.
    pub async fn suspend(&self, duration: Duration) {
        *self.0.slept.lock().unwrap() += duration;
        tokio::time::sleep(duration).await;
    }

    pub async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

impl Clock for Host {
    fn now(&self) -> Timestamp {
        let elapsed = SignedDuration::try_from(self.elapsed()).unwrap();
        Timestamp::from_second(1_767_225_600).unwrap() + elapsed + *self.0.stepped.lock().unwrap()
    }
    fn monotonic(&self) -> Duration {
        self.elapsed().saturating_sub(*self.0.slept.lock().unwrap())
    }
    fn local_zone(&self) -> TimeZone {
        TimeZone::UTC
    }
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

impl HttpClient for Host {
    fn send(
        &self,
        request: HttpRequest,
    ) -> BoxFuture<'static, Result<HttpResponse, TransportError>> {
        self.0
            .requests
            .lock()
            .unwrap()
            .push((self.elapsed(), request));
        let mut script = self.0.script.lock().unwrap();
        let exchange = if script.len() > 1 {
            script.pop_front()
        } else {
            script.front().cloned()
        };
        Box::pin(async move {
            match exchange.unwrap() {
                Exchange::Answer {
                    status,
                    headers,
                    body,
                } => Ok(HttpResponse {
                    status,
                    headers,
                    body: Box::new(Body(body.into())),
                }),
                Exchange::Error(kind) => Err(TransportError::new(kind, "scripted")),
                Exchange::Hang => std::future::pending().await,
            }
        })
    }
}

struct Body(VecDeque<Chunk>);

impl HttpBody for Body {
    fn chunk(&mut self) -> BoxFuture<'_, Option<Result<Bytes, TransportError>>> {
        Box::pin(async {
            loop {
                match self.0.pop_front()? {
                    Chunk::Bytes(bytes) => return Some(Ok(bytes.into())),
                    Chunk::Pause(duration) => tokio::time::sleep(duration).await,
                    Chunk::Break => {
                        let error = TransportError::new(TransportErrorKind::Broken, "scripted");
                        return Some(Err(error));
                    }
                }
            }
        })
    }
}

impl Random for Host {
    fn next(&self, purpose: &str) -> u64 {
        self.0.purposes.lock().unwrap().push(purpose.to_owned());
        ((self.0.unit * (1_u64 << 53) as f64) as u64) << 11
    }
}

impl ByteStreams for Host {
    fn connect(&self, _: &str, _: u16) -> BoxFuture<'static, io::Result<ByteStream>> {
        Box::pin(async { Err(io::ErrorKind::ConnectionRefused.into()) })
    }
}

impl Spawner for Host {
    fn spawn(&self, work: BoxFuture<'static, ()>) -> TaskHandle {
        // In the test's span, by which `logs_contain` finds what belongs to it.
        let task = tokio::spawn(work.in_current_span());
        TaskHandle::new(move || task.abort())
    }
}

impl CommandRunner for Host {
    fn run(&self, _: Command) -> BoxFuture<'static, Result<CommandOutput, CommandError>> {
        Box::pin(async { Err(CommandError::NotFound) })
    }
}

impl Environment for Host {
    fn var(&self, _: &str) -> Option<String> {
        None
    }
}

impl Files for Host {
    fn exists(&self, _: &Path) -> bool {
        false
    }
    fn read(&self, _: &Path) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::NotFound.into())
    }
}
