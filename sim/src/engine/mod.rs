//! What carries time and bytes. The endpoints and the subject are written once, against the
//! traits here, and don't know which engine plays them.
//!
//! An engine gives every host a [`Host`]: its network, its clock and a place to spawn. It does not
//! know scenarios, endpoints or credentials.

pub mod lapse;
pub mod live;
mod socket;
mod task;
pub mod turmoil;
mod watchdog;

use std::{any::Any, fmt, future::Future, io, pin::Pin, sync::Arc, time::Duration};

use crate::limits::Budget;
use jiff::Timestamp;
use tokio::io::{AsyncRead, AsyncWrite};
pub use watchdog::STALL_LIMIT;

/// A boxed future that may move between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One end of a connection.
pub trait Connection: AsyncRead + AsyncWrite + Unpin + Send + 'static {
    /// Ends the connection so that the peer sees a reset, as far as the engine can show one.
    fn reset(self: Box<Self>);
}

/// A connection of any engine.
pub type Stream = Box<dyn Connection>;

/// Accepts connections on one port of one host.
pub trait Listener: Send + 'static {
    /// The next connection, with the name of the host it comes from.
    fn accept(&mut self) -> BoxFuture<'_, io::Result<(Stream, String)>>;
}

/// The network as one host sees it.
pub trait Network: Send + Sync + 'static {
    /// Connects to a host by name or address. An unknown name is
    /// [`NotFound`](io::ErrorKind::NotFound); a port without a listener is
    /// [`ConnectionRefused`](io::ErrorKind::ConnectionRefused); a host that is down or behind a
    /// held link doesn't answer until that changes.
    fn connect(&self, host: &str, port: u16) -> BoxFuture<'static, io::Result<Stream>>;
    /// Listens on a port of this host.
    fn bind(&self, port: u16) -> BoxFuture<'static, io::Result<Box<dyn Listener>>>;
    /// Whether packets to `host` vanish now, so that a connect waits. Only the proxy of a live
    /// world asks, so the engines in virtual time do not tell.
    fn is_held(&self, _host: &str) -> bool {
        false
    }
}

/// Time and background work of a host.
pub trait Runtime: Send + Sync + 'static {
    /// Time since the world began. The same for all hosts.
    fn elapsed(&self) -> Duration;
    /// Completes after `duration`.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
    /// Runs `work` on this host until it ends, the host crashes, or the guard is dropped.
    fn spawn(&self, work: BoxFuture<'static, ()>) -> Work;
}

/// Background work; [`Work::detach`] lets it run as long as its host, dropping it ends it.
#[must_use = "dropping it ends the work"]
pub struct Work(Option<tokio::task::AbortHandle>);

impl Work {
    /// Owns the task behind `handle`.
    pub fn new(handle: tokio::task::AbortHandle) -> Self {
        Self(Some(handle))
    }

    /// Leaves the work to its host.
    pub fn detach(mut self) {
        self.0 = None;
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        if let Some(task) = self.0.take() {
            task.abort();
        }
    }
}

/// What the engine lends to the code of one host.
#[derive(Clone)]
pub struct Host {
    /// Its name, which is also how others connect to it.
    pub name: Arc<str>,
    /// Its network.
    pub network: Arc<dyn Network>,
    /// Its time and its background work.
    pub runtime: Arc<dyn Runtime>,
}

/// Faults of the network and of hosts, for the timeline.
pub trait Control: Send + Sync + 'static {
    /// The clock of the world starts at zero: what was done until now was preparation. Where time
    /// is real, it is the present date that the world begins at; elsewhere the world says.
    fn begin(&self) -> Option<Timestamp> {
        None
    }
    /// Completes with the number of the signal that ends this process; never where
    /// nothing outlives the process.
    fn interrupted(&self) -> BoxFuture<'static, u8> {
        Box::pin(std::future::pending())
    }
    /// From now on nothing travels between the two hosts; it is delivered, in order, on release.
    fn hold(&self, one: &str, other: &str);
    /// Ends a hold.
    fn release(&self, one: &str, other: &str);
    /// Stops a host: its work ends, its connections break.
    fn crash(&self, host: &str);
    /// Starts a crashed host again, from its beginning.
    fn restart(&self, host: &str);
}

