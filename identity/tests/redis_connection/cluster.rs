//! A cluster of one node in memory.

use std::{
    io,
    sync::{Arc, Mutex},
};

use credsim_identity::{
    platform::{BoxFuture, ByteStream, ByteStreams},
    redis::connection::{ConnectionOptions, EntraCluster, EntraConnection, RedisEndpoint},
};
use redis::{
    ErrorKind, RedisResult, Value, aio::ConnectionLike as _, cluster_async::Connect as _, cmd,
};
use tokio::io::AsyncReadExt as _;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};

use crate::{
    core_support::{HOUR, Host, MINUTE},
    peer::Peer,
    support::{Answer, World},
};

fn endpoint() -> RedisEndpoint {
    RedisEndpoint::new("redis", 6379).tls(false)
}

fn node(host: &Host) -> Peer {
    Peer::new(host, |_, words| node_answers(words))
}

fn node_answers(words: &[String]) -> String {
    match words[0].as_str() {
        "HELLO" => "%1\r\n$5\r\nproto\r\n:3\r\n".to_owned(),
        "PING" => "+PONG\r\n".to_owned(),
        "CLUSTER" => "*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$5\r\nredis\r\n:6379\r\n".to_owned(),
        _ => "+OK\r\n".to_owned(),
    }
}

async fn start(options: ConnectionOptions) -> (World, Peer, EntraCluster) {
    let host = Host::new(0.5);
    let peer = node(&host);
    let world = World::on(host, [Answer::Token(HOUR)], |b| b.platform(peer.platform()));
    let cluster = EntraCluster::connect([endpoint()], &world.provider, options).await;
    (world, peer, cluster.unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_cluster_shows_its_database_and_no_secret() {
    let mut options = ConnectionOptions::default();
    options.database = 3;
    let (_world, _peer, mut cluster) = start(options).await;
    let set: RedisResult<Value> = cmd("SET").arg("a").arg(1).query_async(&mut cluster).await;
    set.unwrap();
    assert_eq!(cluster.get_db(), 3);
    assert_eq!(format!("{cluster:?}"), "EntraCluster");
}

/// Its connections have limits of their own.
#[tokio::test(start_paused = true)]
async fn a_command_of_a_cluster_may_block() {
    let host = Host::new(0.5);
    let peer = Peer::new(&host, |_, words| match words[0].as_str() {
        "BLPOP" => String::new(),
        _ => node_answers(words),
    });
    let world = World::on(host, [Answer::Token(HOUR)], |b| b.platform(peer.platform()));
    let options = ConnectionOptions::default();
    let cluster = EntraCluster::connect([endpoint()], &world.provider, options).await;
    let mut cluster = cluster.unwrap();
    let mut blpop = cmd("BLPOP");
    let popped = blpop.arg("q").arg(0).query_async::<Value>(&mut cluster);
    let answered = async {
        world.sleep_until(MINUTE).await;
        let connections = peer.times("HELLO").len();
        let asked = |connection: &usize| !peer.arrived(*connection, "BLPOP").is_empty();
        let connection = (1..=connections).find(asked).unwrap();
        peer.push(connection, "*2\r\n$1\r\nq\r\n$1\r\n7\r\n");
    };
    let (popped, ()) = tokio::join!(popped, answered);
    popped.unwrap();
    assert!(world.host.elapsed() >= MINUTE);
}

/// The clone of the inner connection makes no connection once its cluster is gone.
#[tokio::test(start_paused = true)]
async fn the_connections_of_a_cluster_end_with_it() {
    let (world, peer, cluster) = start(ConnectionOptions::default()).await;
    let mut inner = cluster.inner().clone();
    let handshakes = peer.times("HELLO").len();
    drop(cluster);
    world.sleep_until(MINUTE).await;
    for connection in 1..=handshakes {
        peer.push(connection, "");
    }
    world.sleep_until(2 * MINUTE).await;
    let set: RedisResult<Value> = cmd("SET").arg("a").arg(1).query_async(&mut inner).await;
    set.unwrap_err();
    assert_eq!(peer.times("HELLO").len(), handshakes);
}

/// Keeps the first byte that is sent, and closes each connection.
#[derive(Default)]
struct FirstByte(Mutex<Vec<u8>>);

struct FirstBytes(Arc<FirstByte>);

impl ByteStreams for FirstBytes {
    fn connect(&self, _: &str, _: u16) -> BoxFuture<'static, io::Result<ByteStream>> {
        let first = Arc::clone(&self.0);
        Box::pin(async move {
            let (client, mut server) = tokio::io::duplex(1 << 16);
            tokio::spawn(async move {
                let byte = server.read_u8().await;
                first.0.lock().unwrap().extend(byte.ok());
            });
            Ok(Box::new(client) as ByteStream)
        })
    }
}

/// RS-40: the nodes of a cluster are reached as the first endpoint is, in clear text or by TLS.
#[tokio::test(start_paused = true)]
async fn the_nodes_use_tls_if_the_first_endpoint_does() {
    // The first byte of a RESP array, and that of a TLS handshake record.
    for (tls, expected) in [(false, b'*'), (true, 0x16)] {
        let host = Host::new(0.5);
        let first = Arc::new(FirstByte::default());
        let mut platform = host.platform();
        platform.streams = Arc::new(FirstBytes(Arc::clone(&first)));
        let world = World::on(host, [Answer::Token(HOUR)], |b| b.platform(platform));
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth();
        let mut options = ConnectionOptions::default();
        options.tls_config = Some(Arc::new(config));
        let cluster = EntraCluster::connect([endpoint().tls(tls)], &world.provider, options).await;
        cluster.unwrap_err();
        let bytes = first.0.lock().unwrap().clone();
        assert!(
            !bytes.is_empty() && bytes.iter().all(|byte| *byte == expected),
            "{bytes:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_without_its_cluster_is_a_configuration_error() {
    let config = redis::AsyncConnectionConfig::new();
    let error = EntraConnection::connect_with_config("redis://redis:6379", config).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::InvalidClientConfig);
}
