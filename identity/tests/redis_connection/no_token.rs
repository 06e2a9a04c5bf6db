//! Connections without a token.

use std::time::Duration;

use credsim_identity::redis::connection::{
    ConnectionOptions, EntraConnection, EntraConnectionManager, EntraPubSub, RedisEndpoint,
};
use redis::cmd;

use crate::{
    core_support::Host,
    fake::Fake,
    support::{Answer, World, transient},
};

fn endpoint() -> RedisEndpoint {
    RedisEndpoint::new("redis", 6379).tls(false)
}

fn start(plan: impl IntoIterator<Item = Answer>) -> (World, Fake) {
    let host = Host::new(0.5);
    let fake = Fake::new(&host);
    let world = World::on(host, plan, |builder| builder.platform(fake.platform()));
    (world, fake)
}

/// RDD-18: a network that works is not to blame.
#[tokio::test(start_paused = true)]
async fn a_caller_without_a_token_in_time_gets_an_error() {
    let (world, fake) = start([Answer::Fails(transient())]);
    let options = ConnectionOptions::default();
    let error = EntraConnectionManager::connect(endpoint(), &world.provider, options)
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("there is no token for Redis"), "{error}");
    assert!(error.contains(&transient().to_string()), "{error}");
    assert_eq!(fake.arrived("HELLO"), []);
}

#[tokio::test(start_paused = true)]
async fn a_manager_ends_with_its_provider() {
    let (world, _fake) = start([Answer::Token(Duration::from_secs(60))]);
    let options = ConnectionOptions::default();
    let connected = EntraConnectionManager::connect(endpoint(), &world.provider, options).await;
    let mut redis = connected.unwrap();
    world.provider.dispose();
    world.sleep_until(Duration::from_secs(90)).await;
    let began = tokio::time::Instant::now();
    let error = cmd("PING").query_async::<()>(&mut redis).await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("the provider was disposed"), "{error}");
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_ends_with_its_provider() {
    let (world, _fake) = start([
        Answer::Token(Duration::from_secs(60)),
        Answer::Fails(transient()),
    ]);
    let options = ConnectionOptions::default();
    let subscriber = EntraPubSub::connect(endpoint(), &world.provider, options).await;
    let subscriber = subscriber.unwrap();
    // It is trying to come back.
    world.sleep_until(Duration::from_secs(70)).await;
    world.provider.dispose();
    let platform = world.provider.platform();
    let over = platform
        .within(Duration::from_secs(5), subscriber.next())
        .await;
    assert!(matches!(over, Some(None)), "{over:?}");
}

/// PR-34: the caller of a transaction that was given up need not wait for a connection to learn of
/// it, and his `EXEC` ends it also when there is none.
#[tokio::test(start_paused = true)]
async fn a_transaction_that_was_given_up_ends_without_a_connection() {
    let (world, fake) = start([
        Answer::Token(Duration::from_secs(60)),
        Answer::Fails(transient()),
    ]);
    let options = ConnectionOptions::default();
    let connected = EntraConnectionManager::connect(endpoint(), &world.provider, options).await;
    let mut redis = connected.unwrap();
    cmd("MULTI").query_async::<()>(&mut redis).await.unwrap();
    world.sleep_until(Duration::from_secs(90)).await;
    assert_eq!(fake.arrived("DISCARD").len(), 1);
    let began = tokio::time::Instant::now();
    for words in ["GET", "EXEC"] {
        let error = cmd(words).query_async::<()>(&mut redis).await;
        let error = error.unwrap_err().to_string();
        assert!(
            error.contains("nothing of it was executed"),
            "{words}: {error}"
        );
    }
    assert_eq!(began.elapsed(), Duration::ZERO);
    let error = cmd("GET").query_async::<()>(&mut redis).await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("there is no token for Redis"), "{error}");
}

/// RD-14: the token at hand when the connect begins is not the one to send when it has ended.
#[tokio::test(start_paused = true)]
async fn a_token_that_ends_while_connecting_is_not_sent() {
    let (world, fake) = start([
        Answer::Token(Duration::from_secs(10)),
        Answer::Token(Duration::from_secs(3600)),
    ]);
    fake.connecting_takes(Duration::from_secs(12));
    let options = ConnectionOptions::default();
    let connected = EntraConnection::connect(endpoint(), &world.provider, options).await;
    let mut redis = connected.unwrap();
    world.sleep_until(Duration::from_secs(13)).await;
    cmd("PING").query_async::<()>(&mut redis).await.unwrap();
}
