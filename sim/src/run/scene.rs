//! The running story, shared by its callers: the credentials, and how the world changes.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use credsim_identity::{AccessToken, Error, TokenRequest};

use super::{
    APP,
    caller::{self, Caller},
    watch::Watch,
};
use crate::{
    endpoint::{ENTRA_HOST, IMDS_HOST},
    engine::Control,
    scenario::{Action, Instance, Reach, Scenario, Service},
    subject::{Built, HostState, Leftovers, Lender, Lent, Subject},
    trace::{Fingerprint, Kind},
};

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
    last_repair: Mutex<Option<Duration>>,
}

/// Where a service is found.
fn host_of(service: Service) -> &'static str {
    match service {
        Service::Imds => IMDS_HOST,
        Service::Entra => ENTRA_HOST,
    }
}

impl Scene {
    pub fn new(
        scenario: Arc<Scenario>,
        state: Arc<HostState>,
        watch: Watch,
        subject: Arc<dyn Subject>,
    ) -> Self {
        Self {
            scenario,
            state,
            watch,
            subject,
            instances: AtomicU32::new(0),
            calls: AtomicU64::new(0),
            disposed: Mutex::default(),
            down: Mutex::default(),
            kept: Mutex::default(),
            seen_tokens: Mutex::default(),
            last_repair: Mutex::default(),
        }
    }

    /// Makes the network what it is at the world's start.
    pub fn lay_out(&self, control: &dyn Control) {
        let world = &self.scenario.world;
        let services = [
            (Service::Imds, world.imds.as_ref().map(|imds| imds.reach)),
            (
                Service::Entra,
                world.entra.as_ref().map(|entra| entra.reach),
            ),
        ];
        for (service, reach) in services {
            if let Some(reach) = reach.filter(|reach| *reach != Reach::Reachable) {
                self.change_network(control, service, reach);
            }
        }
    }

    /// When something last got better.
    pub fn last_repair(&self) -> Option<Duration> {
        *self
            .last_repair
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub fn record(&self, kind: Kind) {
        self.state.recorder.record(self.state.elapsed(), kind);
    }

    pub fn needs_shared(&self) -> bool {
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
    pub fn call(self: Arc<Self>, step: usize, shared: Option<Arc<Instanced>>) {
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

    pub fn change(
        &self,
        action: &Action,
        control: &dyn Control,
        shared: Option<&Arc<Instanced>>,
        at: Duration,
    ) {
        if action.is_repair() {
            let mut last = self
                .last_repair
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            *last = Some(at);
        }
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

    pub fn all_reachable(&self) -> bool {
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
    pub fn account_for_disposed(&self) {
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
