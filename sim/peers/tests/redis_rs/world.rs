//! A world with IMDS, the Redis made by hand, and a client on a host.

use std::{
    any::Any,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use credsim::{
    backend::Backend,
    draws::Draws,
    engine::{Engine, EngineError, Host, Surroundings, World},
    host::{HostClock, HostState, Lender},
    subject::{Lent, MachineClock, RedisClient, RedisConnection, Subject},
    trace::{Kind, Recorder, Trace},
};
use credsim_peers::{RedisRs, interposed::Interposed};
use jiff::{Timestamp, tz::TimeZone};

use super::responder::{Asked, Story, serve};

pub const REDIS: &str = "redis.contoso.example";

/// What a test says of its world.
pub struct Setting {
    pub seed: u64,
    /// More of the world, as in a scenario.
    pub world: String,
    /// `[subject.redis]`, as in a scenario.
    pub client: String,
    pub story: Story,
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            seed: 1,
            world: "token-life = \"1h\"".to_owned(),
            client: "protocol = \"resp2\"".to_owned(),
            story: Story::default(),
        }
    }
}

/// What is left of it.
pub struct Left {
    pub asked: Vec<Asked>,
    pub notes: Vec<String>,
    pub trace: Trace,
}

impl Left {
    /// Times of the commands of this name, in milliseconds, with their words.
    pub fn of(&self, name: &str) -> Vec<(u128, &str)> {
        let asked = self.asked.iter();
        let asked = asked.filter(|asked| asked.words.split(' ').next() == Some(name));
        asked
            .map(|asked| (asked.at, asked.words.as_str()))
            .collect()
    }

    pub fn token_requests(&self) -> Vec<u128> {
        let sent = |kind: &Kind| matches!(kind, Kind::RequestSent { .. });
        let events = self.trace.events.iter().filter(|event| sent(&event.kind));
        events.map(|event| event.at.as_millis()).collect()
    }
}

/// What a story is told with.
#[derive(Clone)]
pub struct Cast {
    pub host: Host,
    pub state: Arc<HostState>,
    pub client: Arc<dyn RedisClient>,
    notes: Arc<Mutex<Vec<String>>>,
}

impl Cast {
    pub fn note(&self, what: impl std::fmt::Display) {
        let at = self.host.runtime.elapsed().as_millis();
        self.notes.lock().unwrap().push(format!("{at} {what}"));
    }

    pub async fn wait_until(&self, seconds: f64) {
        let at = Duration::from_secs_f64(seconds);
        let wait = at.saturating_sub(self.host.runtime.elapsed());
        self.host.runtime.sleep(wait).await;
    }

    pub async fn send(&self, on: &Arc<dyn RedisConnection>, commands: &[&str]) {
        for command in commands {
            let words = credsim::service::redis::parse_command(command).unwrap();
            let replies = on
                .send(vec![words], credsim::credential::RedisHow::OneByOne)
                .await;
            self.note(format!("{command}: {replies:?}"));
        }
    }
}

/// Shows the clock of the host, as a run does.
struct Machine {
    seed: u64,
    host: Arc<OnceLock<Arc<HostState>>>,
}

fn start() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

impl Surroundings for Machine {
    fn enter(&self) -> Result<Box<dyn Any>, EngineError> {
        Interposed.enter(start(), self.seed).map_err(EngineError)
    }

    fn moved(&self, elapsed: Duration) {
        let host = self.host.get();
        let wall = host.map_or_else(start, |host| host.clock.shows(elapsed));
        Interposed.show(wall, elapsed);
    }
}

#[derive(serde::Deserialize)]
struct Scene {
    world: credsim::world::World,
    subject: credsim::credential::Subject,
}

impl Scene {
    fn new(setting: &Setting) -> Self {
        toml::from_str(&format!(
            r#"
        [world]
        start = "2026-01-01T00:00:00Z"
        lasts = "10d"
        [world.imds]
        system-identity = {{ object-id = "5e29463d-0000-0000-0000-000000000001" }}
        {}
        [subject]
        credential.managed-identity = {{}}
        [subject.redis]
        {}
        "#,
            setting.world, setting.client
        ))
        .unwrap()
    }
}

pub fn play<F>(setting: Setting, story: impl FnOnce(Cast) -> F + Send + 'static) -> Left
where
    F: Future<Output = ()> + Send + 'static,
{
    let scene = Scene::new(&setting);
    let recorder = Recorder::default();
    let backend = Backend::new(&scene.world, setting.seed, recorder.clone());
    let redis = Arc::new(setting.story);
    let notes = Arc::<Mutex<Vec<String>>>::default();
    let app = Arc::<OnceLock<Arc<HostState>>>::default();
    let mut servers = backend.hosts();
    servers.push((REDIS.to_owned(), serve(redis.clone())));
    let names: Vec<String> = servers.iter().map(|(name, _)| name.clone()).collect();
    let machine = Machine {
        seed: setting.seed,
        host: app.clone(),
    };
    let (kept, told) = (recorder.clone(), notes.clone());
    let drive = move |host: Host, _| -> credsim::engine::BoxFuture<'static, ()> {
        Box::pin(async move {
            let state = Arc::new(HostState::new(
                host.clone(),
                HostClock::new(start(), scene.world.host.clock_skew, TimeZone::UTC),
                backend.clone(),
                recorder,
                Draws::new(setting.seed),
                scene.world.environment.clone(),
            ));
            let _ = app.set(state.clone());
            for name in names {
                state.set_reach(&name, credsim::service::Reach::Reachable);
            }
            let (platform, observer, _) = Lender::lend(&state, 1);
            let lent = Lent {
                platform,
                observer,
                tenant: "tenant".to_owned(),
                redis: vec![(REDIS.to_owned(), 6380)],
                reporter: Arc::new(|_, _| {}),
            };
            let subject = &scene.subject;
            let client = subject.redis.as_ref().unwrap();
            let client = RedisRs.build_redis(client, &subject.credential, &lent);
            let cast = Cast {
                host,
                state,
                client: client.unwrap(),
                notes,
            };
            story(cast).await;
            backend.close();
        })
    };
    let world = World {
        seed: setting.seed,
        horizon: Duration::from_secs(30 * 86_400),
        stall_limit: credsim::engine::STALL_LIMIT,
        budget: credsim::limits::Budget::default(),
        servers,
        driver: ("app".to_owned(), Box::new(drive)),
    };
    Engine::Lapse.play_within(world, Arc::new(machine)).unwrap();
    let asked = redis.asked.lock().unwrap().clone();
    let notes = told.lock().unwrap().clone();
    Left {
        asked,
        notes,
        trace: kept.finish(),
    }
}
