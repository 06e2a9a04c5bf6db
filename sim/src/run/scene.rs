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
use jiff::Timestamp;

use super::{APP, caller, redis::Connections, watch::Watch};
use crate::{
    credential::BuiltSubject,
    engine::Control,
    host::{HostState, Leftovers, Lender},
    scenario::{Action, Reach, Scenario, Service},
    service::{entra::ENTRA_HOST, imds::IMDS_HOST, redis::redis_hosts},
    subject::{Lent, RedisReporter, Subject},
    trace::{Fingerprint, Kind, RedisEvent},
};

/// A credential of the run.
pub(super) struct Instanced {
    pub number: u32,
    pub built: Result<BuiltSubject, Error>,
    leftovers: Arc<Leftovers>,
    /// The tokens that it handed out lately, so that they need not be digested again.
    pub seen_tokens: Mutex<VecDeque<(AccessToken, Fingerprint)>>,
}

/// The running story, shared by its callers.
pub(super) struct Scene {
    pub scenario: Arc<Scenario>,
    pub state: Arc<HostState>,
    pub watch: Watch,
    subject: Arc<dyn Subject>,
    instances: AtomicU32,
    pub(super) calls: AtomicU64,
    /// How often each step was repeated.
    pub(super) repetitions: Mutex<BTreeMap<usize, u64>>,
    /// The connections to Redis.
    pub connections: Connections,
    disposed: Mutex<Vec<Arc<Instanced>>>,
    /// The credentials of callers that have their own, by step and caller.
    pub(super) own: Mutex<BTreeMap<(usize, u32), Arc<Instanced>>>,
    /// The hosts that have crashed and are not up again.
    down: Mutex<BTreeSet<String>>,
    /// Tokens of callers that keep them, by step and caller.
    kept: Mutex<BTreeMap<(usize, u32), AccessToken>>,
    last_repair: Mutex<Option<Duration>>,
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
            repetitions: Mutex::default(),
            connections: Connections::default(),
            disposed: Mutex::default(),
            own: Mutex::default(),
            down: Mutex::default(),
            kept: Mutex::default(),
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
            (
                Service::Redis,
                world.redis.as_ref().map(|redis| redis.reach),
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
        *lock(&self.last_repair)
    }

    pub fn record(&self, kind: Kind) {
        self.state.recorder.record(self.state.elapsed(), kind);
    }

