//! The hand-over of a RESP2 subscriber from one connection to the next, message by message (RS-12,
//! PR-36).

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use credsim_identity::redis::{
    RedisEvent,
    connection::{ConnectionOptions, EntraPubSub, PubSubEvent, RedisEndpoint},
};
use redis::ProtocolVersion;

use crate::{
    core_support::{HOUR, Host, MINUTE, SECOND},
    peer::{DEAF, HANG_UP, Peer, resp2},
    support::{Answer, World},
};

/// When the hand-over begins: 70 % of the token's life and half of the spread.
const DUE: Duration = Duration::from_secs(42 * 60 + 30);

/// What the server does besides its answer to the n-th command of this name on this connection:
/// `1` sends the message "1" before the answer, `|1` sends it after the first confirmation of
/// several, `-` is an error and `!` is the end of the connection in place of the answer.
type Script = &'static [(usize, &'static str, usize, &'static str)];

fn message(payload: char) -> String {
    format!("*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\n{payload}\r\n")
}

fn scripted(script: Script) -> impl Fn(usize, &[String]) -> String + Send + Sync {
    let counts = Mutex::new(BTreeMap::new());
    move |connection, words| {
        let mut counts = counts.lock().unwrap();
        let count: &mut usize = counts.entry((connection, words[0].clone())).or_default();
        *count += 1;
        let is_it = |entry: &&(usize, &str, usize, _)| {
            (entry.0, entry.1, entry.2) == (connection, words[0].as_str(), *count)
        };
        let all = resp2(words);
        match script.iter().find(is_it).map(|entry| entry.3) {
            None => all,
            Some("-") => "-ERR it is busy\r\n".to_owned(),
            Some("!") => HANG_UP.to_owned(),
            Some(text) => match text.strip_prefix('|') {
                None => text.chars().map(message).chain([all]).collect(),
                Some(text) => {
                    let first = resp2(&words[..2]);
                    let rest = all[first.len()..].to_owned();
                    let messages = text.chars().map(message);
                    [first].into_iter().chain(messages).chain([rest]).collect()
                }
            },
        }
    }
}

async fn start(
    host: &Host,
    answers: impl Fn(usize, &[String]) -> String + Send + Sync + 'static,
) -> (World, Peer, EntraPubSub) {
    let peer = Peer::new(host, answers);
    let world = World::on(host.clone(), [Answer::Token(HOUR)], |builder| {
        builder.platform(peer.platform())
    });
    let mut options = ConnectionOptions::default();
    options.protocol = ProtocolVersion::RESP2;
    let endpoint = RedisEndpoint::new("redis", 6379).tls(false);
    let redis = EntraPubSub::connect(endpoint, &world.provider, options).await;
    (world, peer, redis.unwrap())
}

/// What the subscriber got up to the 45th minute: messages by their payload, `gap` for a gap.
async fn received(world: &World, redis: &EntraPubSub) -> String {
    world.sleep_until(45 * MINUTE).await;
    let mut received = Vec::new();
    let platform = world.host.platform();
    while let Some(Some(event)) = platform.within(SECOND / 1000, redis.next()).await {
        received.push(match event {
            PubSubEvent::Message { payload, .. } => String::from_utf8(payload).unwrap(),
            PubSubEvent::Gap { .. } => "gap".to_owned(),
            other => format!("{other:?}"),
        });
    }
    received.join(" ")
}

fn failures(world: &World) -> Vec<Duration> {
    let failed = |(at, event): (Duration, RedisEvent)| {
        matches!(event, RedisEvent::ReauthenticationFailed { .. }).then_some(at)
    };
    world
        .notes
        .events()
        .into_iter()
        .filter_map(failed)
        .collect()
}

/// The old connection gets PING and UNSUBSCRIBE; the new one SUBSCRIBE, PING and PING.
#[tokio::test(start_paused = true)]
async fn each_message_of_a_hand_over_is_delivered_once() {
    let table: [(&str, Script, &str); 8] = [
        ("nothing is published", &[], ""),
        (
            "different messages",
            &[
                (1, "PING", 1, "1"),
                (2, "PING", 1, "12"),
                (1, "UNSUBSCRIBE", 1, "2"),
                (2, "PING", 2, "3"),
            ],
            "1 2 3",
        ),
        (
            "one after the old connection's marker",
            &[(1, "UNSUBSCRIBE", 1, "7"), (2, "PING", 2, "7")],
            "7",
        ),
        (
            "one of two before the old connection's marker",
            &[
                (1, "PING", 1, "7"),
                (1, "UNSUBSCRIBE", 1, "7"),
                (2, "PING", 2, "7"),
            ],
            "7 7",
        ),
        (
            "one before the new connection's marker",
            &[(1, "PING", 1, "7"), (2, "PING", 1, "7")],
            "7",
        ),
        (
            "one between two confirmations",
            &[(2, "PING", 1, "7"), (1, "UNSUBSCRIBE", 1, "|7")],
            "7",
        ),
        (
            "the old connection breaks before its last messages",
            &[(2, "PING", 1, "7"), (1, "UNSUBSCRIBE", 1, "!")],
            "7",
        ),
        (
            "the old connection breaks before its marker",
            &[(1, "PING", 1, "!"), (2, "PING", 1, "7")],
            "gap 7",
        ),
    ];
    for (name, script, expected) in table {
        let host = Host::new(0.5);
        let (world, peer, redis) = start(&host, scripted(script)).await;
        redis.subscribe(["a", "b"]).await.unwrap();
        assert_eq!(received(&world, &redis).await, expected, "{name}");
        assert_eq!(peer.arrived(2, "SUBSCRIBE"), [["SUBSCRIBE", "a", "b"]]);
        assert_eq!(peer.times("SUBSCRIBE").len(), 2, "{name}");
        assert!(failures(&world).is_empty(), "{name}");
    }
}

