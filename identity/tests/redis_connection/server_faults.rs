//! What the layer does when the server misbehaves at `AUTH`.

use std::time::Duration;

use credsim_identity::redis::{
    RedisEvent,
    connection::{ConnectionOptions, EntraConnection, EntraConnectionManager, RedisEndpoint},
};
use redis::{ProtocolVersion, RedisResult, Value, aio::ConnectionLike, cmd, pipe};

use crate::{
    core_support::{HOUR, Host, MINUTE, SECOND},
    fake::{Auth, Fake},
    peer::Peer,
    support::{Answer, World},
};

fn endpoint() -> RedisEndpoint {
    RedisEndpoint::new("redis", 6379).tls(false)
}

/// Re-authenticates at 42 min 30 s: the token is renewed at 42 min, and the spread is 60 s.
const DUE: Duration = Duration::from_secs(2550);

async fn start(plan: impl IntoIterator<Item = Auth>) -> (World, Fake, EntraConnection) {
    let host = Host::new(0.5);
    let fake = Fake::new(&host);
    fake.will(plan);
    let world = World::on(host, [Answer::Token(HOUR)], |builder| {
        builder.platform(fake.platform())
    });
    let options = ConnectionOptions::default();
    let connected = EntraConnection::connect(endpoint(), &world.provider, options).await;
    (world, fake, connected.unwrap())
}

async fn echo(redis: &mut impl ConnectionLike, text: &str) -> RedisResult<String> {
    cmd("ECHO").arg(text).query_async(redis).await
}

#[tokio::test(start_paused = true)]
async fn auth_travels_alone() {
    // A server that leaves a refused AUTH without an answer does so behind other commands only.
    let (world, fake, redis) = start([Auth::Refuse]).await;
    fake.echo_takes(SECOND / 50);
    let echoes: Vec<_> = (0..400_u64)
        .map(|number| {
            let (mut redis, world) = (redis.clone(), world.host.clone());
            tokio::spawn(async move {
                world
                    .sleep(DUE - 4 * SECOND + Duration::from_millis(100 * (number / 5)))
                    .await;
                let text = number.to_string();
                assert_eq!(echo(&mut redis, &text).await.unwrap(), text);
            })
        })
        .collect();
    for echoed in echoes {
        echoed.await.unwrap();
    }
    let log = fake.log();
    let auth = log
        .iter()
        .position(|(_, _, command)| command == "AUTH")
        .unwrap();
    // The server was busy all the time: five echoes of 20 ms each 100 ms.
    let ((before, ..), (sent, ..)) = (&log[auth - 1], &log[auth]);
    assert!(
        *sent >= DUE && *sent >= *before + SECOND / 50,
        "nothing is under way"
    );
}

#[tokio::test(start_paused = true)]
async fn commands_wait_for_a_slow_auth_and_no_second_one_is_sent() {
    let (world, fake, mut redis) = start([Auth::Late(Duration::from_secs(9))]).await;
    world.sleep_until(DUE + SECOND).await;
    assert_eq!(fake.arrived("AUTH").len(), 1);
    assert_eq!(echo(&mut redis, "later").await.unwrap(), "later");
    let (at, ..) = fake.arrived("ECHO")[0];
    assert_eq!(at.as_secs(), (DUE + 9 * SECOND).as_secs(), "it waited");
    world.sleep_until(2 * HOUR).await;
    assert_eq!(fake.arrived("AUTH").len(), 2, "one for each token");
}

