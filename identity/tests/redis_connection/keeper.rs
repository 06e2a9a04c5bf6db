//! One connection from token to token: what is settled before `AUTH`, and how it ends.

use std::time::Duration;

use credsim_identity::redis::connection::{
    ConnectionOptions, EntraConnection, EntraConnectionManager, EntraPubSub, RedisEndpoint,
};
use jiff::SignedDuration;
use redis::{Value, cmd, pipe};
use tracing_test::traced_test;

use crate::{
    core_support::{HOUR, Host, MINUTE, SECOND},
    peer::Peer,
    support::{Answer, World, transient},
};

const HELLO: &str = "%1\r\n$5\r\nproto\r\n:3\r\n";

fn endpoint() -> RedisEndpoint {
    RedisEndpoint::new("redis", 6379).tls(false)
}

/// A host with a server that answers commands so: those that `answers` has no answer to as usual.
fn start(
    plan: impl IntoIterator<Item = Answer>,
    answers: impl Fn(usize, &str) -> Option<&'static str> + Send + Sync + 'static,
) -> (World, Peer) {
    let host = Host::new(0.5);
    let peer = Peer::new(&host, move |connection, words| {
        let usual = match words[0].as_str() {
            "HELLO" => HELLO,
            "PING" => "+PONG\r\n",
            _ => "+OK\r\n",
        };
        let answer = answers(connection, &words[0]);
        answer.unwrap_or(usual).to_owned()
    });
    let world = World::on(host, plan, |builder| builder.platform(peer.platform()));
    (world, peer)
}

async fn connect(world: &World) -> EntraConnection {
    let options = ConnectionOptions::default();
    let connected = EntraConnection::connect(endpoint(), &world.provider, options).await;
    connected.unwrap()
}

async fn managed(world: &World) -> EntraConnectionManager {
    let options = ConnectionOptions::default();
    let connected = EntraConnectionManager::connect(endpoint(), &world.provider, options).await;
    connected.unwrap()
}

/// Sends a command, and drops it before its answer comes.
async fn dropped(world: &World, redis: &mut EntraConnection, name: &str) {
    let mut command = cmd(name);
    let sent = command.arg("a").query_async::<Value>(redis);
    let answer = world.host.platform().within(SECOND, sent).await;
    assert!(answer.is_none(), "{answer:?}");
}

/// What a refused DISCARD has settled is not asked for again with the next token.
#[tokio::test(start_paused = true)]
async fn a_transaction_in_doubt_is_discarded_once() {
    let (world, peer) = start([Answer::Token(HOUR)], |_, name| match name {
        "EXEC" => Some(""),
        "DISCARD" => Some("-ERR DISCARD without MULTI\r\n"),
        _ => None,
    });
    let mut redis = connect(&world).await;
    cmd("MULTI").query_async::<()>(&mut redis).await.unwrap();
    dropped(&world, &mut redis, "EXEC").await;
    peer.push(1, "*0\r\n");
    world.sleep_until(2 * HOUR).await;
    assert!(peer.times("AUTH").len() > 1);
    assert_eq!(peer.times("DISCARD").len(), 1);
}

/// The same of a dropped command, whether or not the user may send PING.
#[tokio::test(start_paused = true)]
async fn a_command_in_doubt_is_settled_once() {
    for pong in ["+PONG\r\n", "-NOPERM this user has no permissions\r\n"] {
        let (world, peer) = start([Answer::Token(HOUR)], move |_, name| match name {
            "GET" => Some(""),
            "PING" => Some(pong),
            _ => None,
        });
        let mut redis = connect(&world).await;
        dropped(&world, &mut redis, "GET").await;
        peer.push(1, "+late\r\n");
        world.sleep_until(2 * HOUR).await;
        assert!(peer.times("AUTH").len() > 1, "{pong}");
        assert_eq!(peer.times("PING").len(), 1, "{pong}");
    }
}

/// Every later answer would go to the wrong caller.
#[tokio::test(start_paused = true)]
async fn an_answer_that_discard_does_not_have_ends_the_connection() {
    let (world, peer) = start([Answer::Token(HOUR)], |_, name| match name {
        "EXEC" => Some(""),
        "DISCARD" => Some(":1\r\n"),
        _ => None,
    });
    let mut redis = connect(&world).await;
    cmd("MULTI").query_async::<()>(&mut redis).await.unwrap();
    dropped(&world, &mut redis, "EXEC").await;
    peer.push(1, "*0\r\n");
    // AUTH is due after 42 to 43 minutes.
    let over = async {
        while !format!("{redis:?}").contains("Desynchronised") {
            world.host.sleep(SECOND).await;
        }
    };
    let platform = world.host.platform();
    assert!(
        platform.within(45 * MINUTE, over).await.is_some(),
        "{redis:?}"
    );
    assert_eq!(peer.times("DISCARD").len(), 1);
    assert!(peer.times("AUTH").is_empty());
}

/// A request under way when the token ends: nothing more is sent, and its caller is not left alone.
#[tokio::test(start_paused = true)]
async fn a_command_without_an_answer_ends_with_the_token() {
    let (world, peer) = start([Answer::Token(HOUR)], |_, name| match name {
        "GET" => Some(""),
        _ => None,
    });
    let mut options = ConnectionOptions::default();
    options.response_timeout = None;
    let connected = EntraConnection::connect(endpoint(), &world.provider, options).await;
    let mut redis = connected.unwrap();
    let answer = cmd("GET").arg("a").query_async::<Value>(&mut redis).await;
    answer.unwrap_err();
    assert_eq!(world.host.elapsed(), HOUR);
    assert!(peer.times("AUTH").is_empty());
}

