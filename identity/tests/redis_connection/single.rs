//! A single connection, command by command: what is sent, in which order, and when it ends.

use std::time::Duration;

use credsim_identity::redis::connection::{
    ConnectionOptions, EntraConnection, EntraConnectionManager, RedisEndpoint,
};
use jiff::SignedDuration;
use redis::{Cmd, ErrorKind, RedisResult, Value, aio::ConnectionLike, cmd, pipe};

use crate::{
    core_support::{HOUR, Host, MINUTE, SECOND},
    fake::Fake,
    peer::{HANG_UP, Peer},
    support::{Answer, World, transient},
};

/// When the next token is sent: after 70 % of the life of an hour and half of the spread.
const DUE: Duration = Duration::from_secs(42 * 60 + 30);
const HELLO: &str = "%1\r\n$5\r\nproto\r\n:3\r\n";

fn endpoint() -> RedisEndpoint {
    RedisEndpoint::new("redis", 6379).tls(false)
}

/// A connection to a server that answers all but the handshake with `answers`.
async fn start(
    plan: impl IntoIterator<Item = Answer>,
    answers: impl Fn(usize, &[String]) -> String + Send + Sync + 'static,
) -> (World, Peer, EntraConnection) {
    let host = Host::new(0.5);
    let peer = Peer::new(&host, move |connection, words| match words[0].as_str() {
        "HELLO" => HELLO.to_owned(),
        "CLIENT" => "+OK\r\n".to_owned(),
        _ => answers(connection, words),
    });
    let world = World::on(host, plan, |builder| builder.platform(peer.platform()));
    let options = ConnectionOptions::default();
    let redis = EntraConnection::connect(endpoint(), &world.provider, options).await;
    (world, peer, redis.unwrap())
}

fn ok(_: usize, _: &[String]) -> String {
    "+OK\r\n".to_owned()
}

fn words(text: &str) -> Cmd {
    let mut words = text.split(' ');
    let mut command = cmd(words.next().unwrap());
    words.for_each(|word| {
        command.arg(word);
    });
    command
}

async fn send(redis: &mut impl ConnectionLike, text: &str) -> RedisResult<Value> {
    words(text).query_async(redis).await
}

/// RS-11: nothing is sent between `RESET` and the `AUTH` that follows it.
#[tokio::test(start_paused = true)]
async fn auth_follows_a_reset_at_once() {
    let (world, peer, redis) = start([Answer::Token(HOUR)], ok).await;
    world.sleep_until(MINUTE).await;
    let (mut one, mut other) = (redis.clone(), redis);
    let (reset, got) = tokio::join!(send(&mut one, "RESET"), send(&mut other, "GET a"));
    reset.unwrap();
    got.unwrap();
    let sent: Vec<String> = peer.commands(1);
    assert_eq!(sent[sent.len() - 3..], ["RESET", "AUTH", "GET"]);
    assert_eq!(world.host.elapsed().as_secs(), 60);
}

/// While a transaction keeps a due `AUTH` back, the connection waits for its end.
#[tokio::test(start_paused = true)]
async fn a_due_auth_waits_for_the_end_of_the_transaction() {
    let (world, peer, mut redis) = start([Answer::Token(HOUR)], ok).await;
    world.sleep_until(DUE - SECOND).await;
    send(&mut redis, "MULTI").await.unwrap();
    world.sleep_until(DUE + MINUTE).await;
    assert_eq!(peer.times("AUTH").len(), 0);
    send(&mut redis, "EXEC").await.unwrap();
    world.settle().await;
    assert_eq!(peer.times("AUTH").len(), 1);
}

/// PR-34: once a transaction is given up, no further command of it is sent, also while one is under
/// way.
#[tokio::test(start_paused = true)]
async fn nothing_is_sent_while_a_transaction_is_given_up() {
    let plan = [Answer::Token(HOUR), Answer::Fails(transient())];
    let (world, peer, redis) = start(plan, |_, words| match words[0].as_str() {
        "GET" => String::new(),
        _ => "+OK\r\n".to_owned(),
    })
    .await;
    let (mut one, mut other) = (redis.clone(), redis);
    let close_down = HOUR - 5 * SECOND;
    world.sleep_until(close_down - 2 * SECOND).await;
    send(&mut one, "MULTI").await.unwrap();
    let slow = tokio::spawn(async move { send(&mut one, "GET a").await });
    world.sleep_until(close_down + SECOND).await;
    let late = tokio::spawn(async move { send(&mut other, "SET a 1").await });
    world.sleep_until(close_down + 2 * SECOND).await;
    assert_eq!(peer.commands(1), ["MULTI", "GET"]);
    peer.push(1, "+QUEUED\r\n");
    world.settle().await;
    slow.await.unwrap().unwrap();
    late.await.unwrap().unwrap_err();
    assert_eq!(peer.commands(1), ["MULTI", "GET", "DISCARD"]);
}

