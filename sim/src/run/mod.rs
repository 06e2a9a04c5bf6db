//! Plays a scenario: runs its world, its timeline and its callers on an engine, and gives the
//! trace.

mod callers;
mod external_clients;
mod machine;
mod run_state;
mod schedule;
mod watch;
mod world_driver;

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use external_clients::ExternalSubject;
pub use external_clients::{ExternalClients, Visit};
use machine::Machine;

use crate::{
    backend::Backend,
    draws::Draws,
    engine::{self, Engine, EngineError, Runtime, STALL_LIMIT},
    judge::{Run, Unshown, Visibility},
    limits::Budget,
    story::Scenario,
    subject::Subject,
    trace::{Event, Kind, Listener, Recorder, Trace},
};

/// The seed of a run that names none.
pub const DEFAULT_SEED: u64 = 1;

/// How to play a scenario.
#[derive(Clone)]
pub struct Options {
    /// What carries time and bytes.
    pub engine: Engine,
    /// Every random choice derives from it.
    pub seed: u64,
    /// What is under test.
    pub subject: Arc<dyn Subject>,
    /// A world whose clock has not moved for so long in real time is given up.
    pub stall_limit: Duration,
    /// What the run may take.
    pub budget: Budget,
}

/// The clock of the world, once it has begun, for code outside its hosts that writes to the trace.
pub(crate) type WorldClock = Arc<OnceLock<Arc<dyn Runtime>>>;

/// How much longer than its own time a world may run, for its preparation and its end.
const GRACE: Duration = Duration::from_secs(60);

/// A served world lasts until its clients are done; the engine needs some limit.
const AS_LONG_AS_IT_TAKES: Duration = Duration::from_secs(10 * 365 * 86_400);

/// Plays a scenario once.
///
/// # Errors
/// A failure of the harness, never of the subject.
pub fn play(scenario: &Scenario, options: &Options) -> Result<Run, EngineError> {
    let horizon = scenario.world.lasts.0 + GRACE;
    let recorder = Recorder::within(options.budget.clone());
    world(scenario, options, None, recorder, horizon)
}

/// Serves the world of a scenario to external clients on the live engine until they are done. The
/// calls of the scenario are not made. The trace keeps the latest `keep` events, so that a world
/// can be served for as long as its clients want it.
///
/// # Errors
/// A failure of the harness: the world could not be opened, in words.
pub fn serve(
    scenario: &Scenario,
    seed: u64,
    clients: ExternalClients,
    listener: Listener,
    keep: usize,
) -> Result<Run, EngineError> {
    let mut served = scenario.clone();
    served.call.clear();
    let options = Options {
        engine: Engine::Live,
        seed,
        subject: Arc::new(ExternalSubject::of(&clients)),
        stall_limit: STALL_LIMIT,
        budget: Budget::default(),
    };
    let recorder = Recorder::telling(listener, keep);
    world(
        &served,
        &options,
        Some(clients),
        recorder,
        AS_LONG_AS_IT_TAKES,
    )
}

fn world(
    scenario: &Scenario,
    options: &Options,
    clients: Option<ExternalClients>,
    recorder: Recorder,
    horizon: Duration,
) -> Result<Run, EngineError> {
    let is_served = clients.is_some();
    let visibility = visibility(&*options.subject, is_served);
    let is_behind_a_proxy = is_served || options.engine.is_real() && options.subject.is_outside();
    let draws = Draws::new(options.seed);
    let clock = WorldClock::default();
    let backend = Backend::new(&scenario.world, options.seed, recorder.clone());
    let watch = watch::Watch::new(
        recorder.clone(),
        clock.clone(),
        &backend,
        scenario,
        &*options.subject,
    );
    let end = Arc::new(OnceLock::new());
    let app = machine::HostOfSubject::default();
    let driver = world_driver::WorldDriver {
        scenario: Arc::new(scenario.clone()),
        subject: options.subject.clone(),
        backend: backend.clone(),
        recorder: recorder.clone(),
        draws,
        clock,
        watch: watch.clone(),
        seed: options.seed,
        real: options.engine.is_real(),
        clients,
        end: end.clone(),
        app: app.clone(),
        budget: options.budget.clone(),
    };
    let world = engine::World {
        seed: options.seed,
        horizon,
        stall_limit: options.stall_limit,
        budget: options.budget.clone(),
        servers: backend.hosts(),
        driver: (
            crate::host::APP.to_owned(),
            Box::new(move |host, control| Box::pin(driver.play(host, control))),
        ),
    };
    let machine = machine(scenario, options, app);
    let played = tracing::dispatcher::with_default(&watch.dispatch(), || match machine {
        Some(machine) => options.engine.play_within(world, Arc::new(machine)),
        None => options.engine.play(world),
    });
    close(&backend, &options.budget);
    played?;
    let trace = recorder.finish();
    let end = end.get().cloned().unwrap_or_default();
    if let Some(why) = end.harness_failure {
        return Err(EngineError(why));
    }
    let last_repair = end.last_repair.max(last_fault_end(&trace));
    Ok(Run {
        unshown: is_behind_a_proxy.then(|| Unshown::of(&trace)).flatten(),
        engine: options.engine,
        seed: options.seed,
        subject: end.subject,
        visibility,
        trace,
        start: end.start.unwrap_or(scenario.world.start.0),
        ended: end.ended,
        last_repair,
        healthy_at_end: end.healthy,
        dropped: recorder.dropped(),
    })
}

/// What can be seen of a subject.
fn visibility(subject: &dyn Subject, is_served: bool) -> Visibility {
    if is_served {
        Visibility::endpoints_only()
    } else {
        subject.visibility()
    }
}

/// Keeps a world that was given up, whose thread may still play, from filling the memory. One that
/// has reached a limit gets no memory, and may have stopped where it holds a lock.
fn close(backend: &Backend, budget: &Budget) {
    if budget.reached().is_none() {
        backend.close();
    }
}

/// What shows the host's clock as the machine's, if the subject reads the machine's clock.
fn machine(
    scenario: &Scenario,
    options: &Options,
    host: machine::HostOfSubject,
) -> Option<Machine> {
    let world = &scenario.world;
    options.subject.machine_clock().map(|clock| Machine {
        clock,
        start: world.host.clock_skew.added_to(world.start.0),
        seed: options.seed,
        host,
    })
}

/// When the last injected fault ended.
fn last_fault_end(trace: &Trace) -> Option<Duration> {
    let lifted = |event: &&Event| matches!(event.kind, Kind::FaultLifted { .. });
    trace.events.iter().rev().find(lifted).map(|event| event.at)
}
