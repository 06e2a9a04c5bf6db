//! What a host lends to a credential: clock, HTTP client, commands, environment, files, random
//! numbers, a place to run background work, byte streams, loopback ports, a browser, a look at
//! other processes, and a secret store.
//!
//! Nothing in this crate reaches around a [`Platform`]. [`Platform::system`] is the real machine;
//! a simulator makes one platform per simulated host. Its parts are public, so that a test replaces
//! the one that it is about:
//!
//! ```
//! use std::sync::Arc;
//! use credsim_identity::{EnvironmentCredential, ErrorKind, Platform, TokenCredential, TokenRequest};
//! use credsim_identity::platform::Environment;
//!
//! /// An environment without variables.
//! struct Empty;
//!
//! impl Environment for Empty {
//!     fn var(&self, _: &str) -> Option<String> {
//!         None
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), credsim_identity::Error> {
//! let mut platform = Platform::system();
//! platform.environment = Arc::new(Empty);
//! let credential = EnvironmentCredential::builder().platform(platform).build()?;
//! let request = TokenRequest::new(["https://vault.azure.net/.default"]);
//! let error = credential.get_token(&request).await.unwrap_err();
//! assert_eq!(error.kind(), ErrorKind::Unavailable);
//! assert!(error.message().contains("AZURE_CLIENT_ID"));
//! # Ok(())
//! # }
//! ```

mod browser;
mod clock;
mod files;
mod http;
mod loopback;
mod processes;
mod secrets;
mod streams;
pub mod system;
mod trust;
mod unavailable;

use std::{fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

pub use browser::{Browser, BrowserError};
pub use clock::{Clock, Reading};
pub(crate) use clock::{nanoseconds, wall_nanoseconds};
pub use files::{FileKind, FileLock, Files, LockKind, Metadata};
pub use http::{
    HttpBody, HttpClient, HttpRequest, HttpResponse, Method, TransportError, TransportErrorKind,
};
pub use loopback::{Loopback, LoopbackListener};
pub use processes::{Liveness, Processes};
pub use secrets::{Secret, SecretName, SecretServiceItem, Secrets, SecretsError, SecretsErrorKind};
pub use streams::{ByteStream, ByteStreams, ReadWrite};
pub use trust::{Authorities, Trust, TrustError};

/// A boxed future that may move between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Everything a credential may use of its host. Cheap to clone; clones are the same host.
#[derive(Clone)]
#[non_exhaustive]
pub struct Platform {
    /// Wall time, monotonic time, the local zone, sleep.
    pub clock: Arc<dyn Clock>,
    /// HTTP requests.
    pub http: Arc<dyn HttpClient>,
    /// Other programs (`az`, `azd`, `pwsh`).
    pub commands: Arc<dyn CommandRunner>,
    /// Environment variables.
    pub environment: Arc<dyn Environment>,
    /// Files.
    pub files: Arc<dyn Files>,
    /// Random numbers, keyed by purpose.
    pub random: Arc<dyn Random>,
    /// Background work.
    pub spawner: Arc<dyn Spawner>,
    /// Connections of bytes.
    pub streams: Arc<dyn ByteStreams>,
    /// Ports of 127.0.0.1, for redirects.
    pub loopback: Arc<dyn Loopback>,
    /// The person's browser.
    pub browser: Arc<dyn Browser>,
    /// Other processes.
    pub processes: Arc<dyn Processes>,
    /// The person's secret store.
    pub secrets: Arc<dyn Secrets>,
}

/// The parts of a [`Platform`], by name. [`Parts::bare`] fills in those that a host does not lend.
pub struct Parts {
    /// See [`Platform::clock`].
    pub clock: Arc<dyn Clock>,
    /// See [`Platform::http`].
    pub http: Arc<dyn HttpClient>,
    /// See [`Platform::commands`].
    pub commands: Arc<dyn CommandRunner>,
    /// See [`Platform::environment`].
    pub environment: Arc<dyn Environment>,
    /// See [`Platform::files`].
    pub files: Arc<dyn Files>,
    /// See [`Platform::random`].
    pub random: Arc<dyn Random>,
    /// See [`Platform::spawner`].
    pub spawner: Arc<dyn Spawner>,
    /// See [`Platform::streams`].
    pub streams: Arc<dyn ByteStreams>,
    /// See [`Platform::loopback`].
    pub loopback: Arc<dyn Loopback>,
    /// See [`Platform::browser`].
    pub browser: Arc<dyn Browser>,
    /// See [`Platform::processes`].
    pub processes: Arc<dyn Processes>,
    /// See [`Platform::secrets`].
    pub secrets: Arc<dyn Secrets>,
}

impl Platform {
    /// A platform from its parts.
    pub fn new(parts: Parts) -> Self {
        let Parts {
            clock,
            http,
            commands,
            environment,
            files,
            random,
            spawner,
            streams,
            loopback,
            browser,
            processes,
            secrets,
        } = parts;
        Self {
            clock,
            http,
            commands,
            environment,
            files,
            random,
            spawner,
            streams,
            loopback,
            browser,
            processes,
            secrets,
        }
    }

    /// The real machine. Must be used inside a tokio runtime.
    pub fn system() -> Self {
        system::platform()
    }

    /// Runs `work`, but no longer than `limit`: `None` when the limit came first. `work` is
    /// dropped then.
    pub async fn within<T>(&self, limit: Duration, work: impl Future<Output = T>) -> Option<T> {
        // Biased: an answer that arrives together with the limit is an answer.
        tokio::select! { biased;
            done = work => Some(done),
            () = self.clock.sleep(limit) => None,
        }
    }
}

impl Default for Platform {
    fn default() -> Self {
        Self::system()
    }
}

impl fmt::Debug for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Platform")
    }
}