#[tokio::test(start_paused = true)]
async fn an_auth_without_an_answer_ends_the_connection() {
    for (auth, why) in [
        (Auth::Swallow, "did not answer AUTH in time"),
        (Auth::Late(11 * SECOND), "did not answer AUTH in time"),
        (Auth::Nonsense, "answered AUTH with something else"),
        (Auth::HangUp, "broken pipe"),
    ] {
        let (world, _, mut redis) = start([auth]).await;
        world.sleep_until(DUE + SECOND).await;
        let error = echo(&mut redis, "x").await.unwrap_err();
        assert!(error.is_connection_dropped(), "{auth:?}: {error}");
        let said = error.to_string();
        assert!(
            said.contains(why) || (auth == Auth::HangUp && said.contains("broke")),
            "{auth:?}: {said}"
        );
        let failed =
            |event: &RedisEvent| matches!(event, RedisEvent::ReauthenticationFailed { .. });
        let events = world.notes.events();
        assert_eq!(events.iter().filter(|(_, event)| failed(event)).count(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_tried_again_and_another_one_asked_for() {
    let (world, fake, mut redis) = start([Auth::Refuse; 4]).await;
    world.sleep_until(DUE + 60 * SECOND).await;
    assert_eq!(echo(&mut redis, "on").await.unwrap(), "on");
    let waits: Vec<u64> = fake
        .arrived("AUTH")
        .windows(2)
        .map(|pair| (pair[1].0 - pair[0].0).as_secs())
        .collect();
    // Another token comes at once, is refused too, and then the waits are doubled.
    assert_eq!(waits, [0, 2, 4, 8]);
    assert_eq!(world.idp.count(), 3, "once more than the refreshes");
}

#[tokio::test(start_paused = true)]
async fn a_manager_replaces_a_mute_connection() {
    let host = Host::new(0.5);
    let fake = Fake::new(&host);
    fake.will([Auth::Swallow]);
    let world = World::on(host, [Answer::Token(HOUR)], |builder| {
        builder.platform(fake.platform())
    });
    let options = ConnectionOptions::default();
    let connected = EntraConnectionManager::connect(endpoint(), &world.provider, options).await;
    let mut redis = connected.unwrap();
    world.sleep_until(DUE + SECOND).await;
    assert_eq!(echo(&mut redis, "after").await.unwrap(), "after");
    let (_, connection, _) = fake.arrived("ECHO")[0];
    assert_eq!(connection, 2);
    let replaced = |event: &RedisEvent| matches!(event, RedisEvent::Replaced { .. });
    let events = world.notes.events();
    assert_eq!(
        events.iter().filter(|(_, event)| replaced(event)).count(),
        1
    );
}

#[tokio::test(start_paused = true)]
async fn a_command_given_up_goes_before_auth() {
    let (world, fake, mut redis) = start([]).await;
    fake.echo_takes(12 * SECOND);
    world.sleep_until(DUE - 3 * SECOND).await;
    let error = echo(&mut redis, "slow").await.unwrap_err();
    assert!(error.is_timeout(), "{error}");
    assert!(error.to_string().contains("may have been executed"));
    world.sleep_until(DUE + 20 * SECOND).await;
    let after: Vec<String> = fake
        .log()
        .into_iter()
        .map(|(.., command)| command)
        .collect();
    assert_eq!(after[after.len() - 3..], ["ECHO slow", "PING", "AUTH"]);
}

#[tokio::test(start_paused = true)]
async fn a_token_refused_in_the_handshake_is_exchanged_once() {
    for protocol in [ProtocolVersion::RESP2, ProtocolVersion::RESP3] {
        for (refused, fine) in [(1, true), (2, false)] {
            let host = Host::new(0.5);
            let fake = Fake::new(&host);
            let world = World::on(host, [Answer::Token(HOUR)], |builder| {
                builder.platform(fake.platform())
            });
            let _renewing = world.provider.subscribe();
            world.provider.credentials().await.unwrap();
            world.sleep_until(60 * SECOND).await;
            fake.refuse(refused);
            let mut options = ConnectionOptions::default();
            options.protocol = protocol;
            let connected = EntraConnection::connect(endpoint(), &world.provider, options).await;
            assert_eq!(connected.is_ok(), fine, "{connected:?}");
            let handshakes = fake.arrived("HELLO").len() + fake.arrived("AUTH").len();
            assert_eq!((world.idp.count(), handshakes), (2, 2), "{protocol:?}");
        }
    }
}

/// The time limit of an answer is for commands that do not block.
#[tokio::test(start_paused = true)]
async fn a_pipeline_is_limited_unless_it_blocks() {
    let (_world, fake, mut redis) = start([]).await;
    let mut blocks = pipe();
    blocks.cmd("ECHO").arg("a").cmd("BLPOP").arg("q").arg(30);
    let answers: RedisResult<Vec<Value>> = blocks.query_async(&mut redis).await;
    assert_eq!(answers.unwrap().len(), 2);
    fake.echo_takes(11 * SECOND);
    let slow: RedisResult<Vec<Value>> = pipe().cmd("ECHO").arg("a").query_async(&mut redis).await;
    slow.unwrap_err();
}

/// What a server says to the `PING` that follows a request whose caller has gone.
#[tokio::test(start_paused = true)]
async fn a_doubt_is_settled_by_an_answer_that_only_a_ping_gets() {
    for (answer, is_settled) in [
        ("+PONG\r\n", true),
        ("-NOPERM no\r\n", true),
        ("-NOAUTH no\r\n", true),
        ("-ERR no\r\n", false),
        ("+OTHER\r\n", false),
    ] {
        let host = Host::new(0.5);
        let peer = Peer::new(&host, move |_, words| match words[0].as_str() {
            "HELLO" => "%1\r\n$5\r\nproto\r\n:3\r\n".to_owned(),
            "PING" => answer.to_owned(),
            "GET" => String::new(),
            _ => "+OK\r\n".to_owned(),
        });
        let world = World::on(host, [Answer::Token(HOUR)], |builder| {
            builder.platform(peer.platform())
        });
        let options = ConnectionOptions::default();
        let redis = EntraConnection::connect(endpoint(), &world.provider, options).await;
        let mut redis = redis.unwrap();
        world.sleep_until(MINUTE).await;
        let get = cmd("GET");
        let gone = tokio::time::timeout(SECOND, get.query_async::<Value>(&mut redis)).await;
        gone.unwrap_err();
        peer.push(1, "+OK\r\n");
        world.sleep_until(DUE + MINUTE).await;
        assert_eq!(peer.arrived(1, "PING").len(), 1, "{answer}");
        assert_eq!(
            peer.arrived(1, "AUTH").len(),
            usize::from(is_settled),
            "{answer}"
        );
    }
}
