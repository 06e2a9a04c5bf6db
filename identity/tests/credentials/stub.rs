//! A host made of closures.

use std::{
    collections::BTreeMap,
    io,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use credsim_identity::{
    Error, TokenCredential, TokenRequest,
    chain::{ChainRecord, IdentityChange, Observer},
    platform::{
        BoxFuture, ByteStream, ByteStreams, Clock, Command, CommandError, CommandOutput,
        CommandRunner, Environment, Files, HttpBody, HttpClient, HttpRequest, HttpResponse, Parts,
        Platform, Random, Spawner, TaskHandle, TransportError, TransportErrorKind,
    },
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use tokio::time::Instant;

/// The moment at which every test starts.
pub const START: &str = "2026-01-01T00:00:00Z";
pub const SCOPE: &str = "https://vault.azure.net/.default";

pub fn start() -> Timestamp {
    START.parse().unwrap()
}

pub fn request() -> TokenRequest {
    TokenRequest::new([SCOPE])
}

/// A token of `oid`, unsigned.
pub fn jwt(oid: &str) -> String {
    jwt_in(oid, "t")
}

pub fn jwt_in(oid: &str, tenant: &str) -> String {
    let claims = format!(r#"{{"oid":"{oid}","tid":"{tenant}"}}"#);
    format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))
}

/// What a request meets.
#[derive(Clone)]
pub enum Answer {
    Reply(u16, &'static [(&'static str, &'static str)], String),
    Fails(TransportErrorKind),
    Hangs,
}

pub fn reply(status: u16, body: impl Into<String>) -> Answer {
    Answer::Reply(status, &[], body.into())
}

/// A good answer of IMDS; `life` in seconds.
pub fn imds_token(oid: &str, life: i64) -> Answer {
    let expires_on = start().as_second() + life;
    reply(
        200,
        format!(
            r#"{{"access_token":"{}","expires_in":"{life}","expires_on":"{expires_on}",
            "resource":"https://vault.azure.net","token_type":"Bearer"}}"#,
            jwt(oid)
        ),
    )
}

/// What `az` prints when all is well.
pub fn az_token(oid: &str, life: i64) -> Result<CommandOutput, CommandError> {
    let expires_on = start().as_second() + life;
    printed(&format!(
        r#"{{"accessToken":"{}","expires_on":{expires_on}}}"#,
        jwt(oid)
    ))
}

pub fn printed(stdout: &str) -> Result<CommandOutput, CommandError> {
    Ok(CommandOutput {
        code: Some(0),
        stdout: stdout.into(),
        stderr: Vec::new(),
    })
}

pub fn complained(stderr: &str) -> Result<CommandOutput, CommandError> {
    Ok(CommandOutput {
        code: Some(1),
        stdout: Vec::new(),
        stderr: stderr.into(),
    })
}

type OnHttp = Box<dyn FnMut(&HttpRequest) -> Answer + Send>;
type OnCommand = Box<dyn FnMut(&Command) -> Result<CommandOutput, CommandError> + Send>;

/// The host and what was seen of it.
pub struct Stub {
    origin: Instant,
    vars: Mutex<BTreeMap<String, String>>,
    files: Mutex<BTreeMap<String, String>>,
    zone: Mutex<TimeZone>,
    /// How far the wall clock has been set from where it would be.
    pub clock_set_by: Mutex<SignedDuration>,
    on_http: Mutex<OnHttp>,
    on_command: Mutex<OnCommand>,
    pub command_takes: Mutex<Duration>,
    pub requests: Mutex<Vec<(Duration, HttpRequest)>>,
    pub commands: Mutex<Vec<Command>>,
    drawn: Mutex<u64>,
}

impl Stub {
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            origin: Instant::now(),
            vars: Mutex::default(),
            files: Mutex::default(),
            zone: Mutex::new(TimeZone::UTC),
            clock_set_by: Mutex::default(),
            on_http: Mutex::new(Box::new(|_| Answer::Fails(TransportErrorKind::Unreachable))),
            on_command: Mutex::new(Box::new(|_| Err(CommandError::NotFound))),
            command_takes: Mutex::new(Duration::from_secs(1)),
            requests: Mutex::default(),
            commands: Mutex::default(),
            drawn: Mutex::new(0),
        })
    }

    pub fn var(self: Arc<Self>, name: &str, value: &str) -> Arc<Self> {
        self.vars
            .lock()
            .unwrap()
            .insert(name.to_owned(), value.to_owned());
        self
    }

    /// Puts a file there.
    pub fn file(self: Arc<Self>, path: &str, content: &str) -> Arc<Self> {
        let mut files = self.files.lock().unwrap();
        files.insert(path.to_owned(), content.to_owned());
        drop(files);
        self
    }

    pub fn zone(self: Arc<Self>, name: &str) -> Arc<Self> {
        *self.zone.lock().unwrap() = TimeZone::get(name).unwrap();
        self
    }

    pub fn on_http(&self, answer: impl FnMut(&HttpRequest) -> Answer + Send + 'static) {
        *self.on_http.lock().unwrap() = Box::new(answer);
    }

    pub fn on_command(
        &self,
        answer: impl FnMut(&Command) -> Result<CommandOutput, CommandError> + Send + 'static,
    ) {
        *self.on_command.lock().unwrap() = Box::new(answer);
    }

    pub fn platform(self: &Arc<Self>) -> Platform {
        let host = || Host(Arc::clone(self));
        let parts = Parts::bare(Arc::new(host()), Arc::new(host()), Arc::new(host()));
        Platform::new(Parts {
            http: Arc::new(host()),
            commands: Arc::new(host()),
            environment: Arc::new(host()),
            files: Arc::new(host()),
            streams: Arc::new(host()),
            ..parts
        })
    }

    /// The URLs that were asked for.
    pub fn urls(&self) -> Vec<String> {
        self.requests
            .lock()
            .unwrap()
            .iter()
            .map(|(_, r)| r.url.to_string())
            .collect()
    }

    /// The lines of the commands that were run.
    pub fn lines(&self) -> Vec<String> {
        let commands = self.commands.lock().unwrap();
        commands
            .iter()
            .map(|c| format!("{} {}", c.program, c.args.join(" ")))
            .collect()
    }
}

