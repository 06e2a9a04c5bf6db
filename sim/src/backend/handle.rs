//! The handle to what the services and commands of one world share, and how the timeline changes
//! it.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use tokio::sync::Notify;

use super::settings::DEFAULT_TENANT;
use super::{
    capture::{CaptureSink, Captured},
    issuer::Issuer,
    journal::Journal,
    parts::Parts,
    windows::Windows,
};
use crate::{
    draws::Draws,
    engine::Runtime,
    fault::{FaultBook, FaultRule, Strike},
    scenario::Range,
    trace::{Facts, Kind, Recorder},
};

/// A cloneable handle to what the services and commands of one world share: its state, which the
/// timeline changes, and its journal. Clones share the state.
#[derive(Clone)]
pub struct Backend(Arc<Shared>);

struct Shared {
    /// The date at which the world began, where time is real.
    began: OnceLock<Timestamp>,
    start: Timestamp,
    /// Whether processes outside this one can send requests.
    open: AtomicBool,
    capture: OnceLock<CaptureSink>,
    draws: Draws,
    journal: Journal,
    state: Mutex<State>,
    /// Rings when a fault with an end was installed.
    alarm: Notify,
}

/// What changes in a world.
pub(crate) struct State {
    /// Issues its tokens.
    pub issuer: Issuer,
    /// Values that the scenario itself gives to its host: none of them is a secret from outside.
    pub stated: Vec<String>,
    /// The services and commands as they are now.
    pub parts: Parts,
    /// What was served in the current windows.
    pub windows: Windows,
    faults: FaultBook,
    /// Client secrets that are valid or were valid once.
    secrets: Vec<String>,
}

/// What a world says of all of its services together.
pub(crate) struct Beginning {
    /// The date and time at which the world begins.
    pub start: Timestamp,
    /// Values that the scenario itself gives to its host.
    pub stated: Vec<String>,
}

impl Backend {
    /// A world without services and commands, before anything happened. The registry of the
    /// services adds them.
    pub(crate) fn begin_with(beginning: Beginning, seed: u64, recorder: Recorder) -> Self {
        let state = State {
            issuer: Issuer::new(DEFAULT_TENANT),
            stated: beginning.stated,
            parts: Parts::default(),
            windows: Windows::default(),
            faults: FaultBook::default(),
            secrets: Vec::new(),
        };
        Self(Arc::new(Shared {
            began: OnceLock::new(),
            start: beginning.start,
            open: AtomicBool::new(false),
            capture: OnceLock::new(),
            draws: Draws::new(seed),
            journal: Journal::new(recorder),
            state: Mutex::new(state),
            alarm: Notify::new(),
        }))
    }

    /// Ends faults whose time is over, and records it at the exact time. It never completes: spawn
    /// it once, on the driving host.
    pub async fn end_faults(self, runtime: Arc<dyn Runtime>) {
        loop {
            let next = self.state().faults.next_end();
            match next {
                None => self.0.alarm.notified().await,
                Some(end) => {
                    let wait = runtime.sleep(end.saturating_sub(runtime.elapsed()));
                    tokio::select! {
                        biased;
                        () = wait => self.expire(runtime.elapsed()),
                        () = self.0.alarm.notified() => {}
                    }
                }
            }
        }
    }

    /// Ends the faults whose time is over at `at`, and records it.
    pub fn expire(&self, at: Duration) {
        let mut state = self.state();
        let ended = state.faults.expire(at);
        drop(state);
        for (end, fault) in ended {
            self.0.journal.record(end, Kind::FaultLifted { fault });
        }
    }

    /// Installs a fault that applies from `at`, and records it.
    pub(crate) fn install_fault(&self, fault: FaultRule, at: Duration) {
        let name = fault.name.clone();
        self.state().faults.install(fault, at);
        self.0
            .journal
            .record(at, Kind::FaultInstalled { fault: name });
        self.0.alarm.notify_one();
    }

    /// Ends the fault of this name at `at`, and records it unless it has ended before.
    pub(crate) fn lift_fault(&self, name: &str, at: Duration) {
        if self.state().faults.lift(name) {
            self.lifted(name.to_owned(), at);
        }
    }