/// The code of a host. Called once, and again after each restart.
pub type HostMain = Arc<dyn Fn(Host) -> BoxFuture<'static, ()> + Send + Sync>;

/// A server on a host of its own.
pub struct Server {
    /// The host.
    pub host: String,
    /// The port: 443 where the real one speaks TLS, although the engines carry none.
    pub port: u16,
    /// What runs there.
    pub main: HostMain,
}

/// The code of the host that drives the world; the world ends with it.
pub type DriverMain = Box<dyn FnOnce(Host, Arc<dyn Control>) -> BoxFuture<'static, ()> + Send>;

/// A world to play.
pub struct World {
    /// Every random choice of the engine derives from it.
    pub seed: u64,
    /// A world that has not ended by then is a failure of the harness.
    pub horizon: Duration,
    /// A world whose clock has not moved for so long in real time is given up: a failure of the
    /// harness. Where time is real, the horizon counts as well.
    pub stall_limit: Duration,
    /// What it may take.
    pub budget: Budget,
    /// The hosts that serve, in the order in which they start.
    pub servers: Vec<(String, HostMain)>,
    /// The name of the driving host and its code.
    pub driver: (String, DriverMain),
}

/// What a world is wrapped in for code that asks the machine, not its host: everything here
/// happens on the world's own thread.
pub trait Surroundings: Send + Sync + 'static {
    /// The world is about to begin. What this returns is dropped when the world is over.
    ///
    /// # Errors
    /// Why this machine can't do it, and what to do: a failure of the harness.
    fn enter(&self) -> Result<Box<dyn Any>, EngineError>;
    /// The world is `elapsed` old. Called before anything runs at that time.
    fn moved(&self, elapsed: Duration);
}

/// The engines by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Engine {
    /// Event-driven: virtual time costs nothing.
    Lapse,
    /// The independent second opinion: a runtime per host, a tick per millisecond.
    Turmoil,
    /// The sockets and the clock of this machine, loopback only: a minute takes a minute.
    Live,
}

impl Engine {
    /// Plays a world to its end.
    ///
    /// # Errors
    /// A failure of the harness: the world passed its horizon, stood still for longer than its
    /// [stall limit](World::stall_limit), reached a limit of its [budget](World::budget), or a host
    /// panicked. On [`Lapse`](Self::Lapse) also: work
    /// was given to another thread, for which virtual time does not wait.
    pub fn play(self, world: World) -> Result<(), EngineError> {
        match self {
            Self::Lapse => lapse::play(world, None),
            Self::Turmoil => turmoil::play(world),
            Self::Live => live::play(world),
        }
    }

    /// Plays a world to its end, on [`Lapse`](Self::Lapse), within `surroundings`.
    ///
    /// # Errors
    /// As [`play`](Self::play); and another engine, or a machine on which they can't be entered.
    pub fn play_within(
        self,
        world: World,
        surroundings: Arc<dyn Surroundings>,
    ) -> Result<(), EngineError> {
        if self == Self::Lapse {
            return lapse::play(world, Some(surroundings));
        }
        Err(EngineError(format!(
            "the clock of this machine is shown as a world's on lapse only, not on {self}: leave \
             --engine out"
        )))
    }

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lapse => "lapse",
            Self::Turmoil => "turmoil",
            Self::Live => "live",
        }
    }

    /// What an observed time may be off, per exchange over the network.
    ///
    /// Two virtual round trips, or what a busy machine adds to a real one.
    pub fn tolerance(self) -> Duration {
        match self {
            Self::Lapse | Self::Turmoil => Duration::from_millis(5),
            Self::Live => Duration::from_millis(400),
        }
    }

    /// Whether time passes by itself.
    pub fn is_real(self) -> bool {
        self == Self::Live
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A failure of the harness itself; exit code 3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineError(pub String);

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for EngineError {}

/// What a panic said, as far as it said it in words.
fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let said = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned());
    said.map_or_else(
        || "a host panicked".to_owned(),
        |text| format!("a host panicked: {text}"),
    )
}
