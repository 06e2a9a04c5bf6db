//! Hours and days of one connection.

use std::time::Duration;

use credsim_identity::redis::{
    RedisEvent,
    connection::{ConnectionOptions, EntraConnection, RedisEndpoint},
};
use jiff::SignedDuration;
use redis::{RedisResult, Value, cmd};

use crate::{
    core_support::{HOUR, Host, MINUTE, SECOND},
    fake::Fake,
    support::{Answer, World, transient},
};

async fn start(
    unit: f64,
    plan: impl IntoIterator<Item = Answer>,
) -> (World, Fake, EntraConnection) {
    let host = Host::new(unit);
    let fake = Fake::new(&host);
    let world = World::on(host, plan, |builder| builder.platform(fake.platform()));
    let endpoint = RedisEndpoint::new("redis", 6379).tls(false);
    let options = ConnectionOptions::default();
    let connected = EntraConnection::connect(endpoint, &world.provider, options).await;
    (world, fake, connected.unwrap())
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_gets_each_token_once_and_in_time() {
    for (unit, late) in [(0.0, 0), (0.25, 15), (0.99, 59)] {
        let (world, fake, redis) = start(unit, [Answer::Token(HOUR)]).await;
        world.sleep_until(24 * HOUR).await;
        let tokens = world.idp.asked();
        let auths = fake.arrived("AUTH");
        assert_eq!(auths.len(), tokens.len() - 1);
        for (token, (auth, connection, _)) in tokens.iter().skip(1).zip(&auths) {
            assert_eq!(((*auth - *token).as_secs(), *connection), (late, 1));
        }
        assert!(
            world
                .host
                .purposes()
                .contains(&"redis/reauthentication".to_owned())
        );
        drop(redis);
        world.settle().await;
        let asked = world.idp.count();
        world.sleep_until(30 * HOUR).await;
        assert_eq!(world.idp.count(), asked, "no renewal without a user");
    }
}

#[tokio::test(start_paused = true)]
async fn a_day_long_pop_lets_every_token_through() {
    let (world, fake, mut redis) = start(0.5, [Answer::Token(HOUR)]).await;
    let popped: RedisResult<Value> = cmd("BLPOP")
        .arg("queue")
        .arg(86_400)
        .query_async(&mut redis)
        .await;
    assert_eq!(popped.unwrap(), Value::Nil);
    assert!(world.host.elapsed() >= 24 * HOUR);
    assert!(world.host.elapsed() <= 24 * HOUR + SECOND);
    let auths = fake.arrived("AUTH");
    assert!(auths.len() >= 20, "{}", auths.len());
    let mut last = Duration::ZERO;
    for (at, ..) in auths {
        // 3 minutes before the end of the token (RS-40), which came at most 30 minutes before it.
        assert!(at - last <= HOUR, "{last:?} {at:?}");
        last = at;
    }
    let connections = fake
        .log()
        .iter()
        .map(|(_, connection, _)| *connection)
        .max();
    assert_eq!(connections, Some(1), "it never broke");
}

#[tokio::test(start_paused = true)]
async fn a_transaction_is_discarded_five_seconds_before_the_token_ends() {
    let plan = [Answer::Token(HOUR), Answer::Fails(transient())];
    let (world, fake, mut redis) = start(0.5, plan).await;
    let begun: RedisResult<Value> = cmd("MULTI").query_async(&mut redis).await;
    assert_eq!(begun.unwrap(), Value::Okay);
    world.sleep_until(HOUR - 6 * SECOND).await;
    let queued: RedisResult<Value> = cmd("SET").arg("a").arg(1).query_async(&mut redis).await;
    assert_eq!(queued.unwrap(), Value::SimpleString("QUEUED".to_owned()));
    world.sleep_until(HOUR - 4 * SECOND).await;
    let (at, ..) = fake.arrived("DISCARD")[0];
    assert_eq!(at.as_secs(), (HOUR - 5 * SECOND).as_secs());
    for end in ["SET", "EXEC"] {
        let refused: RedisResult<Value> = cmd(end).query_async(&mut redis).await;
        let error = refused.unwrap_err().to_string();
        assert!(error.contains("run it again"), "{error}");
    }
    let given_up = |event: &RedisEvent| matches!(event, RedisEvent::TransactionFailed { .. });
    let events = world.notes.events();
    assert_eq!(
        events.iter().filter(|(_, event)| given_up(event)).count(),
        1
    );
    // The old token is still good.
    let pong: RedisResult<String> = cmd("PING").query_async(&mut redis).await;
    assert_eq!(pong.unwrap(), "PONG");
    world.sleep_until(HOUR + SECOND).await;
    let ended: RedisResult<String> = cmd("PING").query_async(&mut redis).await;
    let error = ended.unwrap_err().to_string();
    assert!(error.contains("has ended"), "{error}");
    assert_eq!(
        fake.arrived("PING").len(),
        1,
        "nothing travels on an expired token"
    );
}

#[tokio::test(start_paused = true)]
async fn a_stepped_wall_clock_ends_the_token_too() {
    let plan = [Answer::Token(HOUR), Answer::Fails(transient())];
    let (world, fake, mut redis) = start(0.5, plan).await;
    world.sleep_until(MINUTE).await;
    world.host.step(SignedDuration::from_hours(1));
    let refused: RedisResult<String> = cmd("PING").query_async(&mut redis).await;
    assert!(refused.unwrap_err().is_connection_dropped());
    assert!(fake.arrived("PING").is_empty());
}

#[tokio::test(start_paused = true)]
async fn nothing_blocks_beyond_the_token() {
    let plan = [Answer::Token(HOUR), Answer::Fails(transient())];
    let (world, fake, mut redis) = start(0.5, plan).await;
    let popped: RedisResult<Value> = cmd("BLPOP").arg("q").arg(0).query_async(&mut redis).await;
    let error = popped.unwrap_err().to_string();
    assert!(error.contains("has ended"), "{error}");
    assert_eq!(world.host.elapsed().as_secs(), HOUR.as_secs());
    for (at, _, command) in fake.arrived("BLPOP") {
        let seconds: f64 = command.rsplit(' ').next().unwrap().parse().unwrap();
        let end = at + Duration::from_secs_f64(seconds);
        assert!(end <= HOUR - 4 * SECOND, "{command} at {at:?}");
    }
}
