//! Subscribers whose server misbehaves.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use credsim_identity::redis::connection::{
    ConnectionOptions, EntraPubSub, PubSubEvent, RedisEndpoint,
};
use redis::ProtocolVersion;

use crate::{
    core_support::{HOUR, Host, MINUTE, SECOND},
    fake::{Auth, Fake},
    peer::{DEAF, Peer, resp2},
    support::{Answer, World},
};

fn endpoint() -> RedisEndpoint {
    RedisEndpoint::new("redis", 6379).tls(false)
}

async fn subscriber(peer: &Peer, host: &Host, protocol: ProtocolVersion) -> (World, EntraPubSub) {
    let world = World::on(host.clone(), [Answer::Token(HOUR)], |builder| {
        builder.platform(peer.platform())
    });
    let mut options = ConnectionOptions::default();
    options.protocol = protocol;
    let redis = EntraPubSub::connect(endpoint(), &world.provider, options)
        .await
        .unwrap();
    (world, redis)
}

/// PR-36: the old connection falls silent, and only the hand-over finds out.
#[tokio::test(start_paused = true)]
async fn a_gap_of_a_silent_connection_is_reported() {
    let host = Host::new(0.5);
    let mute = Arc::new(AtomicBool::new(false));
    let is_mute = Arc::clone(&mute);
    let peer = Peer::new(&host, move |connection, words| {
        if connection == 1 && is_mute.load(Ordering::SeqCst) {
            return String::new();
        }
        resp2(words)
    });
    let (world, redis) = subscriber(&peer, &host, ProtocolVersion::RESP2).await;
    redis.subscribe(["a"]).await.unwrap();
    world.sleep_until(40 * MINUTE).await;
    mute.store(true, Ordering::SeqCst);
    // What is published now gets lost.
    world.sleep_until(45 * MINUTE).await;
    assert_eq!(peer.arrived(2, "SUBSCRIBE").len(), 1);
    peer.push(2, "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nm\r\n");
    let event = redis.next().await.unwrap();
    assert!(matches!(event, PubSubEvent::Gap { .. }), "{event:?}");
}

#[tokio::test(start_paused = true)]
async fn a_refused_channel_costs_no_other() {
    let host = Host::new(0.5);
    let peer = Peer::new(&host, |_, words| {
        if words.contains(&"b".to_owned()) {
            return "-NOPERM no\r\n".to_owned();
        }
        resp2(words)
    });
    let (world, redis) = subscriber(&peer, &host, ProtocolVersion::RESP2).await;
    redis.subscribe(["a"]).await.unwrap();
    redis.subscribe(["a", "b"]).await.unwrap_err();
    peer.push(1, "");
    world.sleep_until(MINUTE).await;
    assert_eq!(peer.arrived(2, "SUBSCRIBE"), [["SUBSCRIBE", "a"]]);
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_asks_for_another_token_too() {
    let host = Host::new(0.5);
    let fake = Fake::new(&host);
    fake.will([Auth::Refuse; 40]);
    let world = World::on(host, [Answer::Token(HOUR)], |builder| {
        builder.platform(fake.platform())
    });
    let _redis = EntraPubSub::connect(endpoint(), &world.provider, ConnectionOptions::default())
        .await
        .unwrap();
    world.sleep_until(50 * MINUTE).await;
    assert_eq!(world.idp.count(), 3);
}

#[tokio::test(start_paused = true)]
async fn callers_do_not_wait_for_another_token() {
    // Another token is refused at the door, and the request for another one hangs.
    let host = Host::new(0.5);
    let peer = Peer::new(&host, |connection, words| {
        if connection > 1 {
            return "-WRONGPASS no\r\n".to_owned();
        }
        resp2(words)
    });
    let (world, redis) = subscriber(&peer, &host, ProtocolVersion::RESP2).await;
    redis.subscribe(["a"]).await.unwrap();
    world.sleep_until(42 * MINUTE + SECOND).await;
    world.idp.will([Answer::Hangs]);
    world.sleep_until(43 * MINUTE).await;
    let changed = world
        .host
        .platform()
        .within(2 * MINUTE, redis.subscribe(["b"]))
        .await;
    assert!(changed.is_some());
}

/// A token that the server refuses is exchanged, but a source that gives it again makes no loop.
#[tokio::test(start_paused = true)]
async fn a_refused_token_that_comes_again_makes_no_loop() {
    let host = Host::new(0.5);
    let fake = Fake::new(&host);
    fake.will([Auth::Refuse; 1000]);
    let world = World::on(host, [Answer::Token(HOUR)], |builder| {
        builder.platform(fake.platform())
    });
    let mut options = ConnectionOptions::default();
    // The new token is seconds old when it is refused, so `renew` answers with it at once.
    options.spread = SECOND / 10;
    let _redis = EntraPubSub::connect(endpoint(), &world.provider, options)
        .await
        .unwrap();
    world.sleep_until(42 * MINUTE + 20 * SECOND).await;
    // At once, and after 1, 2, 4 and 8 s.
    assert_eq!(fake.arrived("AUTH").len(), 5);
}

/// Every send has a limit of time: a server that reads nothing is replaced.
#[tokio::test(start_paused = true)]
async fn a_server_that_reads_nothing_is_left_in_time() {
    for protocol in [ProtocolVersion::RESP2, ProtocolVersion::RESP3] {
        let host = Host::new(0.0);
        let peer = Peer::new(&host, |connection, words| match words[0].as_str() {
            // The handshake of the second connection is the last that it reads.
            "AUTH" | "HELLO" if connection == 2 => format!("+OK\r\n{DEAF}"),
            _ => resp2(words),
        });
        let (world, redis) = subscriber(&peer, &host, protocol).await;
        // More than the buffers between client and server hold.
        let long = "x".repeat(1 << 15);
        for number in 0..8 {
            redis.subscribe([format!("{number}{long}")]).await.unwrap();
        }
        world.sleep_until(MINUTE).await;
        peer.push(1, "");
        world.sleep_until(2 * MINUTE).await;
        assert_eq!(peer.arrived(3, "SUBSCRIBE").len(), 1, "{protocol:?}");
    }
}

/// The server refuses a channel to a connection that comes back, such as after a change of its ACL:
/// the others go on.
#[tokio::test(start_paused = true)]
async fn a_channel_refused_after_reconnecting_costs_no_other() {
    let host = Host::new(0.0);
    let peer = Peer::new(&host, |connection, words| {
        if connection > 1 && words.contains(&"b".to_owned()) {
            return "-NOPERM no\r\n".to_owned();
        }
        resp2(words)
    });
    let (world, redis) = subscriber(&peer, &host, ProtocolVersion::RESP2).await;
    redis.subscribe(["a", "b"]).await.unwrap();
    world.sleep_until(MINUTE).await;
    peer.push(1, "");
    world.sleep_until(2 * MINUTE).await;
    assert_eq!(peer.times("AUTH").len(), 2, "it came back once");
    let gap = redis.next().await.unwrap();
    assert!(matches!(gap, PubSubEvent::Gap { .. }), "{gap:?}");
    let refused = redis.next().await.unwrap();
    assert!(format!("{refused:?}").contains("Refused"), "{refused:?}");
    peer.push(2, "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nm\r\n");
    let message = redis.next().await.unwrap();
    assert!(
        matches!(message, PubSubEvent::Message { .. }),
        "{message:?}"
    );
}