pub struct Host(Arc<Stub>);

impl Clock for Host {
    fn now(&self) -> Timestamp {
        start() + self.0.origin.elapsed() + *self.0.clock_set_by.lock().unwrap()
    }
    fn monotonic(&self) -> Duration {
        self.0.origin.elapsed()
    }
    fn local_zone(&self) -> TimeZone {
        self.0.zone.lock().unwrap().clone()
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
        let stub = Arc::clone(&self.0);
        Box::pin(async move {
            let at = stub.origin.elapsed();
            let answer = (stub.on_http.lock().unwrap())(&request);
            stub.requests.lock().unwrap().push((at, request));
            match answer {
                Answer::Reply(status, headers, body) => Ok(HttpResponse {
                    status,
                    headers: headers.iter().map(|&(n, v)| (n.into(), v.into())).collect(),
                    body: Box::new(Whole(Some(body.into()))),
                }),
                Answer::Fails(kind) => Err(TransportError::new(kind, "as the test says")),
                Answer::Hangs => std::future::pending().await,
            }
        })
    }
}

struct Whole(Option<Bytes>);

impl HttpBody for Whole {
    fn chunk(&mut self) -> BoxFuture<'_, Option<Result<Bytes, TransportError>>> {
        Box::pin(async { self.0.take().map(Ok) })
    }
}

impl CommandRunner for Host {
    fn run(&self, command: Command) -> BoxFuture<'static, Result<CommandOutput, CommandError>> {
        let stub = Arc::clone(&self.0);
        Box::pin(async move {
            let takes = *stub.command_takes.lock().unwrap();
            stub.commands.lock().unwrap().push(command.clone());
            tokio::time::sleep(takes).await;
            (stub.on_command.lock().unwrap())(&command)
        })
    }
}

impl Environment for Host {
    fn var(&self, name: &str) -> Option<String> {
        self.0.vars.lock().unwrap().get(name).cloned()
    }
}

impl Files for Host {
    fn exists(&self, path: &Path) -> bool {
        self.0
            .vars
            .lock()
            .unwrap()
            .contains_key(&path.display().to_string())
    }
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let files = self.0.files.lock().unwrap();
        let file = files.get(&path.display().to_string());
        file.map(|text| text.clone().into_bytes())
            .ok_or(io::ErrorKind::NotFound.into())
    }
    fn load_limited(&self, path: &Path, _: u64) -> BoxFuture<'static, io::Result<Vec<u8>>> {
        let read = Files::read(self, path);
        Box::pin(async { read })
    }
}

impl Random for Host {
    fn next(&self, _: &str) -> u64 {
        let mut drawn = self.0.drawn.lock().unwrap();
        *drawn = drawn.wrapping_add(0x9e37_79b9_7f4a_7c15);
        *drawn
    }
}

impl ByteStreams for Host {
    fn connect(&self, _: &str, _: u16) -> BoxFuture<'static, io::Result<ByteStream>> {
        Box::pin(async { Err(io::ErrorKind::ConnectionRefused.into()) })
    }
}

impl Spawner for Host {
    fn spawn(&self, work: BoxFuture<'static, ()>) -> TaskHandle {
        let task = tokio::spawn(work);
        TaskHandle::new(move || task.abort())
    }
}

/// Records what an observer is notified of.
#[derive(Default)]
pub struct Notes(pub Mutex<Vec<String>>);

impl Notes {
    pub fn taken(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Observer for Notes {
    fn answered(&self, record: &ChainRecord) {
        let last = record.tried.last().unwrap();
        self.0
            .lock()
            .unwrap()
            .push(format!("answered {}", last.credential));
    }
    fn failed(&self, record: &ChainRecord) {
        self.0
            .lock()
            .unwrap()
            .push(format!("failed after {}", record.tried.len()));
    }
    fn identity_changed(&self, change: &IdentityChange) {
        let refused = if change.refused { " (refused)" } else { "" };
        self.0
            .lock()
            .unwrap()
            .push(format!("changed {} -> {}{refused}", change.from, change.to));
    }
}

/// Asks once and expects an error.
pub async fn failure(credential: &dyn TokenCredential) -> Error {
    credential
        .get_token(&request())
        .await
        .expect_err("a token came")
}
