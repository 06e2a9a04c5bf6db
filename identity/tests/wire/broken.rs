//! Connections that break, at each point where they can (PR-10, PR-14: asked for again; never
//! twice by the client itself).

use std::sync::Arc;

use credsim_identity::{
    ErrorKind,
    adapters::reqwest::ReqwestClient,
    platform::{HttpClient as _, TransportErrorKind},
};
use tokio::{io::AsyncWriteExt as _, sync::Notify, time::timeout};

use crate::{
    client::{get, kind},
    host::{ACCESS_TOKEN, TOKEN, both, failure, request},
    peer::{Peer, SOON, answer, closed, finish, reset},
};

#[derive(Clone, Copy, PartialEq)]
enum End {
    Fin,
    Reset,
}

/// Treats its first connection badly and answers on all others.
async fn bad_start(reads: bool, wrote: &'static [u8], end: End) -> Peer {
    Peer::new(move |n, mut stream, requests| async move {
        if n == 0 && !reads {
            return reset(stream);
        }
        requests.read(&mut stream).await;
        if n > 0 {
            let _ = stream.write_all(&answer("200 OK", "", TOKEN)).await;
            return finish(stream).await;
        }
        let _ = stream.write_all(wrote).await;
        match end {
            End::Fin => finish(stream).await,
            End::Reset => reset(stream),
        }
    })
    .await
}

#[tokio::test]
async fn what_breaks_is_asked_for_again() {
    use End::{Fin, Reset};
    use TransportErrorKind::{Broken, Protocol};
    for (reads, wrote, end, expected) in [
        (false, &b""[..], Reset, Broken),
        (true, b"", Reset, Broken),
        (true, b"", Fin, Broken),
        (true, b"HTTP/1.1 200 OK\r\nContent-", Fin, Broken),
        (true, b"HTTP/1.1 200 OK\r\nContent-", Reset, Broken),
        (
            true,
            b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n",
            Fin,
            Broken,
        ),
        (
            true,
            b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
            Fin,
            Broken,
        ),
        (
            true,
            b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
            Reset,
            Broken,
        ),
        // Its end is the end of the connection, and a reset is none.
        (true, b"HTTP/1.1 200 OK\r\n\r\nhalf", Reset, Broken),
        (
            true,
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhalf",
            Fin,
            Broken,
        ),
        (
            true,
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
            Fin,
            Broken,
        ),
        (true, b"SSH-2.0-OpenSSH_9.6\r\n\r\n", Fin, Protocol),
        (true, b"\x15\x03\x03\x00\x02\x02\x28", Fin, Protocol),
        (true, b"+PONG\r\n", Fin, Protocol),
        (true, b"HTTP/1.1 99 Low\r\n\r\n", Fin, Protocol),
        (true, b"HTTP/1.1 2OO OK\r\n\r\n", Fin, Protocol),
        (true, b"HTTP/2.0 200 OK\r\n\r\n", Fin, Protocol),
    ] {
        let what = format!("{:?} {reads}", String::from_utf8_lossy(wrote));
        let peer = bad_start(reads, wrote, end).await;
        let found = kind(get(&peer.http())).await;
        assert_eq!(found, expected, "{what}");
        assert_eq!(peer.connections(), 1, "the client repeats nothing: {what}");
        for n in 0..2 {
            let peer = bad_start(reads, wrote, end).await;
            let credential = &both(&peer.http())[n];
            let token = credential.get_token(&request()).await.unwrap();
            assert_eq!(token.secret(), ACCESS_TOKEN, "{what}");
            assert_eq!(peer.connections(), 2, "{what}");
        }
    }
}

/// A chunk that is none breaks a body whose beginning was fine.
#[tokio::test]
async fn a_broken_chunk_is_no_end() {
    let start = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for chunk in [
        &b"zz\r\nhalf\r\n0\r\n\r\n"[..],
        b"4\r\nhalf0\r\n\r\n",
        b"fffffffffffffffff\r\nhalf",
    ] {
        let peer = Peer::answering([[&start[..], chunk].concat()]).await;
        let found = kind(get(&peer.http())).await;
        assert_eq!(found, TransportErrorKind::Broken, "{chunk:?}");
    }
}

/// PR-01: the service exists and keeps failing. No error shows the client secret.
#[tokio::test]
async fn what_stays_broken_fails_after_its_attempts() {
    let half = format!("HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{TOKEN}");
    for wrote in [half.as_bytes(), b"", b"eyJ0eXAi.x.y s&cret=+"] {
        let peer = Peer::answering([wrote.to_vec()]).await;
        for (credential, attempts) in both(&peer.http()).iter().zip([6, 6 + 4]) {
            let error = failure(&**credential).await;
            assert_eq!(error.kind(), ErrorKind::Failed, "{error}");
            assert!(error.message().contains("did not answer"), "{error}");
            assert!(error.help().is_some(), "{error}");
            assert_eq!(peer.connections(), attempts);
        }
    }
}

