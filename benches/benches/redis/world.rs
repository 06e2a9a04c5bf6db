//! A simulated world with IMDS and Redis, and the measured code on its host.

use std::{
    sync::{Arc, mpsc},
    time::Duration,
};

use credsim::{
    backend::Backend,
    draws::Draws,
    engine::{BoxFuture, Control, Engine, Host, STALL_LIMIT, World},
    host::{HostClock, HostState, Lender},
    run::DEFAULT_SEED,
    service::{
        Reach,
        redis::{REDIS_HOST, REDIS_PORT},
    },
    trace::Recorder,
};
use credsim_identity::{
    Platform,
    redis::{
        EntraIdCredentialsProvider, EntraIdCredentialsProviderFactory as Factory,
        EntraIdProviderOptions, RedisObserver, connection::RedisEndpoint,
    },
};
use jiff::tz::TimeZone;

use crate::Outcome;

/// What the measured code on the host uses.
pub struct Cast {
    pub host: Host,
    pub platform: Platform,
    /// Provides tokens of the host's managed identity, which last an hour.
    pub provider: EntraIdCredentialsProvider,
    pub endpoint: RedisEndpoint,
}

const WORLD: &str = r#"
title = "a bench"
story = "An app on a VM talks to Redis."
[world]
start = "2026-01-01T00:00:00Z"
lasts = "1d"
[world.imds]
token-life = "1h"
system-identity = { object-id = "5e29463d-0000-0000-0000-000000000001" }
[world.redis]
principals = ["5e29463d-0000-0000-0000-000000000001"]
[subject]
credential.managed-identity = {}
redis = {}
[[call]]
do.redis = { send = ["PING"] }
[[expect]]
that.redis-replies = {}
"#;

/// Runs `story` in a world of its own and returns its result. The world records a trace, as in any
/// run.
pub fn play<T, F>(
    engine: Engine,
    observer: Arc<dyn RedisObserver>,
    story: impl FnOnce(Cast) -> F + Send + 'static,
) -> Outcome<T>
where
    T: Send + 'static,
    F: Future<Output = Outcome<T>> + Send + 'static,
{
    let loaded = credsim::story::parse("bench", "bench.toml", WORLD);
    let scenario = loaded.map_err(|invalid| invalid.render(false))?.scenario;
    let recorder = Recorder::default();
    let backend = Backend::new(&scenario.world, DEFAULT_SEED, recorder.clone());
    let servers = backend.hosts();
    let (sender, result) = mpsc::channel();
    let drive = move |host: Host, control: Arc<dyn Control>| -> BoxFuture<'static, ()> {
        Box::pin(async move {
            if let Some(start) = control.begin() {
                backend.begin(start);
            }
            let clock = HostClock::new(
                backend.time(Duration::ZERO),
                scenario.world.host.clock_skew,
                TimeZone::UTC,
            );
            let state = Arc::new(HostState::new(
                host.clone(),
                clock,
                backend.clone(),
                recorder,
                Draws::new(DEFAULT_SEED),
                scenario.world.environment.clone(),
            ));
            for (name, _) in backend.hosts() {
                state.set_reach(&name, Reach::Reachable);
            }
            let (platform, _, _) = Lender::lend(&state, 1);
            let options = EntraIdProviderOptions {
                platform: Some(platform.clone()),
                observer: Some(observer),
                ..EntraIdProviderOptions::default()
            };
            let told = match Factory::create_for_system_assigned_managed_identity(options) {
                Ok(provider) => {
                    let endpoint = RedisEndpoint::new(REDIS_HOST, REDIS_PORT).tls(false);
                    let cast = Cast {
                        host,
                        platform,
                        provider,
                        endpoint,
                    };
                    story(cast).await
                }
                Err(error) => Err(error.into()),
            };
            let _ = sender.send(told);
            backend.close();
        })
    };
    engine.play(World {
        seed: DEFAULT_SEED,
        horizon: Duration::from_secs(2 * 86_400),
        stall_limit: STALL_LIMIT,
        budget: credsim::limits::Budget::default(),
        servers,
        driver: ("app".to_owned(), Box::new(drive)),
    })?;
    result.recv()?
}
