//! When a lost connection is made again (RA-20, RA-21).

use std::time::Duration;

use credsim_identity::redis::connection::{
    ConnectionOptions, EntraConnectionManager, EntraPubSub, RedisEndpoint,
};

use crate::{
    core_support::{HOUR, Host, MINUTE, SECOND},
    peer::Peer,
    support::{Answer, World},
};

const HELLO: &str = "%1\r\n$5\r\nproto\r\n:3\r\n";

/// A server that answers the handshake of connection `n` with `handshake(n)`.
fn server(
    host: &Host,
    handshake: impl Fn(usize) -> &'static str + Send + Sync + 'static,
) -> (World, Peer) {
    let peer = Peer::new(host, move |connection, words| match words[0].as_str() {
        "HELLO" => handshake(connection).to_owned(),
        _ => "+OK\r\n".to_owned(),
    });
    let world = World::on(host.clone(), [Answer::Token(HOUR)], |builder| {
        builder.platform(peer.platform())
    });
    (world, peer)
}

fn endpoint() -> RedisEndpoint {
    RedisEndpoint::new("redis", 6379).tls(false)
}

/// The waits between handshakes in milliseconds, from the loss of the first connection on.
fn waits(peer: &Peer, lost_at: Duration) -> Vec<u128> {
    let mut times = peer.times("HELLO");
    times.retain(|at| *at >= lost_at);
    let mut last = lost_at;
    let waits = times.into_iter().map(|at| {
        let wait = at - last;
        last = at;
        wait.as_millis()
    });
    waits.collect()
}

/// The first try is immediate, the waits after failures are 50 ms doubled up to 2 s. The random
/// number is 0, so there is no jitter.
const WAITS: [u128; 9] = [0, 50, 100, 200, 400, 800, 1600, 2000, 2000];

fn loading(connection: usize) -> &'static str {
    match connection {
        1 | 10 => HELLO,
        _ => "-LOADING Redis is loading the dataset in memory\r\n",
    }
}

#[tokio::test(start_paused = true)]
async fn a_manager_reconnects_after_50_ms_doubled() {
    let host = Host::new(0.0);
    let (world, peer) = server(&host, loading);
    let options = ConnectionOptions::default();
    let _redis = EntraConnectionManager::connect(endpoint(), &world.provider, options)
        .await
        .unwrap();
    world.sleep_until(MINUTE).await;
    let lost_at = host.elapsed();
    peer.push(1, "");
    world.sleep_until(2 * MINUTE).await;
    assert_eq!(waits(&peer, lost_at), WAITS);
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_reconnects_after_50_ms_doubled() {
    let host = Host::new(0.0);
    let (world, peer) = server(&host, loading);
    let options = ConnectionOptions::default();
    let _redis = EntraPubSub::connect(endpoint(), &world.provider, options)
        .await
        .unwrap();
    world.sleep_until(MINUTE).await;
    let lost_at = host.elapsed();
    peer.push(1, "");
    world.sleep_until(2 * MINUTE).await;
    assert_eq!(waits(&peer, lost_at), WAITS);
}

/// A first connection that fails is tried again after the same waits.
#[tokio::test(start_paused = true)]
async fn a_first_connection_is_tried_again_after_50_ms_doubled() {
    let host = Host::new(0.0);
    let (world, peer) = server(&host, |connection| match connection {
        1..5 => "-LOADING Redis is loading the dataset in memory\r\n",
        _ => HELLO,
    });
    let options = ConnectionOptions::default();
    EntraConnectionManager::connect(endpoint(), &world.provider, options)
        .await
        .unwrap();
    assert_eq!(waits(&peer, Duration::ZERO), [0, 50, 100, 200, 400]);
}

/// A server that closes each connection right after the handshake is not asked in a loop, by
/// neither kind of connection.
#[tokio::test(start_paused = true)]
async fn a_server_that_closes_what_it_accepts_meets_no_loop() {
    for subscribes in [false, true] {
        let host = Host::new(0.0);
        let (world, peer) = server(&host, |_| HELLO);
        let options = ConnectionOptions::default();
        let (mut manager, mut subscriber) = (None, None);
        match subscribes {
            false => {
                manager = EntraConnectionManager::connect(endpoint(), &world.provider, options)
                    .await
                    .ok();
            }
            true => {
                subscriber = EntraPubSub::connect(endpoint(), &world.provider, options)
                    .await
                    .ok();
            }
        }
        let mut connection = 0;
        while host.elapsed() < 20 * SECOND {
            // The peer numbers its connections in the order of connecting.
            while peer.times("HELLO").len() > connection {
                connection += 1;
                peer.push(connection, "");
            }
            host.sleep(SECOND / 1000).await;
        }
        assert!((5..20).contains(&connection), "{connection} in 20 s");
        drop((manager, subscriber));
    }
}