/// PR-20: the token ends by either clock, and so does its connection.
#[tokio::test(start_paused = true)]
async fn an_idle_connection_ends_with_its_token_by_either_clock() {
    let life = HOUR + 30 * SECOND;
    for steps in [false, true] {
        let plan = [Answer::Token(life), Answer::Fails(transient())];
        let (world, peer, _redis) = start(plan, ok).await;
        let over = match steps {
            false => life,
            true => {
                world.sleep_until(10 * MINUTE + SECOND).await;
                // A provider would report the end of its token.
                world.provider.dispose();
                world.settle().await;
                world.host.step(SignedDuration::from_hours(2));
                11 * MINUTE + SECOND
            }
        };
        world.sleep_until(over - SECOND).await;
        assert!(!peer.is_closed(1), "stepped: {steps}");
        world.sleep_until(over + 2 * SECOND).await;
        assert!(peer.is_closed(1), "stepped: {steps}");
    }
}

/// The last clone closes the connection, also while a request of it was given up.
#[tokio::test(start_paused = true)]
async fn the_last_clone_closes_the_connection() {
    let (world, peer, redis) = start([Answer::Token(HOUR)], ok).await;
    let clone = redis.clone();
    drop(redis);
    world.sleep_until(MINUTE).await;
    assert!(!peer.is_closed(1));
    drop(clone);
    world.settle().await;
    assert!(peer.is_closed(1));
}

/// RA-09: a command whose answer is not awaited may still be under way, so `PING` goes before
/// `AUTH`.
#[tokio::test(start_paused = true)]
async fn a_command_without_an_answer_leaves_doubt() {
    for is_awaited in [true, false] {
        let (world, peer, mut redis) =
            start([Answer::Token(HOUR)], |_, words| match words[0].as_str() {
                "PING" => "+PONG\r\n".to_owned(),
                _ => "+OK\r\n".to_owned(),
            })
            .await;
        let mut set = words("SET a 1");
        set.set_no_response(!is_awaited);
        let _: Value = set.query_async(&mut redis).await.unwrap();
        world.sleep_until(DUE + SECOND).await;
        let pings = usize::from(!is_awaited);
        let sent = (peer.times("PING").len(), peer.times("AUTH").len());
        assert_eq!(sent, (pings, 1), "{is_awaited}");
    }
}

/// A blocking command is sent as its caller wrote it when it ends in time, and once when it is
/// answered.
#[tokio::test(start_paused = true)]
async fn a_blocking_command_is_sent_in_slices_only_where_it_must() {
    const ITEM: &str = "*2\r\n$1\r\nq\r\n$1\r\nx\r\n";
    let table = [
        // The command, its answer, and what is sent.
        ("BLPOP q 10", ITEM, "BLPOP q 10"),
        ("BLPOP q 10", "_\r\n", "BLPOP q 10"),
        ("BLPOP q 0.0005", "_\r\n", "BLPOP q 0.0005"),
        ("BLPOP q 0", ITEM, "BLPOP q 2340.000"),
        ("WAIT 1 0", ":1\r\n", "WAIT 1 0"),
        ("WAIT 1 9000000", ":1\r\n", "WAIT 1 9000000"),
    ];
    for (text, answer, expected) in table {
        let (_world, peer, mut redis) =
            start([Answer::Token(HOUR)], move |_, _| answer.to_owned()).await;
        send(&mut redis, text).await.unwrap();
        let sent = peer.arrived(1, text.split(' ').next().unwrap());
        let sent: Vec<String> = sent.iter().map(|words| words.join(" ")).collect();
        match text {
            "BLPOP q 0" => assert_eq!(sent.len(), 1, "{sent:?}"),
            _ => assert_eq!(sent, [expected]),
        }
    }
    // Its answer is not awaited, so there is nothing to go on with.
    let (world, peer, mut redis) = start([Answer::Token(HOUR)], ok).await;
    let mut pop = words("BLPOP q 9000");
    pop.set_no_response(true);
    let _: Value = pop.query_async(&mut redis).await.unwrap();
    world.settle().await;
    assert_eq!(peer.arrived(1, "BLPOP"), [["BLPOP", "q", "9000"]]);
}

/// The time limit of an answer: 10 s, and the time for which the command blocks.
#[tokio::test(start_paused = true)]
async fn the_limit_of_a_blocking_command_includes_its_own_time() {
    let mut transaction = pipe();
    transaction.atomic().cmd("BLPOP").arg("q").arg(30);
    let (world, _peer, mut redis) = start([Answer::Token(HOUR)], |_, _| String::new()).await;
    let began = world.host.elapsed();
    let error = send(&mut redis, "WAIT 1 5000").await.unwrap_err();
    assert!(error.is_timeout(), "{error}");
    assert_eq!(world.host.elapsed() - began, 15 * SECOND);
    // Inside a transaction nothing blocks.
    let began = world.host.elapsed();
    let error: RedisResult<Value> = transaction.query_async(&mut redis).await;
    assert!(error.unwrap_err().is_timeout());
    assert_eq!(world.host.elapsed() - began, 10 * SECOND);
}

