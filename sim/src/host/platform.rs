//! The platform of a simulated host.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use credsim_identity::{
    IdentityChange, Observer, Platform,
    platform::{
        BoxFuture, ByteStream, ByteStreams, Clock, Command, CommandError, CommandOutput,
        CommandRunner, Environment, Files, Parts, Random, Spawner, TaskHandle, TransportErrorKind,
    },
};
use jiff::{Timestamp, tz::TimeZone};

use super::http::SimHttp;
use crate::{
    backend::Backend,
    draws::Draws,
    engine::Host,
    scenario::SignedSpan,
    service::Reach,
    trace::{Kind, Recorder},
};

/// The wall clock of a host: the world's time, wrong by as much as the scenario says.
pub struct HostClock {
    start: Timestamp,
    zone: TimeZone,
    steps: Mutex<Vec<SignedSpan>>,
}

impl HostClock {
    /// A clock that shows `start` (plus `skew`) when the world begins.
    pub fn new(start: Timestamp, skew: SignedSpan, zone: TimeZone) -> Self {
        Self {
            start,
            zone,
            steps: Mutex::new(vec![skew]),
        }
    }

    /// Moves the clock, from now on.
    pub fn step(&self, by: SignedSpan) {
        self.steps
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(by);
    }

    /// What it shows when the world is `elapsed` old.
    pub fn shows(&self, elapsed: Duration) -> Timestamp {
        let truth = self.start.checked_add(elapsed).unwrap_or(Timestamp::MAX);
        let steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        steps.iter().fold(truth, |time, step| step.added_to(time))
    }
}

/// Everything the credentials of one host share.
pub struct HostState {
    /// The engine's host.
    pub host: Host,
    /// Its clock.
    pub clock: HostClock,
    /// The world's services.
    pub backend: Backend,
    /// The trace.
    pub recorder: Recorder,
    draws: Draws,
    environment: Mutex<BTreeMap<String, String>>,
    reach: Mutex<BTreeMap<String, Reach>>,
    down: Mutex<BTreeSet<String>>,
    exchanges: AtomicU64,
}

impl HostState {
    /// The state of `host` when the world begins.
    pub fn new(
        host: Host,
        clock: HostClock,
        backend: Backend,
        recorder: Recorder,
        draws: Draws,
        environment: BTreeMap<String, String>,
    ) -> Self {
        Self {
            host,
            clock,
            backend,
            recorder,
            draws,
            environment: Mutex::new(environment),
            reach: Mutex::default(),
            down: Mutex::default(),
            exchanges: AtomicU64::new(0),
        }
    }

    /// Whether packets get to `host` from now on.
    pub fn set_reach(&self, host: &str, reach: Reach) {
        lock(&self.reach).insert(host.to_owned(), reach);
    }

    /// Whether packets get to `host`; none if there is no such host.
    pub fn reach(&self, host: &str) -> Option<Reach> {
        lock(&self.reach).get(host).copied()
    }

    /// Whether `host` is down from now on.
    pub fn set_down(&self, host: &str, down: bool) {
        let mut hosts = lock(&self.down);
        if down {
            hosts.insert(host.to_owned());
        } else {
            hosts.remove(host);
        }
    }

    /// Whether every host is up and packets get to it.
    pub fn reaches_all(&self) -> bool {
        let mut all = lock(&self.reach).clone().into_values();
        lock(&self.down).is_empty() && all.all(|reach| reach == Reach::Reachable)
    }

    /// Changes an environment variable.
    pub fn set_variable(&self, name: &str, value: &str) {
        lock(&self.environment).insert(name.to_owned(), value.to_owned());
    }

    /// Time since the world began.
    pub fn elapsed(&self) -> Duration {
        self.host.runtime.elapsed()
    }

    /// The wall clock of the host.
    pub fn now(&self) -> Timestamp {
        self.clock.shows(self.elapsed())
    }

    pub(crate) fn next_exchange(&self) -> u64 {
        self.exchanges.fetch_add(1, Ordering::Relaxed) + 1
    }
}

/// What an instance has under way.
#[derive(Default)]
pub struct Leftovers {
    tasks: AtomicUsize,
    timers: AtomicUsize,
}

impl Leftovers {
    /// Background tasks alive.
    pub fn tasks(&self) -> usize {
        self.tasks.load(Ordering::Relaxed)
    }

    /// Sleeps pending.
    pub fn timers(&self) -> usize {
        self.timers.load(Ordering::Relaxed)
    }
}

/// Lends a host to one credential instance.
pub struct Lender;

