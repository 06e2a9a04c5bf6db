//! How long an attempt takes at most, and that nothing of it outlives its caller (PR-15, PR-24).

use std::time::{Duration, Instant};

use credsim_identity::{
    ErrorKind, ManagedIdentityCredential, Platform, RetryOptions, RetryPolicy,
    adapters::reqwest::ReqwestClient,
    http::{self, Failure, Reply},
    platform::{HttpClient as _, TransportErrorKind},
};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpSocket, TcpStream},
    sync::mpsc,
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::{
    client::{get, kind},
    host::{both, failure, request, with_imds},
    peer::{Peer, SOON, closed},
};

/// A peer that answers with `start` and then with `drop` every 20 ms, for ever. The receiver
/// hears when a client is gone.
async fn drip(start: &'static [u8], drop: &'static [u8]) -> (Peer, mpsc::UnboundedReceiver<()>) {
    let (gone, heard) = mpsc::unbounded_channel();
    let peer = Peer::new(move |_, mut stream, requests| {
        let gone = gone.clone();
        async move {
            requests.read(&mut stream).await;
            let _ = stream.write_all(start).await;
            let (mut read, mut write) = stream.split();
            let dripping = async {
                while !drop.is_empty() && write.write_all(drop).await.is_ok() {
                    sleep(Duration::from_millis(20)).await;
                }
                std::future::pending::<()>().await;
            };
            tokio::select! {
                () = closed(&mut read) => {}
                () = dripping => {}
            }
            let _ = gone.send(());
        }
    })
    .await;
    (peer, heard)
}

async fn hears(gone: &mut mpsc::UnboundedReceiver<()>) {
    timeout(SOON, gone.recv()).await.unwrap().unwrap();
}

/// Two attempts of 200 ms.
async fn send(uri: &str) -> Result<Reply, Failure> {
    let policy = RetryPolicy {
        max_retries: 1,
        retry_delay: Duration::from_millis(1),
        attempt_limit: Duration::from_millis(200),
        ..RetryPolicy::managed_identity()
    };
    http::send(&Platform::system(), &policy, "test", || get(uri)).await
}

const SILENCE: (&[u8], &[u8]) = (b"", b"");
const STALLED_HEAD: (&[u8], &[u8]) = (b"HTTP/1.1 200 OK\r\nContent-", b"");
const STALLED_BODY: (&[u8], &[u8]) = (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", b"");
const DRIPPING_HEAD: (&[u8], &[u8]) = (b"HTTP/1.1 200 OK\r\n", b"x: y\r\n");
const DRIPPING_BODY: (&[u8], &[u8]) = (b"HTTP/1.1 200 OK\r\n\r\n", b" ");
const DRIPPING_CHUNKS: (&[u8], &[u8]) = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"1\r\n \r\n",
);
const ONLY_HINTS: (&[u8], &[u8]) = (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n");

#[tokio::test]
async fn an_attempt_ends_in_time_whatever_the_peer_does() {
    let mut all = JoinSet::new();
    for (start, drop) in [
        SILENCE,
        STALLED_HEAD,
        STALLED_BODY,
        DRIPPING_HEAD,
        DRIPPING_BODY,
        DRIPPING_CHUNKS,
        ONLY_HINTS,
    ] {
        all.spawn(async move {
            let (peer, mut gone) = drip(start, drop).await;
            let before = Instant::now();
            let failure = send(&peer.http()).await.unwrap_err();
            let took = before.elapsed();
            assert!(matches!(failure, Failure::TimedOut { .. }), "{failure}");
            assert!(!failure.is_connect());
            assert!(took >= Duration::from_millis(400), "{took:?}");
            assert!(took < SOON, "{took:?}");
            assert_eq!(peer.connections(), 2, "a new attempt is a new connection");
            hears(&mut gone).await;
            hears(&mut gone).await;
        });
    }
    all.join_all().await;
}

/// A status that is retried needs no body.
#[tokio::test]
async fn a_refusal_counts_though_its_body_stalls() {
    let (peer, _gone) = drip(b"HTTP/1.1 503 Busy\r\nRetry-After: 90\r\n\r\n<ht", b"").await;
    let reply = send(&peer.http()).await.unwrap();
    assert_eq!((reply.status, reply.attempts), (503, 1));
    assert!(reply.retry_at.is_some());
}

/// PR-24: the work of a credential ends with its last waiter, and takes its connection along.
#[tokio::test]
async fn an_abandoned_request_closes_its_connection() {
    for (start, drop) in [SILENCE, STALLED_HEAD, STALLED_BODY, DRIPPING_BODY] {
        let (peer, mut gone) = drip(start, drop).await;
        for credential in both(&peer.http()) {
            let request = request();
            let waiting = credential.get_token(&request);
            assert!(timeout(Duration::from_millis(100), waiting).await.is_err());
            hears(&mut gone).await;
        }
        assert_eq!(peer.connections(), 2);
    }
}

#[tokio::test]
async fn an_abandoned_body_closes_its_connection() {
    let (peer, mut gone) = drip(STALLED_BODY.0, STALLED_BODY.1).await;
    let client = ReqwestClient::new();
    let response = client.send(get(&peer.http())).await.unwrap();
    assert!(gone.try_recv().is_err());
    drop(response);
    hears(&mut gone).await;
}

#[tokio::test]
async fn an_abandoned_handshake_closes_its_connection() {
    let (peer, mut gone) = drip(b"", b"").await;
    let client = ReqwestClient::new();
    let waiting = client.send(get(&peer.https()));
    assert!(timeout(Duration::from_millis(100), waiting).await.is_err());
    hears(&mut gone).await;
}

/// A peer that accepts and never speaks TLS: only the connect limit helps.
#[tokio::test]
async fn the_connect_limit_covers_tls() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut request = get(&format!("https://{}", silent.local_addr().unwrap()));
    request.connect_limit = Some(Duration::from_millis(100));
    let before = Instant::now();
    assert_eq!(kind(request).await, TransportErrorKind::ConnectTimeout);
    assert!(before.elapsed() < SOON);
}

/// A listener that has no room left for connections: what more comes is dropped unanswered, as
/// by a firewall. The streams keep it full.
#[cfg(target_os = "linux")]
async fn full() -> (TcpListener, Vec<TcpStream>) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut streams = Vec::new();
    while let Ok(stream) = timeout(Duration::from_millis(200), TcpStream::connect(address)).await {
        streams.push(stream.unwrap());
        assert!(streams.len() < 100, "the listener is never full");
    }
    (listener, streams)
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_connect_without_answer_ends_at_its_limit() {
    let (listener, _streams) = full().await;
    let uri = format!("http://{}", listener.local_addr().unwrap());
    let mut request = get(&uri);
    request.connect_limit = Some(Duration::from_millis(100));
    let before = Instant::now();
    assert_eq!(kind(request).await, TransportErrorKind::ConnectTimeout);
    assert!(before.elapsed() < Duration::from_secs(2));

    // PR-15: the connect of IMDS has 2 s; PR-01: the service is absent.
    let credential = ManagedIdentityCredential::builder()
        .platform(with_imds(&uri))
        .retry(RetryOptions {
            max_retries: Some(0),
            ..RetryOptions::default()
        })
        .build()
        .unwrap();
    let before = Instant::now();
    let error = failure(&credential).await;
    let took = before.elapsed();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert!(error.message().contains("took too long"), "{error}");
    assert!(took >= Duration::from_millis(1900), "{took:?}");
    assert!(took < Duration::from_secs(8), "{took:?}");
}