/// Runs another program.
pub trait CommandRunner: Send + Sync + 'static {
    /// Starts `command` with closed standard input and waits for its end. Dropping the future
    /// kills the process and, except on Windows, its children.
    fn run(&self, command: Command) -> BoxFuture<'static, Result<CommandOutput, CommandError>>;
}

/// A program to run, found on the PATH. No shell is involved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The program's name without folder or suffix, such as `az`.
    pub program: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// Variables set in addition to the host's own.
    pub env: Vec<(String, String)>,
}

/// What a program left when it ended. `Debug` shows no content: standard output holds tokens.
#[derive(Clone, PartialEq, Eq)]
pub struct CommandOutput {
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Everything written to standard output.
    pub stdout: Vec<u8>,
    /// Everything written to standard error.
    pub stderr: Vec<u8>,
}

impl fmt::Debug for CommandOutput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CommandOutput")
            .field("code", &self.code)
            .field("stdout", &format_args!("{} bytes", self.stdout.len()))
            .field("stderr", &format_args!("{} bytes", self.stderr.len()))
            .finish()
    }
}

/// Why a program could not be run at all.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CommandError {
    /// There is no such program on the PATH.
    NotFound,
    /// It exists and could not be started.
    Start(String),
    /// It was started, and what it printed could not be taken.
    Output(String),
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("there is no such program"),
            Self::Start(why) => write!(f, "it cannot be started: {why}"),
            Self::Output(why) => write!(f, "its output cannot be read: {why}"),
        }
    }
}

impl std::error::Error for CommandError {}

/// Environment variables.
pub trait Environment: Send + Sync + 'static {
    /// The value of `name`; `None` when it is not set or not Unicode. An empty value is a value.
    fn var(&self, name: &str) -> Option<String>;
}

impl dyn Environment {
    /// The value of `name`; `None` when it is not set, not Unicode or empty, which every credential
    /// takes for not set (MI-04 shows what happens otherwise).
    pub fn non_empty(&self, name: &str) -> Option<String> {
        self.var(name).filter(|value| !value.is_empty())
    }
}

/// Random numbers.
pub trait Random: Send + Sync + 'static {
    /// The next number of the stream that belongs to `purpose`. Streams are independent: one more
    /// draw for one purpose shifts no other.
    fn next(&self, purpose: &str) -> u64;
}

impl dyn Random {
    /// A number in `[0, 1)` from the stream of `purpose`.
    pub fn unit(&self, purpose: &str) -> f64 {
        // 53 bits are what an f64 holds exactly.
        (self.next(purpose) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A random (version 4) UUID in its usual text form.
    pub fn uuid(&self, purpose: &str) -> String {
        let (high, low) = (self.next(purpose), self.next(purpose));
        let high = (high & !0xf000) | 0x4000;
        let low = (low & !(0b11 << 62)) | (0b10 << 62);
        format!(
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xffff,
            low >> 48,
            low & 0xffff_ffff_ffff
        )
    }
}

/// Starts background work.
pub trait Spawner: Send + Sync + 'static {
    /// Runs `work` until it ends, its handle is dropped, or its host goes down.
    fn spawn(&self, work: BoxFuture<'static, ()>) -> TaskHandle;
}

/// Owns a piece of background work: dropping it ends the work.
#[must_use = "dropping the handle ends the work"]
pub struct TaskHandle(Option<Box<dyn FnOnce() + Send + Sync>>);

impl TaskHandle {
    /// A handle that calls `stop` when it is dropped.
    pub fn new(stop: impl FnOnce() + Send + Sync + 'static) -> Self {
        Self(Some(Box::new(stop)))
    }
}

impl Drop for TaskHandle {
    fn drop(&mut self) {
        if let Some(stop) = self.0.take() {
            stop();
        }
    }
}

impl fmt::Debug for TaskHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TaskHandle")
    }
}