/// A new connection that fails in a step is given up at once. Whether the old one goes on depends
/// on its own state.
#[tokio::test(start_paused = true)]
async fn a_new_connection_that_fails_in_a_step_is_given_up_at_once() {
    let table: [(&str, Script, bool); 4] = [
        ("SUBSCRIBE is refused", &[(2, "SUBSCRIBE", 1, "-")], true),
        ("the new connection breaks", &[(2, "PING", 1, "!")], true),
        (
            "both break",
            &[(1, "PING", 1, "!"), (2, "PING", 1, "-")],
            false,
        ),
        (
            "the old connection has unsubscribed",
            &[(2, "PING", 2, "-")],
            false,
        ),
    ];
    for (name, script, old_goes_on) in table {
        let host = Host::new(0.5);
        let (world, peer, redis) = start(&host, scripted(script)).await;
        redis.subscribe(["a"]).await.unwrap();
        let expected = if old_goes_on { "" } else { "gap" };
        assert_eq!(received(&world, &redis).await, expected, "{name}");
        let failed: &[Duration] = if old_goes_on { &[DUE] } else { &[] };
        assert_eq!(failures(&world), failed, "{name}");
        let wait = if old_goes_on { SECOND } else { Duration::ZERO };
        assert_eq!(peer.times("SUBSCRIBE")[2], DUE + wait, "{name}");
    }
}

/// An old connection whose peer does not read is left after one time limit, not after two.
#[tokio::test(start_paused = true)]
async fn an_old_connection_that_does_not_read_is_left_after_one_limit() {
    let host = Host::new(0.5);
    let (world, peer, redis) = start(&host, |connection, words| {
        match (connection, words[0].as_str()) {
            (1, "PING") => format!("{}{DEAF}", resp2(words)),
            _ => resp2(words),
        }
    })
    .await;
    // UNSUBSCRIBE of all is more than the buffers between client and server hold.
    let long = "x".repeat(1 << 15);
    for number in 0..4 {
        redis.subscribe([format!("{number}{long}")]).await.unwrap();
    }
    world.sleep_until(45 * MINUTE).await;
    let pings = peer.arrived(2, "PING").len();
    assert_eq!((pings, peer.times("PING")[2]), (2, DUE + 10 * SECOND));
}

/// The old connection has no subscriptions any more, although it has not said so yet.
#[tokio::test(start_paused = true)]
async fn an_old_connection_that_was_told_to_unsubscribe_is_of_no_use() {
    let host = Host::new(0.5);
    let both = Arc::new(OnceLock::<Peer>::new());
    let known = Arc::clone(&both);
    let (world, peer, redis) = start(&host, move |connection, words| {
        match (connection, words[0].as_str()) {
            (1, "UNSUBSCRIBE") => {
                if let Some(peer) = known.get() {
                    peer.push(2, "");
                }
                String::new()
            }
            _ => resp2(words),
        }
    })
    .await;
    let _ = both.set(peer.clone());
    redis.subscribe(["a"]).await.unwrap();
    assert_eq!(received(&world, &redis).await, "gap");
    assert!(failures(&world).is_empty());
    assert_eq!(peer.times("SUBSCRIBE")[2], DUE);
}

#[tokio::test(start_paused = true)]
async fn a_new_connection_takes_over_once_it_has_every_subscription() {
    let host = Host::new(0.5);
    let (world, peer, redis) = start(&host, |connection, words| {
        match (connection, words[0].as_str()) {
            (2, "SUBSCRIBE") => resp2(&words[..2]),
            _ => resp2(words),
        }
    })
    .await;
    redis.subscribe(["a", "b"]).await.unwrap();
    world.sleep_until(DUE + SECOND).await;
    assert_eq!(peer.arrived(2, "SUBSCRIBE").len(), 1);
    assert!(peer.arrived(1, "PING").is_empty(), "it still waits for b");
    peer.push(2, &resp2(&["SUBSCRIBE", "b"].map(str::to_owned)));
    world.sleep_until(DUE + 2 * SECOND).await;
    assert_eq!(peer.arrived(1, "PING").len(), 1);
    assert_eq!(peer.arrived(1, "UNSUBSCRIBE").len(), 1);
    assert!(failures(&world).is_empty());
}