impl Lender {
    /// The platform of `instance`, and the account of what it has under way.
    pub fn lend(
        state: &Arc<HostState>,
        number: u32,
    ) -> (Platform, Arc<dyn Observer>, Arc<Leftovers>) {
        let leftovers = Arc::new(Leftovers::default());
        let instance = Instance {
            state: state.clone(),
            number,
            leftovers: leftovers.clone(),
        };
        let shared = Arc::new(instance.clone());
        let platform = Platform::new(Parts {
            clock: shared.clone(),
            http: Arc::new(SimHttp { instance }),
            commands: shared.clone(),
            environment: shared.clone(),
            files: Arc::new(NoFiles),
            random: shared.clone(),
            spawner: shared.clone(),
            streams: shared.clone(),
        });
        (platform, shared, leftovers)
    }
}

/// A host as one credential instance sees it.
#[derive(Clone)]
pub(crate) struct Instance {
    pub state: Arc<HostState>,
    pub number: u32,
    leftovers: Arc<Leftovers>,
}

impl Instance {
    pub fn record(&self, kind: Kind) {
        self.state.recorder.record(self.state.elapsed(), kind);
    }
}

impl Clock for Instance {
    fn now(&self) -> Timestamp {
        self.state.now()
    }

    fn monotonic(&self) -> Duration {
        self.state.elapsed()
    }

    fn local_zone(&self) -> TimeZone {
        self.state.clock.zone.clone()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let sleep = self.state.host.runtime.sleep(duration);
        let counted = Counted::new(&self.leftovers, |leftovers| &leftovers.timers);
        Box::pin(async move {
            let _counted = counted;
            sleep.await;
        })
    }
}

impl Spawner for Instance {
    fn spawn(&self, work: BoxFuture<'static, ()>) -> TaskHandle {
        let counted = Counted::new(&self.leftovers, |leftovers| &leftovers.tasks);
        let work = self.state.host.runtime.spawn(Box::pin(async move {
            let _counted = counted;
            work.await;
        }));
        TaskHandle::new(move || drop(work))
    }
}

impl ByteStreams for Instance {
    fn connect(&self, host: &str, port: u16) -> BoxFuture<'static, io::Result<ByteStream>> {
        let (state, host) = (self.state.clone(), host.to_owned());
        Box::pin(async move {
            let connected = state.connect(&host, port, None).await;
            let stream = connected.map_err(|error| {
                let kind = match error.kind {
                    TransportErrorKind::Refused => io::ErrorKind::ConnectionRefused,
                    TransportErrorKind::Dns => io::ErrorKind::NotFound,
                    _ => io::ErrorKind::HostUnreachable,
                };
                io::Error::new(kind, error.message)
            })?;
            Ok(Box::new(stream) as ByteStream)
        })
    }
}

impl Random for Instance {
    fn next(&self, purpose: &str) -> u64 {
        self.state.draws.next(&format!("subject/{purpose}"))
    }
}

impl Environment for Instance {
    fn var(&self, name: &str) -> Option<String> {
        lock(&self.state.environment).get(name).cloned()
    }
}

impl CommandRunner for Instance {
    fn run(&self, command: Command) -> BoxFuture<'static, Result<CommandOutput, CommandError>> {
        let instance = self.clone();
        Box::pin(async move {
            let Command {
                program, args, env, ..
            } = command;
            let zone = instance.state.clock.zone.clone();
            let state = &instance.state;
            let ended = state
                .backend
                .run_command(&state.host, instance.number, &program, &args, &env, zone)
                .await;
            match ended {
                Ok(exit) => Ok(CommandOutput {
                    code: Some(exit.code),
                    stdout: exit.stdout.into_bytes(),
                    stderr: exit.stderr.into_bytes(),
                }),
                Err(_) => Err(CommandError::NotFound),
            }
        })
    }
}

impl Observer for Instance {
    fn identity_changed(&self, change: &IdentityChange) {
        self.record(Kind::IdentityChanged {
            instance: self.number,
            from: change.from.to_string(),
            to: change.to.to_string(),
            refused: change.refused,
        });
    }
}

/// A simulated host has no files yet: no scenario needs one.
struct NoFiles;

impl Files for NoFiles {
    fn exists(&self, _: &Path) -> bool {
        false
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        Err(io::Error::new(
            io::ErrorKind::NotFound,
            format!("no file {}", path.display()),
        ))
    }
}

/// Counts itself for as long as it lives.
struct Counted(Arc<Leftovers>, fn(&Leftovers) -> &AtomicUsize);

impl Counted {
    fn new(leftovers: &Arc<Leftovers>, which: fn(&Leftovers) -> &AtomicUsize) -> Self {
        which(leftovers).fetch_add(1, Ordering::Relaxed);
        Self(leftovers.clone(), which)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        (self.1)(&self.0).fetch_sub(1, Ordering::Relaxed);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
