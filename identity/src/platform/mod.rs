//! The functions of a host that credentials use: clock, HTTP client, commands, environment
//! variables, files, random numbers, background tasks, connections, loopback ports, a browser,
//! other processes and a secret store.
//!
//! This crate uses its host only through a [`Platform`]. [`Platform::system`] is the real machine;
//! a simulator makes one platform for each simulated host. The parts are public, so that a test can
//! replace some of them:
//!
//! ```
//! use std::sync::Arc;
//! use credsim_identity::{EnvironmentCredential, ErrorKind, TokenCredential, TokenRequest};
//! use credsim_identity::{Platform, platform::Environment};
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
mod system;
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

/// The functions of one host. Cheap to clone; clones share the host.
#[derive(Clone)]
#[non_exhaustive]
pub struct Platform {
    /// Wall clock, monotonic clock, time zone and sleep.
    pub clock: Arc<dyn Clock>,
    /// Sends HTTP requests.
    pub http: Arc<dyn HttpClient>,
    /// Runs other programs (`az`, `azd`, `pwsh`).
    pub commands: Arc<dyn CommandRunner>,
    /// Reads environment variables.
    pub environment: Arc<dyn Environment>,
    /// Reads and writes files.
    pub files: Arc<dyn Files>,
    /// Draws random numbers, from a stream for each purpose.
    pub random: Arc<dyn Random>,
    /// Runs background tasks.
    pub spawner: Arc<dyn Spawner>,
    /// Connects to other hosts.
    pub streams: Arc<dyn ByteStreams>,
    /// Listens on ports of 127.0.0.1, for redirects.
    pub loopback: Arc<dyn Loopback>,
    /// Opens pages in the user's browser.
    pub browser: Arc<dyn Browser>,
    /// Looks up other processes.
    pub processes: Arc<dyn Processes>,
    /// Keeps secrets in the user's secret store.
    pub secrets: Arc<dyn Secrets>,
}

/// The parts of a [`Platform`]. [`Parts::bare`] fills in refusing ones for those that a host lacks.
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
    /// Creates a platform from its parts.
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

    /// Returns the real machine. It must be used inside a tokio runtime with time and I/O enabled.
    ///
    /// Some functions depend on the operating system or on a feature. A function that does not
    /// exist fails, with an error that says so; none reports success without doing its work.
    ///
    /// | function | where it exists | elsewhere |
    /// |---|---|---|
    /// | [`http`](Self::http) | feature `reqwest` | [`NoClient`](TransportErrorKind::NoClient) |
    /// | [`streams`](Self::streams) | feature `redis` | [`Unsupported`](std::io::ErrorKind::Unsupported) |
    /// | [`Files::lock`] | Unix | `Unsupported` |
    /// | [`Files::sync`] of a folder | Unix | `Unsupported`; [`write_atomic`](Self::write_atomic) then goes on without it |
    /// | permission bits of files and folders | Unix | a new file has those of its folder; [`Metadata::mode`] and [`Metadata::owner`] are `None` |
    /// | [`Processes::look_up`] | Unix; the start of the process on Linux | `Unsupported` |
    /// | killing the children of a command | Unix | only the command itself is killed |
    /// | [`browser`](Self::browser) | `xdg-open`, on macOS `open`, on Windows `rundll32` on the `PATH` | [`NotAvailable`](BrowserError::NotAvailable) |
    /// | [`secrets`](Self::secrets) | nowhere yet | [`NotAvailable`](SecretsErrorKind::NotAvailable) |
    pub fn system() -> Self {
        system::platform()
    }

    /// Runs `work` for at most `limit`. Returns `None` and drops `work` if it did not end in time.
    pub async fn within<T>(&self, limit: Duration, work: impl Future<Output = T>) -> Option<T> {
        // Biased, so that work that ends exactly at the limit has ended in time.
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

/// Runs other programs.
pub trait CommandRunner: Send + Sync + 'static {
    /// Starts `command` with a closed standard input and waits for its end. Dropping the future
    /// kills the process and, on Unix, its children.
    ///
    /// # Errors
    /// See [`CommandError`]. A command that ended with a code other than 0 is no error here.
    fn run(&self, command: Command) -> BoxFuture<'static, Result<CommandOutput, CommandError>>;
}

/// A program to run, found on the `PATH`. It is started without a shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The program's name without folder or suffix, such as `az`.
    pub program: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// Environment variables set in addition to those of the host.
    pub env: Vec<(String, String)>,
}

/// The exit code and the output of a program. `Debug` shows no content: standard output holds
/// tokens.
#[derive(Clone, PartialEq, Eq)]
pub struct CommandOutput {
    /// The exit code; `None` if a signal ended the program.
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

/// The reason why a program could not be run, or its output not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CommandError {
    /// No program of this name is on the `PATH`.
    NotFound,
    /// The program exists and could not be started. Holds the reason.
    Start(String),
    /// The program was started and its output could not be read. Holds the reason.
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
    /// Returns the value of the variable `name`; `None` if it is not set or not Unicode. An empty
    /// value is returned as such.
    fn var(&self, name: &str) -> Option<String>;
}

impl dyn Environment {
    /// Returns the value of the variable `name`; `None` if it is not set, not Unicode or empty.
    /// Every credential of this crate takes an empty variable as not set (MI-04).
    pub fn non_empty(&self, name: &str) -> Option<String> {
        self.var(name).filter(|value| !value.is_empty())
    }
}

/// Random numbers.
pub trait Random: Send + Sync + 'static {
    /// Returns the next number of the stream for `purpose`. Streams are independent: a draw for one
    /// purpose does not change the numbers of another.
    fn next(&self, purpose: &str) -> u64;
}

impl dyn Random {
    /// Returns a number in `[0, 1)` from the stream for `purpose`.
    pub fn unit(&self, purpose: &str) -> f64 {
        // An f64 holds 53 bits exactly.
        (self.next(purpose) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Returns a random (version 4) UUID in its usual text form.
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

/// Runs background tasks.
pub trait Spawner: Send + Sync + 'static {
    /// Runs `work` until it ends, its handle is dropped, or the host shuts down.
    fn spawn(&self, work: BoxFuture<'static, ()>) -> TaskHandle;
}

/// Owns a background task. Dropping it ends the task.
#[must_use = "dropping the handle ends the work"]
pub struct TaskHandle(Option<Box<dyn FnOnce() + Send + Sync>>);

impl TaskHandle {
    /// Creates a handle that calls `stop` when it is dropped.
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
