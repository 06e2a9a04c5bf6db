//! The platform of a simulated host, on the engines that are played in virtual time.

mod files;
mod https;
mod person;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use credsim_identity::platform::Platform;
use jiff::tz::TimeZone;

use super::{APP, HostClock, HostState, Lender};
use crate::{
    backend::testing::backend,
    draws::Draws,
    engine::{Engine, HostMain, STALL_LIMIT, World},
    scenario::SignedSpan,
    service::Reach,
};

const ENGINES: [Engine; 2] = [Engine::Lapse, Engine::Turmoil];

/// Plays a story on a simulated host beside these servers, and returns what the story returned.
fn play<T, F>(
    engine: Engine,
    servers: Vec<(String, HostMain)>,
    story: impl FnOnce(Arc<HostState>, Platform) -> F + Send + 'static,
) -> T
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let result = Arc::new(Mutex::new(None));
    let kept = Arc::clone(&result);
    let names: Vec<String> = servers.iter().map(|(name, _)| name.clone()).collect();
    let world = World {
        seed: 1,
        horizon: Duration::from_secs(600),
        stall_limit: STALL_LIMIT,
        budget: crate::limits::Budget::default(),
        servers,
        driver: (
            APP.to_owned(),
            Box::new(move |host, _| {
                Box::pin(async move {
                    let (backend, recorder) = backend("");
                    let start = backend.time(Duration::ZERO);
                    let state = Arc::new(HostState::new(
                        host,
                        HostClock::new(start, SignedSpan::default(), TimeZone::UTC),
                        backend,
                        recorder,
                        Draws::new(1),
                        BTreeMap::new(),
                    ));
                    for name in names {
                        state.set_reach(&name, Reach::Reachable);
                    }
                    let (platform, _, _) = Lender::lend(&state, 1);
                    let told = story(state, platform).await;
                    *kept.lock().expect("the lock") = Some(told);
                })
            }),
        ),
    };
    engine.play(world).expect("the world is played");
    let told = result.lock().expect("the lock").take();
    told.expect("the story has ended")
}
