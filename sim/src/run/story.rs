//! The driving host: opens the world to who is outside, starts its clock, and lets happen what the
//! scenario says.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use jiff::{
    Timestamp,
    tz::{TimeZone, TimeZoneDatabase},
};

use super::{
    Guests, WorldClock,
    agenda::{Agenda, Item},
    machine::HostOfSubject,
    scene::Scene,
    watch::Watch,
};
use crate::{
    backend::Stage,
    draws::Draws,
    engine::{Control, Host},
    host::{HostClock, HostState},
    live::{self, Door},
    scenario::{Reach, Scenario},
    subject::Subject,
    trace::Recorder,
};

/// What is needed to play a scenario.
pub(super) struct Story {
    pub scenario: Arc<Scenario>,
    pub subject: Arc<dyn Subject>,
    pub stage: Stage,
    pub recorder: Recorder,
    pub draws: Draws,
    pub clock: WorldClock,
    pub watch: Watch,
    /// The run's.
    pub seed: u64,
    /// Whether time is real and sockets are those of this machine.
    pub real: bool,
    /// Who comes from outside, if nobody here calls.
    pub guests: Option<Guests>,
    pub ending: Arc<OnceLock<Ending>>,
    /// Gets the host on which the subject runs.
    pub app: HostOfSubject,
}

/// How the world stood at its end.
#[derive(Clone, Debug, Default)]
pub(super) struct Ending {
    /// Who played it: by then a driver has said who it is.
    pub subject: String,
    /// The date at which it began.
    pub start: Option<Timestamp>,
    /// How long it was played.
    pub ended: Duration,
    pub last_repair: Option<Duration>,
    pub healthy: bool,
    /// What kept it from being played.
    pub harness_failure: Option<String>,
}

impl Story {
    pub async fn play(mut self, host: Host, control: Arc<dyn Control>) {
        let ending = match self.prepare(&host).await {
            Ok(door) => self.tell(&host, &*control, door).await,
            Err(why) => Ending {
                harness_failure: Some(why),
                ..Ending::default()
            },
        };
        let _ = self.ending.set(ending);
        self.stage.close();
    }

    /// What must be there before the clock starts: for who is outside, a door.
    async fn prepare(&mut self, host: &Host) -> Result<Option<Door>, String> {
        let variables = match &self.guests {
            Some(guests) => guests.variables.clone(),
            None => Vec::new(),
        };
        if self.guests.is_none() && !(self.real && self.subject.is_outside()) {
            return Ok(None);
        }
        self.stage.open_to_the_outside();
        if let Some(witness) = self
            .guests
            .as_ref()
            .and_then(|guests| guests.witness.clone())
        {
            self.stage.tell(witness);
        }
        let door = Door::open(live::Plan {
            host,
            stage: &self.stage,
            recorder: &self.recorder,
            world: &self.scenario.world,
            zone: self.zone(),
            port: self.guests.as_ref().and_then(|guests| guests.port),
            variables: &variables,
            seed: self.seed,
        })
        .await?;
        if self.guests.is_none()
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

    async fn tell(&mut self, host: &Host, control: &dyn Control, door: Option<Door>) -> Ending {
        if let Some(start) = control.begin() {
            self.stage.begin(start);
        }
        let _ = self.clock.set(host.runtime.clone());
        let world = &self.scenario.world;
        let start = self.stage.time(Duration::ZERO);
        let state = Arc::new(HostState::new(
            host.clone(),
            HostClock::new(start, world.host.clock_skew, self.zone()),
            self.stage.clone(),
            self.recorder.clone(),
            self.draws.clone(),
            world.environment.clone(),
        ));
        let _ = self.app.set(state.clone());
        for (name, _) in self.stage.hosts() {
            state.set_reach(&name, Reach::Reachable);
        }
        let scene = Arc::new(Scene::new(
            self.scenario.clone(),
            state,
            self.watch.clone(),
            self.subject.clone(),
        ));
        // Faults that end by themselves do so on time, whatever the agenda is doing.
        let faults = self.stage.clone().end_faults(host.runtime.clone());
        let _faults = host.runtime.spawn(Box::pin(faults));
        match (self.guests.take(), &door) {
            (Some(guests), Some(door)) => {
                let visit = (guests.visit)(door, control.interrupted());
                let timeline = async {
                    timeline(&scene, host, control).await;
                    // What the world has become, it stays until the guests are gone.
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
                    () = timeline(&scene, host, control) => {}
                    why = cut_short(self.real, &*self.subject, host, control) => {
                        return Ending { harness_failure: Some(why), ..Ending::default() };
                    }
                }
            }
        }
        let ended = host.runtime.elapsed();
        scene.account_for_disposed();
        Ending {
            subject: self.subject.name().to_owned(),
            start: Some(start),
            ended,
            last_repair: scene.last_repair(),
            healthy: self.stage.healthy() && scene.state.reaches_all(),
            // What broke between us and the subject: then the run says nothing about it.
            harness_failure: self.subject.harness_failure(),
        }
    }
}

/// How often a subject outside is asked whether it is still there.
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
        _ = control.interrupted() => "somebody has ended this process".to_owned(),
        why = broken => why,
    }
}

/// Everything that the scenario says will happen, at its time, until the world's end.
async fn timeline(scene: &Arc<Scene>, host: &Host, control: &dyn Control) {
    scene.lay_out(control);
    let shared = scene.needs_shared().then(|| scene.instance());
    let mut agenda = Agenda::of(&scene.scenario);
    let end = scene.scenario.world.lasts.0;
    while let Some((at, item)) = agenda.next_before(end) {
        wait_until(host, at).await;
        match item {
            Item::Change(index) => {
                let Some(change) = scene.scenario.at.get(index) else {
                    continue;
                };
                // Real time is a little late, and so is what happens in it.
                let at = at.max(host.runtime.elapsed());
                scene.change(&change.action, control, shared.as_ref(), at);
            }
            Item::Call(step) => scene.clone().call(step, shared.clone()),
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
