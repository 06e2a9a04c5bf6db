//! Tokens, clocks and limits at their edges.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use credsim_identity::{
    Error,
    platform::Clock as _,
    redis::{
        RedisEvent, TokenManagerConfig,
        connection::{
            ConnectionOptions, EntraConnection, EntraConnectionManager, EntraPubSub, RedisEndpoint,
        },
    },
};
use jiff::SignedDuration;
use redis::{
    ErrorKind, ProtocolVersion, RedisResult, ServerErrorKind, Value, aio::ConnectionLike as _, cmd,
};

use crate::{
    core_support::{HOUR, Host, MINUTE, SECOND},
    fake::{Auth, Fake},
    peer::{Peer, resp2},
    support::{Answer, World, transient},
};

fn endpoint() -> RedisEndpoint {
    RedisEndpoint::new("redis", 6379).tls(false)
}

fn forbidden(host: &Host) -> Error {
    let at = host.now() + SignedDuration::from_hours(1);
    transient().with_status(429).with_retry_at(at)
}

#[tokio::test(start_paused = true)]
async fn a_refused_reset_inside_a_transaction_is_waited_for() {
    let host = Host::new(0.5);
    let peer = Peer::new(&host, |_, words| match words[0].as_str() {
        "HELLO" => "%1\r\n$5\r\nproto\r\n:3\r\n".to_owned(),
        "RESET" => "-ERR wrong number of arguments for 'reset' command\r\n".to_owned(),
        _ => "+OK\r\n".to_owned(),
    });
    let world = World::on(host, [Answer::Token(HOUR)], |builder| {
        builder.platform(peer.platform())
    });
    let mut redis =
        EntraConnection::connect(endpoint(), &world.provider, ConnectionOptions::default())
            .await
            .unwrap();
    let _: Value = cmd("MULTI").query_async(&mut redis).await.unwrap();
    let refused: RedisResult<Value> = cmd("RESET").arg("x").query_async(&mut redis).await;
    refused.unwrap_err();
    world.sleep_until(MINUTE).await;
    let _: Value = cmd("EXEC").query_async(&mut redis).await.unwrap();
    world.sleep_until(2 * MINUTE).await;
    assert_eq!(peer.arrived(1, "AUTH").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_has_just_come_is_exchanged_as_soon_as_possible() {
    let host = Host::new(0.25);
    let fake = Fake::new(&host);
    fake.will([Auth::Refuse; 40]);
    let world = World::on(host, [Answer::Token(HOUR)], |builder| {
        builder.platform(fake.platform())
    });
    let _redis =
        EntraConnection::connect(endpoint(), &world.provider, ConnectionOptions::default())
            .await
            .unwrap();
    world.sleep_until(50 * MINUTE).await;
    assert_eq!(world.idp.count(), 3);
}

/// PR-20, PR-35: by the monotonic clock the token ends after an hour.
#[tokio::test(start_paused = true)]
async fn a_wall_clock_set_back_stretches_no_token() {
    let host = Host::new(0.5);
    let fake = Fake::new(&host);
    let plan = [Answer::Token(HOUR), Answer::Fails(transient())];
    let world = World::on(host, plan, |builder| builder.platform(fake.platform()));
    world.provider.credentials().await.unwrap();
    world.sleep_until(MINUTE).await;
    world.host.step(SignedDuration::from_mins(-10));
    let mut redis =
        EntraConnection::connect(endpoint(), &world.provider, ConnectionOptions::default())
            .await
            .unwrap();
    let popped: RedisResult<Value> = cmd("BLPOP").arg("q").arg(0).query_async(&mut redis).await;
    popped.unwrap_err();
    assert!(
        world.host.elapsed() <= HOUR + SECOND,
        "{:?}",
        world.host.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn a_server_that_repeats_the_token_is_not_quoted() {
    for protocol in [ProtocolVersion::RESP2, ProtocolVersion::RESP3] {
        // At the door, or later.
        for known in [0, 1] {
            let host = Host::new(0.5);
            let met = AtomicUsize::new(0);
            let peer = Peer::new(&host, move |_, words| match words[0].as_str() {
                "AUTH" | "HELLO" if met.fetch_add(1, Ordering::SeqCst) >= known => {
                    let args = words[1..].join("' '");
                    format!("-ERR unknown command, with args beginning with: '{args}'\r\n")
                }
                "HELLO" => "%1\r\n$5\r\nproto\r\n:3\r\n".to_owned(),
                _ => resp2(words),
            });
            let world = World::on(host, [Answer::Token(HOUR)], |builder| {
                builder.platform(peer.platform())
            });
            let mut options = ConnectionOptions::default();
            options.protocol = protocol;
            let one = EntraConnection::connect(endpoint(), &world.provider, options.clone()).await;
            let other = EntraPubSub::connect(endpoint(), &world.provider, options).await;
            world.sleep_until(HOUR - MINUTE).await;
            let events = world.notes.events();
            let failed =
                |event: &RedisEvent| matches!(event, RedisEvent::ReauthenticationFailed { .. });
            assert_eq!(events.iter().any(|(_, event)| failed(event)), known > 0);
            if let (0, Err(error)) = (known, &other) {
                let kind = ErrorKind::Server(ServerErrorKind::ResponseError);
                assert_eq!(error.kind(), kind, "{error}");
            }
            let said = format!("{one:?} {other:?} {events:?}");
            assert!(said.contains("args beginning with") || protocol == ProtocolVersion::RESP2);
            assert!(!said.contains("eyJ"), "{said}");
        }
    }
}

/// PR-31: no caller waits for an hour because the service asks for such a wait.
#[tokio::test(start_paused = true)]
async fn a_long_wait_of_the_service_is_an_error_at_once() {
    let host = Host::new(0.5);
    let fake = Fake::new(&host);
    let plan = [Answer::Fails(forbidden(&host)), Answer::Token(HOUR)];
    let world = World::on(host, plan, |builder| builder.platform(fake.platform()));
    world.provider.credentials().await.unwrap_err();
    let platform = world.host.platform();
    world.sleep_until(MINUTE).await;
    let second = platform
        .within(5 * MINUTE, world.provider.credentials())
        .await;
    let options = ConnectionOptions::default();
    let third = platform
        .within(
            5 * MINUTE,
            EntraConnection::connect(endpoint(), &world.provider, options),
        )
        .await;
    assert!(matches!(second, Some(Err(_))));
    assert!(matches!(third, Some(Err(_))));
    assert_eq!(world.idp.count(), 1);
    world.sleep_until(HOUR + MINUTE).await;
    world.provider.credentials().await.unwrap();
}

/// PR-35.
#[tokio::test(start_paused = true)]
async fn blocked_connections_do_not_march_in_step() {
    let mut times = Vec::new();
    for unit in [0.0, 0.25, 0.5, 0.75] {
        let host = Host::new(unit);
        let fake = Fake::new(&host);
        let world = World::on(host, [Answer::Token(HOUR)], |b| b.platform(fake.platform()));
        let options = ConnectionOptions::default();
        let mut redis = EntraConnection::connect(endpoint(), &world.provider, options)
            .await
            .unwrap();
        let platform = world.host.platform();
        let _ = platform
            .within(HOUR, async {
                let _: RedisResult<Value> =
                    cmd("BLPOP").arg("q").arg(0).query_async(&mut redis).await;
            })
            .await;
        times.push(fake.arrived("AUTH")[0].0);
    }
    times.dedup();
    assert!(times.len() > 1);
}

#[tokio::test(start_paused = true)]
async fn no_limit_is_too_long() {
    let host = Host::new(0.5);
    let fake = Fake::new(&host);
    let world = World::on(host, [Answer::Token(HOUR)], |b| b.platform(fake.platform()));
    let mut options = ConnectionOptions::default();
    options.auth_timeout = Duration::MAX;
    options.response_timeout = Some(Duration::MAX);
    options.spread = Duration::MAX;
    options.transaction_margin = Duration::MAX;
    let mut redis = EntraConnection::connect(endpoint(), &world.provider, options.clone())
        .await
        .unwrap();
    let _: Value = cmd("BLPOP")
        .arg("q")
        .arg(1)
        .query_async(&mut redis)
        .await
        .unwrap();
    let _: Value = cmd("WAIT")
        .arg("1")
        .arg(1)
        .query_async(&mut redis)
        .await
        .unwrap();
    world.sleep_until(HOUR).await;
    let _: Value = cmd("BLPOP")
        .arg("q")
        .arg(1)
        .query_async(&mut redis)
        .await
        .unwrap();
    let host = Host::new(0.5);
    for protocol in [ProtocolVersion::RESP2, ProtocolVersion::RESP3] {
        let peer = Peer::new(&host, |_, words| resp2(words));
        let world = World::on(host.clone(), [Answer::Token(HOUR)], |b| {
            b.platform(peer.platform())
        });
        options.protocol = protocol;
        let redis = EntraPubSub::connect(endpoint(), &world.provider, options.clone())
            .await
            .unwrap();
        redis.subscribe(["a"]).await.unwrap();
        world.host.sleep(HOUR).await;
        redis.subscribe(["b"]).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn no_wait_is_too_long() {
    let host = Host::new(0.99);
    let world = World::on(
        host,
        [Answer::Fails(transient()), Answer::Token(HOUR)],
        |builder| {
            let mut config = TokenManagerConfig::default();
            config.retry.max_delay = Duration::MAX;
            config.retry.max_attempts = 0;
            builder.config(config)
        },
    );
    world.host.sleep(SECOND).await;
    let mut subscription = world.provider.subscribe();
    let error = subscription.next().await.unwrap().unwrap_err();
    assert!(error.message().contains("busy"), "{error}");
    world.host.sleep(SECOND).await;
    assert!(world.said(&mut subscription).await.is_empty());
}

/// A connection with tokens of 20 s whose next `AUTH` goes as `auth` says, and on which a `BLPOP`
/// of `seconds` that began at `begins` has timed out.
async fn popped_in_vain(
    auth: Auth,
    begins: Duration,
    seconds: u32,
) -> (World, Fake, EntraConnection) {
    let host = Host::new(0.5);
    let fake = Fake::new(&host);
    fake.will([auth]);
    let world = World::on(host, [Answer::Token(20 * SECOND)], |builder| {
        builder.platform(fake.platform())
    });
    let options = ConnectionOptions::default();
    let redis = EntraConnection::connect(endpoint(), &world.provider, options).await;
    let mut redis = redis.unwrap();
    world.sleep_until(begins).await;
    let pop = cmd("BLPOP").arg("q").arg(seconds).to_owned();
    let popped: RedisResult<Value> = pop.query_async(&mut redis).await;
    assert_eq!(popped.unwrap(), Value::Nil);
    (world, fake, redis)
}

/// PR-35: a blocking command that waited behind a slow `AUTH` ends before the token does, so that
/// the next `AUTH` gets through.
#[tokio::test(start_paused = true)]
async fn a_slice_is_measured_when_its_command_is_sent() {
    // AUTH is sent at 12.5 s and refused at 18.5 s; the token ends at 20 s.
    let (world, fake, _redis) = popped_in_vain(Auth::RefuseLate(6 * SECOND), 13 * SECOND, 10).await;
    let took = world.host.elapsed();
    // Sent at 19.5 s, after the next AUTH, and for the time that its caller named.
    assert!(took >= 29 * SECOND && took < 30 * SECOND, "{took:?}");
    let ends = |(at, _, command): &(Duration, usize, String)| {
        let seconds: f64 = command.rsplit(' ').next().unwrap().parse().unwrap();
        *at + Duration::from_secs_f64(seconds)
    };
    let early = |(at, ..): &&(Duration, usize, String)| *at < 19 * SECOND;
    let popped = fake.arrived("BLPOP");
    let over = popped.iter().filter(early).map(ends).max();
    assert!(over.is_none_or(|over| over <= 18 * SECOND), "{over:?}");
}

#[tokio::test(start_paused = true)]
async fn a_connection_shows_its_database_and_whether_it_is_up() {
    let host = Host::new(0.0);
    let peer = Peer::new(&host, |_, words| match words[0].as_str() {
        "HELLO" => "%1\r\n$5\r\nproto\r\n:3\r\n".to_owned(),
        _ => "+OK\r\n".to_owned(),
    });
    let world = World::on(host, [Answer::Token(HOUR)], |builder| {
        builder.platform(peer.platform())
    });
    let mut options = ConnectionOptions::default();
    options.database = 3;
    let plain = EntraConnection::connect(endpoint(), &world.provider, options.clone()).await;
    let plain = plain.unwrap();
    let manager = EntraConnectionManager::connect(endpoint(), &world.provider, options.clone());
    let manager = manager.await.unwrap();
    assert_eq!((plain.get_db(), manager.get_db()), (3, 3));
    let subscriber = EntraPubSub::connect(endpoint(), &world.provider, options).await;
    let debug = format!("{plain:?} {manager:?} {:?}", subscriber.unwrap());
    for part in ["ended: None", "connected: true", "EntraPubSub"] {
        assert!(debug.contains(part), "{debug}");
    }
}

/// A blocking command whose time runs out while it waits behind a slow `AUTH` is not sent again.
#[tokio::test(start_paused = true)]
async fn a_blocking_command_that_ran_out_behind_an_auth_is_over() {
    // The AUTH that is due at 12.5 s waits for the first slice, of 5 s, until 16 s.
    let (world, fake, _redis) = popped_in_vain(Auth::Late(3 * SECOND), 11 * SECOND, 7).await;
    let took = world.host.elapsed();
    assert!(took >= 19 * SECOND && took < 20 * SECOND, "{took:?}");
    world.sleep_until(MINUTE).await;
    assert_eq!(fake.arrived("BLPOP").len(), 1);
    assert!(fake.arrived("AUTH").len() > 1);
    let doubts = fake.arrived("PING");
    assert!(doubts.is_empty(), "nothing is under way: {doubts:?}");
}

/// A manager sends a command again only if it was not sent: of a blocking one, no slice of it.
#[tokio::test(start_paused = true)]
async fn a_blocking_command_is_sent_again_only_if_nothing_of_it_was_sent() {
    // The AUTH that is due at 12.5 s gets no answer, and the token ends at 20 s. The first command
    // waits behind it; the second has sent a slice before.
    for (begins, is_sent_again) in [(13, true), (11, false)] {
        let host = Host::new(0.5);
        let fake = Fake::new(&host);
        fake.will([Auth::Swallow]);
        let world = World::on(host, [Answer::Token(20 * SECOND)], |builder| {
            builder.platform(fake.platform())
        });
        let options = ConnectionOptions::default();
        let redis = EntraConnectionManager::connect(endpoint(), &world.provider, options).await;
        let mut redis = redis.unwrap();
        world.sleep_until(begins * SECOND).await;
        let pop = cmd("BLPOP").arg("q").arg(12).to_owned();
        let popped: RedisResult<Value> = pop.query_async(&mut redis).await;
        assert_eq!(popped.is_ok(), is_sent_again, "{begins}: {popped:?}");
        let popped = fake.arrived("BLPOP");
        let (on_first, on_others): (Vec<_>, Vec<_>) = popped.iter().partition(|pop| pop.1 == 1);
        assert_eq!(on_first.is_empty(), is_sent_again, "{popped:?}");
        assert_eq!(on_others.is_empty(), !is_sent_again, "{popped:?}");
    }
}
