//! The driving host: builds the credentials, changes the world, and lets callers call.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use credsim_identity::{AccessToken, Error, TokenRequest};
use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::{
    WorldClock,
    agenda::{Agenda, Item},
    caller::{self, Caller},
    watch::Watch,
};
use crate::{
    draws::Draws,
    endpoint::Stage,
    engine::{Control, Host},
    run::APP,
    scenario::{Action, Instance, Reach, Scenario, Service},
    subject::{Built, HostClock, HostState, Leftovers, Lender, Lent, Subject},
    trace::{Fingerprint, Kind, Recorder},
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
    pub ending: Arc<OnceLock<Ending>>,
}

/// How the world stood at its end.
#[derive(Clone, Debug, Default)]
pub(super) struct Ending {
    pub last_repair: Option<Duration>,
    pub healthy: bool,
}

/// A credential of the run.
pub(super) struct Instanced {
    pub number: u32,
    pub built: Result<Built, Error>,
    leftovers: Arc<Leftovers>,
}

/// The running story, shared by its callers.
pub(super) struct Scene {
    pub scenario: Arc<Scenario>,
    pub state: Arc<HostState>,
    pub watch: Watch,
    subject: Arc<dyn Subject>,
    instances: AtomicU32,
    calls: AtomicU64,
    disposed: Mutex<Vec<Arc<Instanced>>>,
    /// The hosts that have crashed and are not up again.
    down: Mutex<BTreeSet<&'static str>>,
    /// Tokens of callers that keep them, by step and caller.
    kept: Mutex<BTreeMap<(usize, u32), AccessToken>>,
    /// The tokens handed out lately, so that they need not be digested again.
    seen_tokens: Mutex<VecDeque<(AccessToken, Fingerprint)>>,
}

impl Story {
    pub async fn play(self, host: Host, control: Arc<dyn Control>) {
        let _ = self.clock.set(host.runtime.clone());
        let world = &self.scenario.world;
        let zone = world
            .host
            .time_zone
            .as_deref()
            .map_or(TimeZone::UTC, |name| {
                // The same rules of every zone on every machine. An unknown one does not pass
                // validation.
                TimeZoneDatabase::bundled()
                    .get(name)
                    .unwrap_or(TimeZone::UTC)
            });
        let state = Arc::new(HostState::new(
            host.clone(),
            HostClock::new(world.start.0, world.host.clock_skew, zone),
            self.stage.clone(),
            self.recorder.clone(),
            self.draws.clone(),
            world.environment.clone(),
        ));
        for (name, _) in self.stage.hosts() {
            state.set_reach(&name, Reach::Reachable);
        }
        let scene = Arc::new(Scene {
            scenario: self.scenario.clone(),
            state,
            watch: self.watch.clone(),
            subject: self.subject.clone(),
            instances: AtomicU32::new(0),
            calls: AtomicU64::new(0),
            disposed: Mutex::default(),
            down: Mutex::default(),
            kept: Mutex::default(),
            seen_tokens: Mutex::default(),
        });
        let mut last_repair = None;
        let services = [
            (Service::Imds, world.imds.as_ref().map(|imds| imds.reach)),
            (
                Service::Entra,
                world.entra.as_ref().map(|entra| entra.reach),
            ),
        ];
        for (service, reach) in services {
            if let Some(reach) = reach.filter(|reach| *reach != Reach::Reachable) {
                scene.change_network(&*control, service, reach);
            }
        }
        let shared = scene.needs_shared().then(|| scene.instance());
        // Faults that end by themselves do so on time, whatever the agenda is doing.
        let faults = self.stage.clone().end_faults(host.runtime.clone());
        let _faults = host.runtime.spawn(Box::pin(faults));
        let mut agenda = Agenda::of(&self.scenario);
        let end = world.lasts.0;
        while let Some((at, item)) = agenda.next_before(end) {
            wait_until(&host, at).await;
            match item {
                Item::Change(index) => {
                    let Some(change) = self.scenario.at.get(index) else {
                        continue;
                    };
                    scene.change(&change.action, &*control, shared.as_ref(), at);
                    if change.action.is_repair() {
                        last_repair = Some(at);
                    }
                }
                Item::Call(step) => scene.clone().call(step, shared.clone()),
            }
        }
        wait_until(&host, end).await;
        scene.account_for_disposed();
        let healthy = self.stage.healthy() && scene.all_reachable();
        let _ = self.ending.set(Ending {
            last_repair,
            healthy,
        });
        self.stage.close();
    }
}

/// Where a service is found.
fn host_of(service: Service) -> &'static str {
    match service {
        Service::Imds => "169.254.169.254",
        Service::Entra => "login.microsoftonline.com",
    }
}

async fn wait_until(host: &Host, at: Duration) {
    let wait = at.saturating_sub(host.runtime.elapsed());
    if !wait.is_zero() {
        host.runtime.sleep(wait).await;
    }
}

impl Scene {
    pub fn record(&self, kind: Kind) {
        self.state.recorder.record(self.state.elapsed(), kind);
    }

    fn needs_shared(&self) -> bool {
        self.scenario
            .call
            .iter()
            .any(|call| call.credential != Instance::New)
    }