    fn lifted(&self, fault: String, at: Duration) {
        self.0.journal.record(at, Kind::FaultLifted { fault });
    }

    /// The world begins at this date, instead of the one that the scenario says.
    pub fn begin(&self, date: Timestamp) {
        let _ = self.0.began.set(date);
    }

    /// From now on processes outside this one can send requests.
    pub fn open_to_the_outside(&self) {
        self.0.open.store(true, Ordering::Relaxed);
    }

    /// Whether processes outside this one can send requests.
    pub(crate) fn is_open(&self) -> bool {
        self.0.open.load(Ordering::Relaxed)
    }

    /// From now on `sink` is called with each request and command when it arrives.
    pub fn capture_with(&self, sink: CaptureSink) {
        let _ = self.0.capture.set(sink);
    }

    pub(crate) fn capture(&self, seen: impl FnOnce() -> Captured) {
        if let Some(sink) = self.0.capture.get() {
            sink(&seen());
        }
    }

    /// The true time `at` after the world began.
    pub fn time(&self, at: Duration) -> Timestamp {
        let start = self.0.began.get().unwrap_or(&self.0.start);
        start.checked_add(at).unwrap_or(Timestamp::MAX)
    }

    /// The kind of the secret of this world that `text` holds, if it holds one.
    pub fn secret_in(&self, text: &str) -> Option<&'static str> {
        let state = self.state();
        let mut secrets = state.secrets.iter();
        if secrets.any(|secret| crate::redact::holds(text, secret)) {
            return Some("client secret");
        }
        state.issuer.is_issued_in(text).then_some("token")
    }

    /// Whether no fault is installed.
    pub fn healthy(&self) -> bool {
        self.state().faults.is_empty()
    }

    /// The world has ended: what still runs is no longer recorded. For the end of the driver.
    pub fn close(&self) {
        self.0.journal.close();
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn journal(&self) -> &Journal {
        &self.0.journal
    }

    pub(crate) fn record_world(&self, at: Duration, what: String) {
        self.0.journal.record(at, Kind::World { what });
    }

    pub(crate) fn warn_of_real_secret(&self, at: Duration, endpoint: &str, what: &str) {
        let (endpoint, what) = (endpoint.to_owned(), what.to_owned());
        self.0
            .journal
            .record(at, Kind::RealSecret { endpoint, what });
    }

    /// Records that a request for a host that is not the service's was refused.
    pub(crate) fn host_refused(&self, at: Duration, host: String) {
        self.0
            .journal
            .record(at, Kind::HostRefused { host, other: None });
    }

    /// Records that a request was refused that reached no service.
    pub(crate) fn request_refused(&self, at: Duration, why: &str) {
        let why = why.to_owned();
        self.0.journal.record(at, Kind::RequestRefused { why });
    }

    /// A duration from `range`, drawn for `purpose`.
    pub(crate) fn draw(&self, purpose: &str, range: Range) -> Duration {
        let (least, most) = (range.at_least.0, range.at_most.0);
        if most <= least {
            return least;
        }
        least + (most - least).mul_f64(self.0.draws.unit(purpose))
    }

    /// The fault that strikes a request or command which arrives at `at`, if one does.
    pub(crate) fn strike(&self, facts: &Facts, at: Duration) -> Option<Strike> {
        self.expire(at);
        let draws = &self.0.draws;
        let decision = self
            .state()
            .faults
            .decide(facts, |fault| draws.unit(&format!("fault {fault}")));
        for fault in decision.spent {
            self.lifted(fault, at);
        }
        decision.strike
    }

    /// A fault that has struck for the last time is over.
    pub(crate) fn retire(&self, rule: u64, at: Duration) {
        let retired = self.state().faults.retire(rule);
        if let Some(fault) = retired {
            self.lifted(fault, at);
        }
    }
}

impl State {
    /// Registers a client secret of this world. It stays one when it is no longer valid: it must
    /// not leak all the same.
    pub(crate) fn register_secret(&mut self, secret: &str) {
        self.secrets.push(secret.to_owned());
    }
}
