//! Our connection layer beside the bare `redis` crate, on the same server.
//!
//! Both connect to the same server as the same user, speak RESP3 and wait at most 10 s for an
//! answer. They take turns, in pairs of about 25 ms each, and the order within a pair alternates,
//! so that other load of the machine affects both alike.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use credsim::engine::Engine;
use credsim_identity::redis::{
    EntraIdCredentialsProvider, RedisEvent, RedisObserver,
    connection::{ConnectionOptions, EntraConnection, EntraConnectionManager, RedisEndpoint},
};
use redis::{
    ProtocolVersion, RedisConnectionInfo, RedisResult,
    aio::{ConnectionLike, MultiplexedConnection},
};

use crate::{
    Effort, Outcome,
    median::Median,
    server::{Server, config},
    work::Work,
    world::{self, Cast},
};

/// An observer that ignores all events.
pub struct Quiet;

impl RedisObserver for Quiet {
    fn event(&self, _: &RedisEvent) {}
}

pub fn run(effort: Effort) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let measured = runtime.block_on(async {
        let Some(server) = Server::start().await? else {
            return Ok::<_, Box<dyn std::error::Error + Send + Sync>>(false);
        };
        let provider = server.provider(0.7, Arc::new(Quiet))?;
        let bare = server.bare(settings(&provider).await?).await?;
        all("redis-server", effort, &provider, server.endpoint(), bare).await?;
        Ok(true)
    })?;
    if measured {
        return Ok(());
    }
    println!(
        "there is no redis-server here: both talk to the simulated one, which shares their thread"
    );
    world::play(Engine::Live, Arc::new(Quiet), move |cast| async move {
        let Cast {
            platform,
            provider,
            endpoint,
            ..
        } = cast;
        let settings = settings(&provider).await?;
        let stream = (platform.streams)
            .connect(&endpoint.host, endpoint.port)
            .await?;
        let (bare, driver) =
            MultiplexedConnection::new_with_config(&settings, stream, config()).await?;
        let _driver = platform.spawner.spawn(Box::pin(driver));
        all("the simulated Redis", effort, &provider, endpoint, bare).await
    })
}

async fn settings(provider: &EntraIdCredentialsProvider) -> Outcome<RedisConnectionInfo> {
    let credentials = provider.credentials().await?;
    Ok(RedisConnectionInfo::default()
        .set_username(credentials.user_name())
        .set_password(credentials.password())
        .set_protocol(ProtocolVersion::RESP3))
}

async fn all(
    server: &str,
    effort: Effort,
    provider: &EntraIdCredentialsProvider,
    endpoint: RedisEndpoint,
    bare: MultiplexedConnection,
) -> Outcome {
    let options = ConnectionOptions::default();
    let ours = EntraConnection::connect(endpoint.clone(), provider, options.clone()).await?;
    for work in Work::ALL {
        let line = compare(effort, work, &ours, &bare).await?;
        println!("layer, {server}, {}: EntraConnection {line}", work.name());
    }
    let ours = EntraConnectionManager::connect(endpoint, provider, options).await?;
    for work in Work::ALL {
        let line = compare(effort, work, &ours, &bare).await?;
        let name = work.name();
        println!("layer, {server}, {name}: EntraConnectionManager {line}");
    }
    Ok(())
}

async fn compare<C>(
    effort: Effort,
    work: Work,
    ours: &C,
    bare: &MultiplexedConnection,
) -> Outcome<String>
where
    C: ConnectionLike + Clone + Send + 'static,
{
    let begin = Instant::now();
    let mut commands = 1000;
    // Warms both up, and finds out how many commands fill a turn.
    for _ in 0..3 {
        time(work, ours, commands).await?;
        let taken = time(work, bare, commands).await?;
        let wanted = TURN.as_secs_f64() / taken.max(1e-6);
        commands = ((commands as f64 * wanted) as usize).clamp(100, 100_000);
    }
    let (mut our_rates, mut bare_rates, mut costs) = (Vec::new(), Vec::new(), Vec::new());
    while costs.len() < effort.pairs
        && (costs.len() < LEAST_PAIRS || begin.elapsed() < effort.at_most)
    {
        let (our_time, bare_time) = if costs.len() % 2 == 0 {
            let our_time = time(work, ours, commands).await?;
            (our_time, time(work, bare, commands).await?)
        } else {
            let bare_time = time(work, bare, commands).await?;
            (time(work, ours, commands).await?, bare_time)
        };
        our_rates.push(commands as f64 / our_time);
        bare_rates.push(commands as f64 / bare_time);
        costs.push((1.0 - bare_time / our_time) * 100.0);
    }
    let pairs = costs.len();
    Ok(format!(
        "{:.0} commands/s, bare {:.0} commands/s: costs {} in {pairs} pairs",
        Median::of(our_rates).value,
        Median::of(bare_rates).value,
        Median::of(costs).show(|cost| format!("{cost:.1} %")),
    ))
}

const TURN: Duration = Duration::from_millis(25);
const LEAST_PAIRS: usize = 10;

async fn time<C>(work: Work, connection: &C, commands: usize) -> RedisResult<f64>
where
    C: ConnectionLike + Clone + Send + 'static,
{
    let begin = Instant::now();
    work.run(connection, commands).await?;
    Ok(begin.elapsed().as_secs_f64())
}