    /// Builds a credential.
    pub fn instance(&self) -> Arc<Instanced> {
        let number = self.instances.fetch_add(1, Ordering::Relaxed) + 1;
        let (platform, observer, leftovers) = Lender::lend(&self.state, number);
        let tenant = self.scenario.world.entra.as_ref().map_or_else(
            || crate::scenario::DEFAULT_TENANT.to_owned(),
            |entra| entra.tenant.clone(),
        );
        let lent = Lent {
            platform,
            observer,
            tenant,
        };
        let built = self.subject.build(&self.scenario.subject.credential, &lent);
        match &built {
            Ok(built) => {
                self.watch
                    .check("debug", &format!("{:?}", built.credential));
                self.record(Kind::Built {
                    instance: number,
                    credential: built.credential.name().to_owned(),
                });
            }
            Err(error) => {
                self.watch.check("error", &format!("{error:?}"));
                self.record(Kind::NotBuilt {
                    instance: number,
                    error: error.kind().to_string(),
                    message: self.watch.vetted("error", error.to_string()),
                });
            }
        }
        Arc::new(Instanced {
            number,
            built,
            leftovers,
        })
    }

    /// Starts the callers of a step.
    fn call(self: Arc<Self>, step: usize, shared: Option<Arc<Instanced>>) {
        let Some(call) = self.scenario.call.get(step) else {
            return;
        };
        for number in 1..=call.callers {
            let instance = match (&shared, call.credential) {
                (Some(shared), Instance::Shared | Instance::Clone) => shared.clone(),
                _ => self.instance(),
            };
            let caller = Caller {
                scene: self.clone(),
                step,
                number,
                call: self.calls.fetch_add(1, Ordering::Relaxed) + 1,
                instance,
            };
            self.state
                .host
                .runtime
                .spawn(Box::pin(caller::call(caller)))
                .detach();
        }
    }

    fn change(
        &self,
        action: &Action,
        control: &dyn Control,
        shared: Option<&Arc<Instanced>>,
        at: Duration,
    ) {
        match action {
            Action::Network(change) => self.change_network(control, change.service, change.reach),
            Action::Crash(service) => {
                self.world(format!("{} crashes", service.service.name()));
                self.state.stage.apply(action, at);
                self.down(service.service, true);
                control.crash(host_of(service.service));
            }
            Action::Restart(service) => {
                self.world(format!("{} restarts", service.service.name()));
                self.down(service.service, false);
                control.restart(host_of(service.service));
            }
            Action::StepClock(step) => {
                self.state.clock.step(step.by);
                self.world(format!("the clock of {APP} is stepped by {}", step.by));
            }
            Action::SetVariable(variable) => {
                self.state.set_variable(&variable.name, &variable.value);
                self.world(format!("{} is set on {APP}", variable.name));
            }
            Action::Dispose(_) => {
                if let Some(shared) = shared
                    && let Ok(built) = &shared.built
                {
                    self.record(Kind::Disposed {
                        instance: shared.number,
                    });
                    built.credential.dispose();
                    let mut disposed = self.disposed.lock().unwrap_or_else(PoisonError::into_inner);
                    disposed.push(shared.clone());
                }
            }
            other => {
                self.state.stage.apply(other, at);
            }
        }
    }

    fn world(&self, what: String) {
        self.record(Kind::World { what });
    }

    fn change_network(&self, control: &dyn Control, service: Service, reach: Reach) {
        let host = host_of(service);
        let name = service.name();
        let before = self.state.reach(host);
        self.world(match reach {
            Reach::Reachable => format!("{name} is reachable again"),
            Reach::Refused => format!("{name} refuses connections"),
            Reach::BlackHoled => format!("packets to {name} vanish"),
            Reach::Unreachable => format!("there is no route to {name}"),
        });
        self.state.set_reach(host, reach);
        if reach == Reach::BlackHoled {
            control.hold(APP, host);
        } else if before == Some(Reach::BlackHoled) {
            control.release(APP, host);
        }
    }

    fn down(&self, service: Service, down: bool) {
        let mut hosts = self.down.lock().unwrap_or_else(PoisonError::into_inner);
        if down {
            hosts.insert(host_of(service));
        } else {
            hosts.remove(host_of(service));
        }
    }

    fn all_reachable(&self) -> bool {
        let down = self.down.lock().unwrap_or_else(PoisonError::into_inner);
        down.is_empty()
            && [Service::Imds, Service::Entra].into_iter().all(|service| {
                matches!(
                    self.state.reach(host_of(service)),
                    None | Some(Reach::Reachable)
                )
            })
    }

    /// What disposed credentials still hold (the eighth invariant).
    fn account_for_disposed(&self) {
        let disposed = self.disposed.lock().unwrap_or_else(PoisonError::into_inner);
        for instance in disposed.iter() {
            let Ok(built) = &instance.built else { continue };
            let requests = self
                .scenario
                .call
                .iter()
                .map(|call| self.request(&call.action));
            let tokens = requests
                .filter(|r| built.credential.cached(r).is_some())
                .count();
            self.record(Kind::Leftovers {
                instance: instance.number,
                tasks: instance.leftovers.tasks(),
                timers: instance.leftovers.timers(),
                tokens,
            });
        }
    }

    pub fn kept(&self) -> MutexGuard<'_, BTreeMap<(usize, u32), AccessToken>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn seen_tokens(&self) -> MutexGuard<'_, VecDeque<(AccessToken, Fingerprint)>> {
        self.seen_tokens
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The token request that a call makes.
    pub fn request(&self, action: &crate::scenario::CallDo) -> TokenRequest {
        caller::request(&self.scenario, action)
    }
}