/// PR-20, PR-35: where newer tokens are refused, the connection ends with its own, to the moment.
#[tokio::test(start_paused = true)]
async fn a_connection_whose_newer_tokens_are_refused_ends_with_its_own() {
    // No attempt with another token is due at that moment.
    let life = HOUR + 13 * SECOND;
    let refused = || {
        start([Answer::Token(life)], |_, name| match name {
            "AUTH" => Some("-WRONGPASS invalid username-password pair\r\n"),
            _ => None,
        })
    };
    let (world, peer) = refused();
    let _redis = managed(&world).await;
    world.sleep_until(HOUR + MINUTE).await;
    assert_eq!(peer.times("HELLO")[1], life, "a connection for commands");

    let (world, peer) = refused();
    let options = ConnectionOptions::default();
    let subscriber = EntraPubSub::connect(endpoint(), &world.provider, options).await;
    let _subscriber = subscriber.unwrap();
    world.sleep_until(HOUR + MINUTE).await;
    assert_eq!(peer.times("HELLO")[1], life, "a subscriber");
}

/// The first that finds the token ended by the wall clock is a command: it is sent on the next
/// connection at once, and not on this one again and again.
#[tokio::test(start_paused = true)]
async fn a_command_that_finds_the_token_ended_is_sent_on_the_next_connection() {
    let (world, peer) = start([Answer::Token(HOUR)], |_, _| None);
    let mut redis = managed(&world).await;
    world.sleep_until(MINUTE + SECOND).await;
    world.host.step(SignedDuration::from_hours(2));
    cmd("SET").query_async::<()>(&mut redis).await.unwrap();
    assert!(world.host.elapsed() < MINUTE + 2 * SECOND);
    assert_eq!(peer.arrived(2, "SET").len(), 1);
}

/// PR-34: a transaction of its own, which has nothing to do with the one that was lost.
#[tokio::test(start_paused = true)]
async fn an_atomic_pipeline_waits_for_the_next_connection_after_a_lost_transaction() {
    let (world, peer) = start([Answer::Token(HOUR)], |connection, name| match name {
        "HELLO" if connection == 2 => Some(""),
        "SET" => Some("+QUEUED\r\n"),
        "EXEC" => Some("*1\r\n+OK\r\n"),
        _ => None,
    });
    let mut redis = managed(&world).await;
    cmd("MULTI").query_async::<()>(&mut redis).await.unwrap();
    peer.push(1, "");
    world.sleep_until(SECOND).await;
    let mut atomic = pipe();
    let set = atomic.atomic().cmd("SET").arg("a").arg(1);
    let set = set.query_async::<Value>(&mut redis);
    let connected = async {
        world.sleep_until(2 * SECOND).await;
        peer.push(2, HELLO);
    };
    let (set, ()) = tokio::join!(set, connected);
    set.unwrap();
    assert_eq!(peer.commands(2), ["MULTI", "SET", "EXEC"]);
}

/// RDD-18: the token at hand is valid, so the missing connection is to blame.
#[tokio::test(start_paused = true)]
async fn a_failed_renewal_is_not_to_blame_while_the_token_is_valid() {
    let plan = [Answer::Token(HOUR), Answer::Fails(transient())];
    let (world, peer) = start(plan, |connection, name| match name {
        "HELLO" if connection > 1 => Some(""),
        _ => None,
    });
    let mut redis = managed(&world).await;
    world.sleep_until(45 * MINUTE).await;
    assert!(world.idp.count() > 1);
    peer.push(1, "");
    world.settle().await;
    let error = cmd("GET").query_async::<Value>(&mut redis).await;
    let error = error.unwrap_err().to_string();
    assert!(!error.contains("there is no token"), "{error}");
}

/// A replaced connection is a warning where messages may have been lost, and news otherwise.
#[traced_test]
#[tokio::test(start_paused = true)]
async fn a_gap_is_logged_as_a_warning_and_a_reconnect_is_not() {
    let (world, peer) = start([Answer::Token(HOUR)], |_, _| None);
    let _redis = managed(&world).await;
    peer.push(1, "");
    world.sleep_until(SECOND).await;
    let (world, peer) = start([Answer::Token(HOUR)], |_, name| match name {
        "SUBSCRIBE" => Some(">3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n"),
        _ => None,
    });
    let options = ConnectionOptions::default();
    let subscriber = EntraPubSub::connect(endpoint(), &world.provider, options).await;
    let subscriber = subscriber.unwrap();
    subscriber.subscribe(["a"]).await.unwrap();
    peer.push(1, "");
    world.sleep_until(Duration::from_secs(5)).await;
    logs_assert(|lines: &[&str]| {
        let replaced = lines.iter().filter(|line| line.contains("was replaced"));
        let wrong: Vec<_> = replaced
            .filter(|line| line.contains("may be lost") != line.contains("WARN"))
            .collect();
        let count = lines.iter().filter(|line| line.contains("was replaced"));
        match (wrong.is_empty(), count.count()) {
            (true, 2) => Ok(()),
            _ => Err(format!("{lines:#?}")),
        }
    });
}