#[tokio::test]
async fn an_older_http_is_understood() {
    for head in [
        "HTTP/1.0 200 OK\r\n\r\n",
        "HTTP/1.0 200\r\nConnection: close\r\n\r\n",
        "HTTP/1.1 200 \r\nConnection: close\r\n\r\n",
    ] {
        let peer = Peer::answering([format!("{head}{TOKEN}").into_bytes()]).await;
        for credential in both(&peer.http()) {
            let token = credential.get_token(&request()).await.unwrap();
            assert_eq!(token.secret(), ACCESS_TOKEN, "{head}");
        }
    }
}

async fn whole(client: &ReqwestClient, uri: &str) -> Vec<u8> {
    let mut response = client.send(get(uri)).await.unwrap();
    response.bytes(1000).await.unwrap()
}

#[tokio::test]
async fn a_connection_serves_many_requests() {
    let peer = Peer::new(|_, mut stream, requests| async move {
        while requests.read(&mut stream).await {
            let _ = stream.write_all(&answer("200 OK", "", "one")).await;
        }
    })
    .await;
    let client = ReqwestClient::new();
    for _ in 0..3 {
        assert_eq!(whole(&client, &peer.http()).await, b"one");
    }
    assert_eq!((peer.connections(), peer.requests().len()), (1, 3));
}

/// What a server does with an idle connection is no concern of the next request.
#[tokio::test]
async fn a_connection_that_was_closed_in_between_is_replaced() {
    for end in [End::Fin, End::Reset] {
        let ended = Arc::new(Notify::new());
        let tell = Arc::clone(&ended);
        let peer = Peer::new(move |n, mut stream, requests| {
            let tell = Arc::clone(&tell);
            async move {
                requests.read(&mut stream).await;
                let _ = stream.write_all(&answer("200 OK", "", "one")).await;
                if n == 0 {
                    // The whole answer has arrived before the end.
                    tell.notified().await;
                }
                match end {
                    End::Fin => finish(stream).await,
                    End::Reset => reset(stream),
                }
            }
        })
        .await;
        let client = ReqwestClient::new();
        assert_eq!(whole(&client, &peer.http()).await, b"one");
        ended.notify_one();
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        assert_eq!(whole(&client, &peer.http()).await, b"one");
        assert_eq!((peer.connections(), peer.requests().len()), (2, 2));
    }
}

/// Whether a request that was sent has been served is not for the client to guess: it says that
/// the connection broke, and the policy asks again.
#[tokio::test]
async fn a_request_that_was_read_is_not_sent_again_by_the_client() {
    for end in [End::Fin, End::Reset] {
        let peer = Peer::new(move |_, mut stream, requests| async move {
            requests.read(&mut stream).await;
            let _ = stream.write_all(&answer("200 OK", "", "one")).await;
            requests.read(&mut stream).await;
            match end {
                End::Fin => finish(stream).await,
                End::Reset => reset(stream),
            }
        })
        .await;
        let client = ReqwestClient::new();
        assert_eq!(whole(&client, &peer.http()).await, b"one");
        let error = client.send(get(&peer.http())).await.unwrap_err();
        assert_eq!(error.kind, TransportErrorKind::Broken, "{error}");
        assert_eq!((peer.connections(), peer.requests().len()), (1, 2));
    }
}

/// A second answer to one request belongs to no other request.
#[tokio::test]
async fn an_answer_without_a_request_is_never_taken() {
    let gone = Arc::new(Notify::new());
    let tell = Arc::clone(&gone);
    let peer = Peer::new(move |n, mut stream, requests| {
        let tell = Arc::clone(&tell);
        async move {
            requests.read(&mut stream).await;
            let mine = answer("200 OK", "", &format!("mine {n}"));
            let smuggled = answer("200 OK", "", "smuggled");
            let _ = stream.write_all(&[mine, smuggled].concat()).await;
            closed(&mut stream).await;
            tell.notify_one();
        }
    })
    .await;
    let client = ReqwestClient::new();
    assert_eq!(whole(&client, &peer.http()).await, b"mine 0");
    timeout(SOON, gone.notified()).await.unwrap();
    assert_eq!(whole(&client, &peer.http()).await, b"mine 1");
}
