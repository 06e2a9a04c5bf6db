//! The code of the driving host: it opens the world to processes outside, starts its clock, and
//! plays the schedule.

use std::{
    collections::BTreeSet,
    sync::{Arc, OnceLock},
    time::Duration,
};

use jiff::{
    Timestamp,
    tz::{TimeZone, TimeZoneDatabase},
};

use super::{
    ExternalClients, WorldClock,
    machine::HostOfSubject,
    run_state::RunState,
    schedule::{Entry, Schedule},
    watch::Watch,
};
use crate::{
    backend::Backend,
    command::Program,
    draws::Draws,
    engine::{Control, Host},
    host::{HostClock, HostState},
    limits::Budget,
    live::{self, Door},
    service::{Reach, imds::IMDS_HOST},
    story::Scenario,
    subject::Subject,
    trace::Recorder,
};

/// Drives one world to its end.
pub(super) struct WorldDriver {
    pub scenario: Arc<Scenario>,
    pub subject: Arc<dyn Subject>,
    pub backend: Backend,
    pub recorder: Recorder,
    pub draws: Draws,
    pub clock: WorldClock,
    pub watch: Watch,
    /// The seed of the run.
    pub seed: u64,
    /// Whether time is real and sockets are those of this machine.
    pub real: bool,
    /// The clients of a served world, which has no callers of its own.
    pub clients: Option<ExternalClients>,
    /// Set when the world has ended.
    pub end: Arc<OnceLock<WorldEnd>>,
    /// Set to the host on which the subject runs, as soon as there is one.
    pub app: HostOfSubject,
    /// What the run may take.
    pub budget: Budget,
}

/// The state of the world at its end.
#[derive(Clone, Debug, Default)]
pub(super) struct WorldEnd {
    /// The name of the subject. A driver tells its own only after it has started.
    pub subject: String,
    /// The date at which it began.
    pub start: Option<Timestamp>,
    /// How long it was played.
    pub ended: Duration,
    /// When an action of the timeline last made something better.
    pub last_repair: Option<Duration>,
    /// Whether no fault is installed and every service is up and can be reached.
    pub healthy: bool,
    /// Why the run says nothing about the subject: the harness could not play it.
    pub harness_failure: Option<String>,
}

impl WorldDriver {
    pub async fn play(mut self, host: Host, control: Arc<dyn Control>) {
        let end = match self.prepare(&host).await {
            Ok(door) => self.drive(&host, &*control, door).await,
            Err(why) => WorldEnd {
                harness_failure: Some(why),
                ..WorldEnd::default()
            },
        };
        let _ = self.end.set(end);
        self.backend.close();
    }

    /// Does what must be done before the clock starts: opens the world to processes outside, if it
    /// has any, and starts the subject's.
    ///
    /// # Errors
    /// Why the world cannot be played.
    async fn prepare(&mut self, host: &Host) -> Result<Option<Door>, String> {
        let variables = match &self.clients {
            Some(clients) => clients.variables.clone(),
            None => Vec::new(),
        };
        if self.clients.is_none() && !(self.real && self.subject.is_outside()) {
            return Ok(None);
        }
        self.backend.open_to_the_outside();
        let clients = self.clients.as_ref();
        if let Some(capture) = clients.and_then(|clients| clients.capture.clone()) {
            self.backend.capture_with(capture);
        }
        let door = Door::open(live::Plan {
            host,
            backend: &self.backend,
            recorder: &self.recorder,
            world: &self.scenario.world,
            commands: commands(&self.scenario),
            zone: self.zone(),
            port: self.clients.as_ref().and_then(|clients| clients.port),
            imds: clients.map(|clients| clients.imds).unwrap_or_default(),
            variables: &variables,
            seed: self.seed,
        })
        .await?;
        if self.clients.is_none()
            && let Some(ready) = self.subject.start(&door.environment.whole())?
        {
            self.subject = ready;
        }
        Ok(Some(door))
    }

    fn zone(&self) -> TimeZone {
        let name = self.scenario.world.host.time_zone.as_deref();
        // The same rules of every zone on every machine. An unknown one does not pass validation.
        name.and_then(|name| TimeZoneDatabase::bundled().get(name).ok())
            .unwrap_or(TimeZone::UTC)
    }

