//! What the endpoints of one world share, and how the timeline changes it.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use jiff::{Timestamp, tz::TimeZone};
use tokio::sync::Notify;

use super::{
    capture::{Witness, Witnessed},
    issuer::{Issued, Issuer},
    journal::Journal,
};
use crate::{
    command::{self as commands, CommandExit, CommandMissing},
    http::limit::Windows,
    service::redis,
};
use crate::{
    draws::Draws,
    engine::{Host, HostMain, Runtime, Server},
    fault::{FaultBook, Strike},
    scenario::{DEFAULT_TENANT, Fault, Range, Service, World},
    trace::{Facts, Kind, Recorder},
};

/// What the endpoints of one world share: its state, which the timeline changes, and its pen.
/// Clones are the same stage.
#[derive(Clone)]
pub struct Stage(Arc<Shared>);

struct Shared {
    /// The date at which the world began, where time is real.
    began: OnceLock<Timestamp>,
    start: Timestamp,
    /// Whether processes that nobody here knows can send requests.
    open: AtomicBool,
    witness: OnceLock<Witness>,
    draws: Draws,
    journal: Journal,
    state: Mutex<State>,
    /// The Redis, if there is one.
    redis: Option<Arc<redis::Hub>>,
    /// Rings when a fault with an end was installed.
    alarm: Notify,
}

/// What changes in a world.
pub(crate) struct State {
    /// The world as it is now.
    pub world: World,
    /// Who makes its tokens.
    pub issuer: Issuer,
    /// The tokens that IMDS keeps, by principal and resource.
    pub kept: BTreeMap<(String, String), Issued>,
    /// What was served in the current windows.
    pub windows: Windows,
    faults: FaultBook,
    /// Client secrets that were valid once.
    old_secrets: Vec<String>,
}

impl Stage {
    /// The endpoints of `world`, before anything happened.
    pub fn new(world: &World, seed: u64, recorder: Recorder) -> Self {
        let tenant = world
            .entra
            .as_ref()
            .map_or(DEFAULT_TENANT, |entra| &entra.tenant);
        let state = State {
            issuer: Issuer::new(tenant).signing_with(world.signing_key),
            world: world.clone(),
            kept: BTreeMap::new(),
            windows: Windows::default(),
            faults: FaultBook::default(),
            old_secrets: Vec::new(),
        };
        Self(Arc::new(Shared {
            began: OnceLock::new(),
            start: world.start.0,
            open: AtomicBool::new(false),
            witness: OnceLock::new(),
            draws: Draws::new(seed),
            journal: Journal::new(recorder),
            state: Mutex::new(state),
            redis: world
                .redis
                .as_ref()
                .map(|redis| Arc::new(redis::Hub::new(redis))),
            alarm: Notify::new(),
        }))
    }

    /// The servers to play, by host name. Entra and the resources speak plain HTTP on port 443:
    /// the engines carry no TLS.
    pub fn hosts(&self) -> Vec<(String, HostMain)> {
        let servers = self.servers().into_iter();
        servers.map(|server| (server.host, server.main)).collect()
    }

    /// The hosts and the port on which each serves: 443 where the real one speaks TLS, but for
    /// Redis.
    pub fn ports(&self) -> BTreeMap<String, u16> {
        let servers = self.servers().into_iter();
        servers.map(|server| (server.host, server.port)).collect()
    }

    fn servers(&self) -> Vec<Server> {
        let world = self.state().world.clone();
        let services = world.services().into_iter();
        services.flat_map(|service| service.servers(self)).collect()
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
    pub(crate) fn install_fault(&self, fault: &Fault, at: Duration) {
        let name = fault.name.clone();
        self.state().faults.install(fault.clone(), at);
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

    /// Ends the requests and connections that `service` has under way, because its hosts go down
    /// at `at`, and records that. Call it before they do.
    pub(crate) fn crash(&self, service: Service, at: Duration) {
        let why = "the service's host went down";
        self.0.journal.abandon(at, service.name(), why);
        let world = self.state().world.clone();
        if let Some(service) = service.of(&world) {
            service.crash(self, at);
        }
    }

    fn lifted(&self, fault: String, at: Duration) {
        self.0.journal.record(at, Kind::FaultLifted { fault });
    }

    /// Runs `program` on `host` as the real `az`, `azd` or `pwsh` would run. Dropping the future kills it.
    ///
    /// # Errors
    /// It is not installed there.
    pub async fn run_command(
        &self,
        host: &Host,
        instance: u32,
        program: &str,
        args: &[String],
        env: &[(String, String)],
        zone: TimeZone,
    ) -> Result<CommandExit, CommandMissing> {
        commands::run(
            self,
            host,
            instance,
            program,
            &commands::Call { args, env, zone },
        )
        .await
    }

    /// The world begins at this date, instead of the one that the scenario says.
    pub fn begin(&self, date: Timestamp) {
        let _ = self.0.began.set(date);
    }

    /// From now on processes that nobody here knows can send requests.
    pub fn open_to_the_outside(&self) {
        self.0.open.store(true, Ordering::Relaxed);
    }

    /// Whether processes that nobody here knows can send requests.
    pub(crate) fn is_open(&self) -> bool {
        self.0.open.load(Ordering::Relaxed)
    }

    /// From now on `witness` hears of everything that arrives.
    pub fn tell(&self, witness: Witness) {
        let _ = self.0.witness.set(witness);
    }

    pub(crate) fn witness(&self, seen: impl FnOnce() -> Witnessed) {
        if let Some(witness) = self.0.witness.get() {
            witness(&seen());
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
        let apps = state.world.entra.iter().flat_map(|entra| &entra.apps);
        let mut secrets = apps
            .filter_map(|app| app.secret.as_ref())
            .chain(&state.old_secrets);
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

    pub(crate) fn redis(&self) -> Option<&Arc<redis::Hub>> {
        self.0.redis.as_ref()
    }

    pub(crate) fn journal(&self) -> &Journal {
        &self.0.journal
    }

    pub(crate) fn tell_world(&self, at: Duration, what: String) {
        self.0.journal.record(at, Kind::World { what });
    }

    pub(crate) fn warn_of_real_secret(&self, at: Duration, endpoint: &str, what: &str) {
        let (endpoint, what) = (endpoint.to_owned(), what.to_owned());
        self.0
            .journal
            .record(at, Kind::RealSecret { endpoint, what });
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
    /// Remembers a secret that is no longer valid: it must not leak all the same.
    pub(crate) fn remember_secret(&mut self, secret: Option<String>) {
        self.old_secrets.extend(secret);
    }
}
