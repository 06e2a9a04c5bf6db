//! What the timeline and the callers of one run share: the credentials under test, the host, and
//! what the run must know at its end.

use std::{
    collections::BTreeMap,
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use credsim_identity::{TokenCredentialExt, TokenRequest};

use super::watch::Watch;
use crate::{
    action::{Action, ActionContext, NetworkChange, Repair, SharedCredential},
    call::{Call, CallContext, SecretWatch as _, SubjectInstance},
    credential::BuiltSubject,
    engine::Control,
    host::{FilesOutside, HostState, Lender},
    limits::Budget,
    service::{Reach, redis::redis_hosts},
    story::Scenario,
    subject::{Lent, RedisReporter, Subject},
    trace::{Kind, RedisEvent},
    world::{Service, files::WorldFile},
};

/// What the timeline and the callers of one run share.
pub(super) struct RunState {
    pub scenario: Arc<Scenario>,
    /// The host on which the subject runs.
    pub host: Arc<HostState>,
    pub watch: Watch,
    subject: Arc<dyn Subject>,
    /// What the run may take.
    pub(super) budget: Budget,
    /// How many credentials were built.
    instances: AtomicU32,
    /// How many calls have begun.
    pub(super) calls: AtomicU64,
    /// How often each `[[call]]` has begun, by its index.
    pub(super) repetitions: Mutex<BTreeMap<usize, u64>>,
    /// What the calls share.
    pub(super) call_context: Arc<CallContext>,
    /// The disposed credentials, whose leftovers are recorded at the end.
    disposed: Mutex<Vec<Arc<SubjectInstance>>>,
    /// The credentials of callers that have one each, by the index of the call and the caller.
    pub(super) own: Mutex<BTreeMap<(usize, u32), Arc<SubjectInstance>>>,
    /// When an action of the timeline last made something better.
    last_repair: Mutex<Option<Duration>>,
}

impl RunState {
    pub fn new(
        scenario: Arc<Scenario>,
        host: Arc<HostState>,
        watch: Watch,
        subject: Arc<dyn Subject>,
        budget: Budget,
    ) -> Self {
        let call_context = Arc::new(CallContext {
            host: host.clone(),
            world: Arc::new(scenario.world.clone()),
            secrets: Arc::new(watch.clone()),
            states: Default::default(),
        });
        Self {
            scenario,
            host,
            watch,
            subject,
            budget,
            instances: AtomicU32::new(0),
            calls: AtomicU64::new(0),
            repetitions: Mutex::default(),
            call_context,
            disposed: Mutex::default(),
            own: Mutex::default(),
            last_repair: Mutex::default(),
        }
    }

    /// Makes the services as reachable as the world says that they are at its start.
    fn set_initial_reach(&self, control: &dyn Control) {
        let world = &self.scenario.world;
        for service in Service::ALL.iter().copied() {
            let reach = service.of(world).map_or(Reach::Reachable, |of| of.reach());
            if reach != Reach::Reachable {
                let change = Action::Network(NetworkChange { service, reach });
                self.apply(&change, control, None, Duration::ZERO);
            }
        }
    }

    /// When an action of the timeline last made something better.
    pub fn last_repair(&self) -> Option<Duration> {
        *lock(&self.last_repair)
    }

    /// Records an event now.
    pub fn record(&self, kind: Kind) {
        self.host.recorder.record(self.host.elapsed(), kind);
    }

    /// Whether a call uses the shared credential.
    pub fn needs_shared(&self) -> bool {
        self.scenario.call.iter().any(Call::needs_shared)
    }

    /// Builds a credential, or the Redis client around one, and records that or why it failed.
    pub fn instance(&self) -> Arc<SubjectInstance> {
        let number = self.instances.fetch_add(1, Ordering::Relaxed) + 1;
        let (platform, observer, leftovers) = Lender::lend(&self.host, number);
        let tenant = self.scenario.world.entra.as_ref().map_or_else(
            || crate::backend::settings::DEFAULT_TENANT.to_owned(),
            |entra| entra.tenant.clone(),
        );
        let lent = Lent {
            platform,
            observer,
            tenant,
            redis: redis_hosts(self.scenario.world.redis.as_ref()),
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
        Arc::new(SubjectInstance::new(number, built, leftovers))
    }

    /// Applies an action of the timeline.
    pub fn apply(
        &self,
        action: &Action,
        control: &dyn Control,
        shared: Option<&Arc<SubjectInstance>>,
        at: Duration,
    ) {
        if action.consequences().repair == Repair::Now {
            let mut last = lock(&self.last_repair);
            *last = Some(at);
        }
        let shared = shared.map(|shared| SharedOfRun { run: self, shared });
        let shared = shared.filter(|shared| shared.shared.built.is_ok());
        action.apply(&ActionContext {
            at,
            backend: &self.host.backend,
            host: &self.host,
            control,
            shared: shared
                .as_ref()
                .map(|shared| shared as &dyn SharedCredential),
        });
    }

    /// Makes the host as it is when the world begins: which services it reaches, and its files, of
    /// which `outside` has copies.
    pub fn prepare_host(&self, control: &dyn Control, outside: Option<Box<dyn FilesOutside>>) {
        self.set_initial_reach(control);
        if let Some(outside) = outside {
            self.host.copy_files_to(outside);
        }
        for (path, file) in &self.scenario.world.files {
            // A path that is in the way of another one is the scenario's own, and is seen at once.
            let _ = self.write(path, file, Duration::ZERO);
        }
    }

    /// Writes a file of the host anew, by its place in `[world.files]`, and records that.
    pub fn rotate_file(&self, index: usize, at: Duration) {
        let Some((path, file)) = self.scenario.world.files.iter().nth(index) else {
            return;
        };
        let what = match self.write(path, file, at) {
            Ok(()) => format!("{path} is written with {}", file.holds.describe()),
            Err(error) => format!("{path} is not written: {error}"),
        };
        self.host.backend.record_world(at, what);
    }

    fn write(&self, path: &str, file: &WorldFile, at: Duration) -> io::Result<()> {
        let content = file.holds.bytes(&self.host.backend, at);
        self.host.write_file(path, &content, file.readable)
    }

    /// Records what each disposed credential still holds: tasks, timers and cached tokens.
    pub fn record_leftovers(&self) {
        let disposed = lock(&self.disposed);
        for instance in disposed.iter() {
            let Ok(built) = &instance.built else { continue };
            let tokens = match built {
                BuiltSubject::Credential(built) => {
                    let repetitions = lock(&self.repetitions);
                    let asked = repetitions.iter();
                    let asked = asked.filter_map(|(step, times)| {
                        let call = self.scenario.call.get(*step)?;
                        Some(call.token_requests(&self.scenario.world, *times))
                    });
                    let asked = asked.flatten();
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

    /// Records what a Redis client reports about itself.
    fn reporter(&self, instance: u32) -> RedisReporter {
        let (host, watch) = (self.host.clone(), self.watch.clone());
        Arc::new(move |what, words| {
            let words = watch.vetted("report", words);
            let event = RedisEvent::Reported {
                instance,
                what,
                words,
            };
            host.recorder.record(host.elapsed(), Kind::Redis(event));
        })
    }
}

/// The shared credential of a run, as actions see it.
struct SharedOfRun<'a> {
    run: &'a RunState,
    shared: &'a Arc<SubjectInstance>,
}

impl SharedCredential for SharedOfRun<'_> {
    fn instance(&self) -> u32 {
        self.shared.number
    }

    fn dispose(&self) {
        match &self.shared.built {
            Ok(BuiltSubject::Credential(built)) => built.credential.dispose(),
            Ok(BuiltSubject::Redis(client)) => {
                self.run.call_context.states.before_dispose();
                client.dispose();
            }
            // There is nothing to dispose.
            Err(_) => return,
        }
        lock(&self.run.disposed).push(self.shared.clone());
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