    async fn drive(
        &mut self,
        host: &Host,
        control: &dyn Control,
        mut door: Option<Door>,
    ) -> WorldEnd {
        if let Some(start) = control.begin() {
            self.backend.begin(start);
        }
        let _ = self.clock.set(host.runtime.clone());
        let world = &self.scenario.world;
        let start = self.backend.time(Duration::ZERO);
        let state = Arc::new(HostState::new(
            host.clone(),
            HostClock::new(start, world.host.clock_skew, self.zone()),
            self.backend.clone(),
            self.recorder.clone(),
            self.draws.clone(),
            world.host_environment(),
        ));
        let _ = self.app.set(state.clone());
        for (name, _) in self.backend.hosts() {
            state.set_reach(&name, Reach::Reachable);
        }
        let run = Arc::new(RunState::new(
            self.scenario.clone(),
            state,
            self.watch.clone(),
            self.subject.clone(),
            self.budget.clone(),
        ));
        // Faults that end by themselves do so on time, whatever the schedule is waiting for.
        let faults = self.backend.clone().end_faults(host.runtime.clone());
        let _faults = host.runtime.spawn(Box::pin(faults));
        run.prepare_host(control, door.as_ref().map(Door::files));
        if let Some(door) = &mut door {
            let state = run.host.clone();
            door.follow(Arc::new(move || state.reached(IMDS_HOST)))
                .await;
        }
        match (self.clients.take(), &door) {
            (Some(clients), Some(door)) => {
                let visit = (clients.visit)(door, control.interrupted());
                let timeline = async {
                    timeline(&run, host, control).await;
                    // What the world has become, it stays until the clients are done.
                    std::future::pending::<()>().await;
                };
                tokio::select! { biased;
                    () = visit => {}
                    () = timeline => {}
                }
                door.settle().await;
            }
            _ => {
                tokio::select! { biased;
                    () = timeline(&run, host, control) => {}
                    why = cut_short(self.real, &*self.subject, host, control) => {
                        return WorldEnd { harness_failure: Some(why), ..WorldEnd::default() };
                    }
                }
            }
        }
        let ended = host.runtime.elapsed();
        run.record_leftovers();
        WorldEnd {
            subject: self.subject.name().to_owned(),
            start: Some(start),
            ended,
            last_repair: run.last_repair(),
            healthy: self.backend.healthy() && run.host.reaches_all(),
            // What broke between us and the subject: then the run says nothing about it.
            harness_failure: self.subject.harness_failure(),
        }
    }
}

/// The commands that a scenario has at its start or brings later.
fn commands(scenario: &Scenario) -> BTreeSet<Program> {
    let has = scenario.world.commands();
    let has = has.filter(|command| command.common().installed);
    let mut all: BTreeSet<Program> = has.map(|command| command.program()).collect();
    let brings = |name| {
        let mut brought = scenario.at.iter().map(|at| at.action.consequences().brings);
        brought.any(|brings| brings == Some(name))
    };
    let later = Program::ALL.iter().copied();
    all.extend(later.filter(|program| brings(program.name())));
    all
}

/// How often a subject in a process of its own is asked whether that has failed.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// Completes with why a world in real time need not be played to its end.
async fn cut_short(
    real: bool,
    subject: &dyn Subject,
    host: &Host,
    control: &dyn Control,
) -> String {
    let broken = async {
        if !real {
            std::future::pending::<()>().await;
        }
        loop {
            host.runtime.sleep(LOOK_AGAIN).await;
            if let Some(why) = subject.harness_failure() {
                return why;
            }
        }
    };
    tokio::select! { biased;
        _ = control.interrupted() => "a signal has ended this process".to_owned(),
        why = broken => why,
    }
}

/// Plays the schedule to the world's end.
async fn timeline(run: &Arc<RunState>, host: &Host, control: &dyn Control) {
    let shared = run.needs_shared().then(|| run.instance());
    let mut schedule = Schedule::of(&run.scenario);
    let end = run.scenario.world.lasts.0;
    while let Some((at, entry)) = schedule.next_before(end) {
        wait_until(host, at).await;
        match entry {
            Entry::Event(index) => {
                let Some(change) = run.scenario.at.get(index) else {
                    continue;
                };
                // Real time is a little late, and so is what happens in it.
                let at = at.max(host.runtime.elapsed());
                run.apply(&change.action, control, shared.as_ref(), at);
            }
            Entry::Rotation(index, _) => run.rotate_file(index, at.max(host.runtime.elapsed())),
            Entry::Call(step) => run.clone().call(step, shared.clone()),
        }
    }
    wait_until(host, end).await;
}

async fn wait_until(host: &Host, at: Duration) {
    let wait = at.saturating_sub(host.runtime.elapsed());
    if !wait.is_zero() {
        host.runtime.sleep(wait).await;
    }
}
