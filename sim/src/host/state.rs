//! The state of a simulated host: its clock, its environment variables, and which hosts it reaches.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::Path,
    sync::{
        Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use jiff::{Timestamp, tz::TimeZone};

use super::{browser::Browser, disk::Disk, keyring::Keyring, processes::Processes};
use crate::{
    backend::Backend, draws::Draws, engine::Host, scenario::SignedSpan, service::Reach,
    trace::Recorder,
};

/// The wall clock of a host: the world's time, wrong by as much as the scenario says.
pub struct HostClock {
    start: Timestamp,
    pub(super) zone: TimeZone,
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

/// Copies of the host's files for processes outside, which cannot see the simulated ones.
pub trait FilesOutside: Send + Sync {
    /// Writes the copy of a file, or replaces it atomically.
    ///
    /// # Errors
    /// It cannot be written.
    fn write(&self, path: &Path, content: &[u8], readable: bool) -> io::Result<()>;

    /// Removes the copy of a file.
    ///
    /// # Errors
    /// It cannot be removed.
    fn remove(&self, path: &Path) -> io::Result<()>;
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
    /// Its files.
    pub disk: Disk,
    /// Its processes.
    pub processes: Processes,
    /// The browser of the person at it.
    pub browser: Browser,
    /// The secret store of the person at it.
    pub keyring: Keyring,
    pub(super) draws: Draws,
    outside: OnceLock<Box<dyn FilesOutside>>,
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
            disk: Disk::default(),
            processes: Processes::default(),
            browser: Browser::default(),
            keyring: Keyring::default(),
            draws,
            outside: OnceLock::new(),
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

    /// What happens to a connection to `host` now: of a host that is down nothing comes back.
    pub fn reached(&self, host: &str) -> Reach {
        if lock(&self.down).contains(host) {
            return Reach::BlackHoled;
        }
        self.reach(host).unwrap_or_default()
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

    /// The value of an environment variable; none if it is not set.
    pub fn variable(&self, name: &str) -> Option<String> {
        lock(&self.environment).get(name).cloned()
    }

    /// Changes an environment variable.
    pub fn set_variable(&self, name: &str, value: &str) {
        lock(&self.environment).insert(name.to_owned(), value.to_owned());
    }

    /// Writes a file with its folders, or replaces it, as the operator of the host does.
    ///
    /// # Errors
    /// A file is in the way of a folder, or a folder in that of the file.
    pub(crate) fn write_file(&self, path: &str, content: &[u8], readable: bool) -> io::Result<()> {
        let mode = if readable { 0o644 } else { 0o200 };
        let path = Path::new(path);
        self.disk.put(path, content, mode, self.now())?;
        match self.outside.get() {
            Some(outside) => outside.write(path, content, readable),
            None => Ok(()),
        }
    }

    /// Removes a file, as the operator of the host does.
    ///
    /// # Errors
    /// There is no such file.
    pub(crate) fn remove_file(&self, path: &str) -> io::Result<()> {
        let path = Path::new(path);
        self.disk.take_away(path)?;
        match self.outside.get() {
            Some(outside) => outside.remove(path),
            None => Ok(()),
        }
    }

    /// From now on `outside` has copies of the files that are written.
    pub(crate) fn copy_files_to(&self, outside: Box<dyn FilesOutside>) {
        let _ = self.outside.set(outside);
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
