//! World + timeline + calls -> trace.

mod agenda;
mod caller;
mod sight;
mod story;
mod watch;

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use jiff::Timestamp;

use crate::{
    draws::Draws,
    endpoint::Stage,
    engine::{self, Engine, EngineError, Runtime},
    scenario::Scenario,
    subject::Subject,
    trace::{Event, Fingerprint, Kind, Recorder, Trace},
};

pub use sight::{Side, Sight};

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
}

/// What a run left.
#[derive(Clone, Debug)]
pub struct Run {
    /// The engine that played it.
    pub engine: Engine,
    /// Its seed.
    pub seed: u64,
    /// What was under test, by name and, if it is not ours, version: `identity`,
    /// `azure-identity-js 4.13.1`.
    pub subject: String,
    /// Which sides of it could be seen.
    pub sight: Sight,
    /// The date at which the world began; what the scenario counts from its start, counts from
    /// here.
    pub start: Timestamp,
    /// How long it was played.
    pub ended: Duration,
    /// All that happened.
    pub trace: Trace,
    /// The trace's hash.
    pub hash: Fingerprint,
    /// When something in the world last got better: a fault ended, a service came back, somebody
    /// logged in.
    pub last_repair: Option<Duration>,
    /// Whether all services worked and were reachable at the end.
    pub healthy_at_end: bool,
}

/// Time of the world for those who write the trace from outside a host.
pub(crate) type WorldClock = Arc<OnceLock<Arc<dyn Runtime>>>;

/// The host on which the subject runs.
pub(crate) const APP: &str = "app";

/// Plays a scenario once.
///
/// # Errors
/// A fault of the harness, never of the subject.
pub fn play(scenario: &Scenario, options: &Options) -> Result<Run, EngineError> {
    let recorder = Recorder::default();
    let draws = Draws::new(options.seed);
    let clock = WorldClock::default();
    let stage = Stage::new(&scenario.world, options.seed, recorder.clone());
    let watch = watch::Watch::new(recorder.clone(), clock.clone(), &stage, scenario);
    let ending = Arc::new(OnceLock::new());
    let story = story::Story {
        scenario: Arc::new(scenario.clone()),
        subject: options.subject.clone(),
        stage: stage.clone(),
        recorder: recorder.clone(),
        draws,
        clock,
        watch: watch.clone(),
        ending: ending.clone(),
    };
    let world = engine::World {
        seed: options.seed,
        // Nothing may run past the end of the world; a minute more tells a slow end from none.
        horizon: scenario.world.lasts.0 + Duration::from_secs(60),
        servers: stage.hosts(),
        driver: (
            APP.to_owned(),
            Box::new(move |host, control| Box::pin(story.play(host, control))),
        ),
    };
    tracing::dispatcher::with_default(&watch.dispatch(), || options.engine.play(world))?;
    let trace = recorder.finish();
    let story::Ending {
        last_repair,
        healthy,
    } = ending.get().cloned().unwrap_or_default();
    let lifted = |event: &&Event| matches!(event.kind, Kind::FaultLifted { .. });
    let last_fault_end = trace.events.iter().rev().find(lifted).map(|event| event.at);
    let hash = trace.hash();
    Ok(Run {
        engine: options.engine,
        seed: options.seed,
        subject: options.subject.name().to_owned(),
        sight: Sight::everything(),
        start: scenario.world.start.0,
        ended: scenario.world.lasts.0,
        trace,
        hash,
        last_repair: last_repair.max(last_fault_end),
        healthy_at_end: healthy,
    })
}