    pub fn needs_shared(&self) -> bool {
        self.scenario
            .call
            .iter()
            .any(|call| call.credential.is_shared())
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
            redis: redis_hosts(&self.scenario.world),
            reporter: self.reporter(number),
        };
        let subject = &self.scenario.subject;
        let built = match &subject.redis {
            Some(client) => {
                let built = self.subject.build_redis(client, &subject.credential, &lent);
                built.map(BuiltSubject::Redis)
            }
            None => {
                let built = self.subject.build(&subject.credential, &lent);
                built.map(BuiltSubject::Credential)
            }
        };
        match &built {
            Ok(built) => {
                if let BuiltSubject::Credential(built) = built {
                    let told = format!("{:?}", built.credential);
                    self.watch.check("debug", &told);
                }
                self.record(Kind::Built {
                    instance: number,
                    credential: built.name().to_owned(),
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
            seen_tokens: Mutex::default(),
        })
    }

    pub fn change(
        &self,
        action: &Action,
        control: &dyn Control,
        shared: Option<&Arc<Instanced>>,
        at: Duration,
    ) {
        if action.is_repair() {
            let mut last = lock(&self.last_repair);
            *last = Some(at);
        }
        match action {
            Action::Network(change) => self.change_network(control, change.service, change.reach),
            Action::Crash(service) => {
                self.world(format!("{} crashes", service.service.name()));
                self.state.stage.apply(action, at);
                self.down(service.service, true);
                for host in self.hosts_of(service.service) {
                    control.crash(&host);
                }
            }
            Action::Restart(service) => {
                self.world(format!("{} restarts", service.service.name()));
                self.down(service.service, false);
                for host in self.hosts_of(service.service) {
                    control.restart(&host);
                }
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
                    match built {
                        BuiltSubject::Credential(built) => built.credential.dispose(),
                        BuiltSubject::Redis(client) => {
                            self.connections.drop_all();
                            client.dispose();
                        }
                    }
                    let mut disposed = lock(&self.disposed);
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
        let name = service.name();
        self.world(match reach {
            Reach::Reachable => format!("{name} is reachable again"),
            Reach::Refused => format!("{name} refuses connections"),
            Reach::BlackHoled => format!("packets to {name} vanish"),
            Reach::Unreachable => format!("there is no route to {name}"),
        });
        for host in self.hosts_of(service) {
            let before = self.state.reach(&host);
            self.state.set_reach(&host, reach);
            if reach == Reach::BlackHoled {
                control.hold(APP, &host);
            } else if before == Some(Reach::BlackHoled) {
                control.release(APP, &host);
            }
        }
    }

    /// Where a service is found.
    fn hosts_of(&self, service: Service) -> Vec<String> {
        match service {
            Service::Imds => vec![IMDS_HOST.to_owned()],
            Service::Entra => vec![ENTRA_HOST.to_owned()],
            Service::Redis => self.state.stage.redis_hosts().to_vec(),
        }
    }

    fn down(&self, service: Service, down: bool) {
        let mut hosts = lock(&self.down);
        for host in self.hosts_of(service) {
            if down {
                hosts.insert(host);
            } else {
                hosts.remove(&host);
            }
        }
    }

    pub fn all_reachable(&self) -> bool {
        let services = [Service::Imds, Service::Entra, Service::Redis];
        let mut hosts = services.into_iter().flat_map(|one| self.hosts_of(one));
        let is_reached = |host: String| {
            let reach = self.state.reach(&host);
            matches!(reach, None | Some(Reach::Reachable))
        };
        lock(&self.down).is_empty() && hosts.all(is_reached)
    }

    /// What disposed credentials still hold (the eighth invariant).
    pub fn account_for_disposed(&self) {
        let disposed = lock(&self.disposed);
        for instance in disposed.iter() {
            let Ok(built) = &instance.built else { continue };
            let tokens = match built {
                BuiltSubject::Credential(built) => {
                    let repetitions = lock(&self.repetitions);
                    let asked = repetitions.iter();
                    let asked = asked.flat_map(|(step, times)| {
                        caller::all_requests(&self.scenario, *step, *times)
                    });
                    let cached = |request: &TokenRequest| built.credential.cached(request);
                    asked.filter(|request| cached(request).is_some()).count()
                }
                BuiltSubject::Redis(client) => client.tokens(),
            };
            self.record(Kind::Leftovers {
                instance: instance.number,
                tasks: instance.leftovers.tasks(),
                timers: instance.leftovers.timers(),
                tokens,
            });
        }
    }

    pub fn kept(&self) -> MutexGuard<'_, BTreeMap<(usize, u32), AccessToken>> {
        lock(&self.kept)
    }

    /// Writes what a Redis client reports about itself.
    fn reporter(&self, instance: u32) -> RedisReporter {
        let (state, watch) = (self.state.clone(), self.watch.clone());
        Arc::new(move |what, words| {
            let words = watch.vetted("report", words);
            let event = RedisEvent::Reported {
                instance,
                what,
                words,
            };
            state.recorder.record(state.elapsed(), Kind::Redis(event));
        })
    }

    /// A moment of the host's wall clock as time since the world's start.
    pub fn since_the_start(&self, at: Timestamp) -> Duration {
        let elapsed = self.state.elapsed();
        let ago = self.state.now().duration_since(at);
        match Duration::try_from(ago) {
            Ok(ago) => elapsed.saturating_sub(ago),
            Err(_) => elapsed,
        }
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