/// A request whose caller no longer polls it delays neither the end of a lost connection nor the
/// next one.
#[tokio::test(start_paused = true)]
async fn an_idle_request_does_not_delay_the_next_connection() {
    let host = Host::new(0.5);
    let peer = Peer::new(&host, |_, words| match words[0].as_str() {
        "HELLO" => HELLO.to_owned(),
        "GET" => String::new(),
        _ => "+OK\r\n".to_owned(),
    });
    let world = World::on(host, [Answer::Token(HOUR)], |b| b.platform(peer.platform()));
    let mut options = ConnectionOptions::default();
    options.response_timeout = None;
    let redis = EntraConnectionManager::connect(endpoint(), &world.provider, options).await;
    let mut redis = redis.unwrap();
    world.sleep_until(DUE - SECOND).await;
    let get = words("GET a");
    let mut idle = Box::pin(get.query_async::<Value>(&mut redis));
    let platform = world.host.platform();
    assert!(platform.within(SECOND / 1000, &mut idle).await.is_none());
    world.sleep_until(DUE + SECOND).await;
    assert_eq!(peer.times("AUTH").len(), 0, "GET is under way");
    peer.push(1, "");
    world.sleep_until(DUE + 2 * SECOND).await;
    assert_eq!(peer.times("HELLO").len(), 2);
    drop(idle);
}

/// A request for another token belongs to the connection whose token was refused: the next
/// connection runs on an accepted one.
#[tokio::test(start_paused = true)]
async fn a_new_connection_needs_no_other_token() {
    let host = Host::new(0.5);
    let peer = Peer::new(&host, |connection, words| match words[0].as_str() {
        "HELLO" => HELLO.to_owned(),
        "AUTH" if connection == 1 => format!("-WRONGPASS no\r\n{HANG_UP}"),
        _ => "+OK\r\n".to_owned(),
    });
    let world = World::on(host, [Answer::Token(HOUR)], |b| b.platform(peer.platform()));
    let options = ConnectionOptions::default();
    let redis = EntraConnectionManager::connect(endpoint(), &world.provider, options).await;
    let _redis = redis.unwrap();
    world.sleep_until(DUE + MINUTE).await;
    assert_eq!(peer.times("HELLO").len(), 2);
    assert_eq!(world.idp.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_manager_fails_with_the_error_of_the_last_attempt() {
    let host = Host::new(0.5);
    let peer = Peer::new(&host, |_, _| "-LOADING it is loading\r\n".to_owned());
    let world = World::on(host, [Answer::Token(HOUR)], |b| b.platform(peer.platform()));
    let options = ConnectionOptions::default();
    let error = EntraConnectionManager::connect(endpoint(), &world.provider, options).await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("is loading"), "{error}");
}

/// A refused token is exchanged once, and only for another one.
#[tokio::test(start_paused = true)]
async fn a_refused_handshake_is_repeated_once_with_another_token() {
    // The token has just come, so the source would give no other one.
    for (age, connects, handshakes) in [(0, 0, 1), (60, 31, 2)] {
        let host = Host::new(0.5);
        let fake = Fake::new(&host);
        let world = World::on(host, [Answer::Token(HOUR)], |b| b.platform(fake.platform()));
        let _renewing = world.provider.subscribe();
        world.provider.credentials().await.unwrap();
        world.sleep_until(age * SECOND).await;
        fake.refuse(5);
        fake.connecting_takes(connects * SECOND);
        let mut options = ConnectionOptions::default();
        options.connect_timeout = MINUTE;
        let error = EntraConnection::connect(endpoint(), &world.provider, options).await;
        error.unwrap_err();
        assert_eq!(fake.arrived("HELLO").len(), handshakes, "{age}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_name_that_is_none_is_an_error() {
    let (world, _peer, _redis) = start([Answer::Token(HOUR)], ok).await;
    let endpoint = RedisEndpoint::new("no name", 6380);
    let options = ConnectionOptions::default();
    let error = EntraConnection::connect(endpoint, &world.provider, options).await;
    let error = error.unwrap_err();
    assert!(
        error.is_io_error() && error.to_string().contains("dns name"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_missing_token_is_a_failed_authentication() {
    let host = Host::new(0.5);
    let fake = Fake::new(&host);
    let plan = [Answer::Fails(transient())];
    let world = World::on(host, plan, |b| b.platform(fake.platform()));
    let options = ConnectionOptions::default();
    let error = EntraConnection::connect(endpoint(), &world.provider, options).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::AuthenticationFailed);
}
