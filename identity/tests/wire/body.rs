//! Bodies that are larger than any answer, and bodies that are not what they seem.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use credsim_identity::{
    Error, ErrorKind, TokenCredentialExt, adapters::reqwest::ReqwestClient,
    platform::HttpClient as _,
};
use tokio::{io::AsyncWriteExt as _, sync::mpsc, time::timeout};

use crate::{
    client::get,
    host::{ACCESS_TOKEN, TOKEN, both, failure, request},
    peer::{Peer, SOON, answer, closed},
};

/// What a credential reads of an answer at most.
const LIMIT: usize = 1024 * 1024;

fn is_too_large(error: &Error) {
    assert_eq!(error.kind(), ErrorKind::Failed, "{error}");
    let said = format!("larger than {LIMIT} bytes");
    assert!(error.message().contains(&said), "{error}");
}

#[tokio::test]
async fn a_body_at_the_limit_is_read_and_a_byte_more_is_not() {
    for (more, fits) in [(0, true), (1, false)] {
        let body = format!("{TOKEN}{}", " ".repeat(LIMIT - TOKEN.len() + more));
        let announced = answer("200 OK", "", &body);
        let until_closed = format!("HTTP/1.1 200 OK\r\n\r\n{body}").into_bytes();
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        let chunked = format!("{head}{:x}\r\n{body}\r\n0\r\n\r\n", body.len()).into_bytes();
        for whole in [announced, until_closed, chunked] {
            let peer = Peer::answering([whole]).await;
            for (n, credential) in both(&peer.http()).iter().enumerate() {
                match credential.get_token(&request()).await {
                    Ok(token) => assert_eq!(token.secret(), ACCESS_TOKEN),
                    Err(error) => is_too_large(&error),
                }
                let token = credential.cached(&request());
                assert_eq!(token.is_some(), fits);
                assert_eq!(peer.connections(), n + 1, "it stays as large as it is");
            }
        }
    }
}

/// A body without end is refused while it comes, and its connection closed.
#[tokio::test]
async fn an_endless_body_is_not_read_for_ever() {
    for head in [
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n",
        "HTTP/1.1 400 Bad Request\r\nTransfer-Encoding: chunked\r\n\r\nffffffffff\r\n",
    ] {
        let sent = Arc::new(AtomicUsize::new(0));
        let (gave_up, mut given_up) = mpsc::unbounded_channel();
        let count = Arc::clone(&sent);
        let peer = Peer::new(move |_, mut stream, requests| {
            let (gave_up, count) = (gave_up.clone(), Arc::clone(&count));
            async move {
                requests.read(&mut stream).await;
                let _ = stream.write_all(head.as_bytes()).await;
                while stream.write_all(&[b' '; 65536]).await.is_ok() {
                    count.fetch_add(65536, Ordering::SeqCst);
                }
                let _ = gave_up.send(());
            }
        })
        .await;
        for (n, credential) in both(&peer.http()).iter().enumerate() {
            is_too_large(&failure(&**credential).await);
            timeout(SOON, given_up.recv()).await.unwrap().unwrap();
            assert_eq!(peer.connections(), n + 1);
        }
        // Twice the limit, and what the buffers of two connections hold.
        let sent = sent.load(Ordering::SeqCst);
        assert!(sent < 64 * LIMIT, "{sent}");
    }
}

/// PR-10, PR-12: a status that is retried needs no body, however large that is.
#[tokio::test]
async fn a_large_body_of_a_busy_service_is_a_refusal_like_any() {
    let body = "x".repeat(LIMIT + 1);
    for (header, attempts) in [("", [6, 4]), ("Retry-After: 7200\r\n", [1, 1])] {
        let busy = answer("503 Service Unavailable", header, &body);
        for (n, attempts) in attempts.into_iter().enumerate() {
            let peer = Peer::answering([busy.clone()]).await;
            let error = failure(&*both(&peer.http())[n]).await;
            assert_eq!(error.status(), Some(503), "{error}");
            assert_eq!(error.retry_at().is_some(), !header.is_empty(), "{error}");
            assert_eq!(peer.connections(), attempts);
        }
    }
}

/// `{"access_token":"compressed"}`, made by gzip.
const COMPRESSED: [u8; 48] = [
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xab, 0x56, 0x4a, 0x4c, 0x4e, 0x4e,
    0x2d, 0x2e, 0x8e, 0x2f, 0xc9, 0xcf, 0x4e, 0xcd, 0x53, 0xb2, 0x52, 0x4a, 0xce, 0xcf, 0x2d, 0x28,
    0x02, 0x0a, 0xa4, 0xa6, 0x28, 0xd5, 0x02, 0x00, 0x6c, 0x76, 0x0f, 0xa4, 0x1d, 0x00, 0x00, 0x00,
];

/// Small bytes cannot become a large body: they stay what they are, whatever the head announces.
#[tokio::test]
async fn nothing_is_decompressed_and_no_compression_is_asked_for() {
    let length = COMPRESSED.len();
    for coding in ["gzip", "br", "deflate", "zstd"] {
        let head =
            format!("HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: {length}");
        let head = format!("{head}\r\n\r\n").into_bytes();
        let peer = Peer::answering([[&head[..], &COMPRESSED].concat()]).await;
        let client = ReqwestClient::new();
        let mut response = client.send(get(&peer.http())).await.unwrap();
        assert_eq!(response.header("content-encoding"), Some(coding));
        assert_eq!(response.bytes(1000).await.unwrap(), COMPRESSED);
        for credential in both(&peer.http()) {
            let error = failure(&*credential).await;
            assert!(error.message().contains("not a token in JSON"), "{error}");
        }
        for request in peer.requests() {
            assert!(!request.to_lowercase().contains("accept-encoding"));
        }
    }
}

#[tokio::test]
async fn an_answer_without_body_does_not_wait_for_one() {
    let (gone, mut heard) = mpsc::unbounded_channel();
    let peer = Peer::new(move |_, mut stream, requests| {
        let gone = gone.clone();
        async move {
            requests.read(&mut stream).await;
            // It neither announces its length nor ends the connection.
            let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await;
            closed(&mut stream).await;
            let _ = gone.send(());
        }
    })
    .await;
    for credential in both(&peer.http()) {
        let waiting = failure(&*credential);
        let error = timeout(SOON / 2, waiting).await.unwrap();
        assert_eq!(error.status(), Some(204), "{error}");
    }
    // Their connections end with the credentials.
    timeout(SOON, heard.recv()).await.unwrap().unwrap();
}
