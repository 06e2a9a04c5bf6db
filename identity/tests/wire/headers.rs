//! The forms of headers that peers send, and what none of them can do to a client (PR-12).

use std::time::{Duration, Instant};

use credsim_identity::{ErrorKind, platform::TransportErrorKind};
use jiff::Timestamp;
use tokio::{io::AsyncWriteExt as _, sync::mpsc, time::timeout};

use crate::{
    client::{get, kind},
    host::{ACCESS_TOKEN, TOKEN, both, failure, managed_identity, request},
    peer::{Peer, SOON, answer},
};

fn token() -> Vec<u8> {
    answer("200 OK", "", TOKEN)
}

fn busy(headers: &str) -> Vec<u8> {
    answer("429 Too Many Requests", headers, "busy")
}

/// How long a credential takes that is first answered with `headers`, then with a token.
async fn waited(headers: &str) -> [Duration; 2] {
    let mut times = [Duration::ZERO; 2];
    for (n, time) in times.iter_mut().enumerate() {
        let peer = Peer::answering([busy(headers), token()]).await;
        let credential = &both(&peer.http())[n];
        let before = Instant::now();
        credential.get_token(&request()).await.unwrap();
        *time = before.elapsed();
        assert_eq!(peer.connections(), 2, "{headers}");
    }
    times
}

/// The nominal wait is a millisecond, so every longer one is what the service asked for.
#[tokio::test]
async fn each_form_of_retry_after_is_waited_for() {
    let in_two_seconds = Timestamp::now() + Duration::from_secs(2);
    let date = in_two_seconds.strftime("Retry-After: %a, %d %b %Y %H:%M:%S GMT\r\n");
    let date = date.to_string();
    let (in_ms, in_x_ms, in_seconds, at_date, twice) = tokio::join!(
        waited("retry-after-ms: 200\r\nRetry-After: 30\r\n"),
        waited("X-MS-Retry-After-MS: 200\r\nRetry-After: 30\r\n"),
        waited("Retry-After: 1\r\n"),
        // Asked by the second one to be counted, which waits what is left of it.
        async { [waited(&date).await[0]] },
        waited("Retry-After: soon\r\nRetry-After: 1\r\n"),
    );
    let least = |times: &[Duration], least: u64| {
        let range = Duration::from_millis(least)..SOON;
        assert!(times.iter().all(|time| range.contains(time)), "{times:?}");
    };
    least(&in_ms, 200);
    least(&in_x_ms, 200);
    least(&in_seconds, 1000);
    // Dates know whole seconds.
    least(&at_date, 900);
    least(&twice, 1000);
}

#[tokio::test]
async fn a_retry_after_that_cannot_be_read_changes_nothing() {
    for value in [
        &b"soon"[..],
        b"0",
        b"-7200",
        b"",
        b"Thu, 01 Jan 1970 00:00:00 GMT",
        b"7200 \xff",
        b"\xe2\x91\xa8",
        b"1e9",
        b"99999999999999999999",
    ] {
        let mut head = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n".to_vec();
        head.extend([b"Retry-After: ", value, b"\r\n\r\n"].concat());
        let peer = Peer::answering([head]).await;
        let before = Instant::now();
        for credential in both(&peer.http()) {
            let error = failure(&*credential).await;
            assert_eq!(error.status(), Some(503));
            assert_eq!(error.retry_at(), None, "{error}");
        }
        assert_eq!(peer.connections(), 6 + 4, "{value:?}");
        assert!(before.elapsed() < SOON);
    }
}

#[tokio::test]
async fn the_case_of_a_name_and_space_around_a_value_do_not_matter() {
    for header in [
        "rEtRy-aFtEr: 7200\r\n",
        "RETRY-AFTER:7200\r\n",
        "retry-after: \t 7200 \t \r\n",
        "X-Ms-ReTry-After-mS: 7200000\r\n",
        "Retry-After: soon\r\nRETRY-after: 7200\r\n",
    ] {
        let peer = Peer::answering([busy(header)]).await;
        for (n, credential) in both(&peer.http()).iter().enumerate() {
            let error = failure(&**credential).await;
            let soonest = Timestamp::now() + Duration::from_secs(7000);
            assert!(error.retry_at() > Some(soonest), "{header} {error}");
            assert_eq!(peer.connections(), n + 1, "longer than a minute ends it");
        }
    }
}

#[tokio::test]
async fn a_value_that_is_not_utf_8_is_read_as_far_as_it_goes() {
    let refused = b"HTTP/1.1 400 Bad Request\r\nx-ms-request-id: caf\xe9\r\n\
        Content-Type: text/html; charset=\xa1\r\nContent-Length: 0\r\n\r\n";
    let peer = Peer::answering([refused.to_vec()]).await;
    for credential in both(&peer.http()) {
        let error = failure(&*credential).await;
        assert_eq!(error.request_id(), Some("caf\u{fffd}"), "{error}");
    }
}

#[tokio::test]
async fn the_content_type_decides_nothing() {
    for header in [
        "",
        "Content-Type:\r\n",
        "Content-Type: text/html\r\n",
        "Content-Type: application/json; charset=utf-16\r\n",
    ] {
        let peer = Peer::answering([answer("200 OK", header, TOKEN)]).await;
        for credential in both(&peer.http()) {
            let token = credential.get_token(&request()).await.unwrap();
            assert_eq!(token.secret(), ACCESS_TOKEN, "{header}");
        }
    }
}

#[tokio::test]
async fn many_and_long_headers_are_read() {
    let headers: String = (0..60)
        .map(|n| format!("x-{n}: {}\r\n", "v".repeat(1000)))
        .collect();
    let peer = Peer::answering([answer("200 OK", &headers, TOKEN)]).await;
    for credential in both(&peer.http()) {
        credential.get_token(&request()).await.unwrap();
    }
}

/// It would be as large the next time.
#[tokio::test]
async fn an_absurdly_large_head_is_refused_once() {
    let one = format!("x: {}\r\n", "v".repeat(2 << 20));
    let many: String = (0..5000).map(|n| format!("x-{n}: v\r\n")).collect();
    for headers in [one, many] {
        let peer = Peer::answering([answer("200 OK", &headers, TOKEN)]).await;
        let refused = kind(get(&peer.http())).await;
        assert_eq!(refused, TransportErrorKind::TooLarge);
        for credential in both(&peer.http()) {
            let error = failure(&*credential).await;
            assert_eq!(error.kind(), ErrorKind::Failed, "{error}");
        }
        assert_eq!(peer.connections(), 3);
    }
}

/// Nor does it have to end for the client to give up.
#[tokio::test]
async fn a_head_without_end_is_not_read_for_ever() {
    let (gave_up, mut given_up) = mpsc::unbounded_channel();
    let peer = Peer::new(move |_, mut stream, requests| {
        let gave_up = gave_up.clone();
        async move {
            requests.read(&mut stream).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nx: ").await;
            while stream.write_all(&[b'v'; 65536]).await.is_ok() {}
            let _ = gave_up.send(());
        }
    })
    .await;
    let error = failure(&managed_identity(&peer.http())).await;
    assert_eq!(error.kind(), ErrorKind::Failed, "{error}");
    timeout(SOON, given_up.recv()).await.unwrap().unwrap();
    assert_eq!(peer.connections(), 1);
}

#[tokio::test]
async fn heads_that_are_not_http_are_distinguished() {
    for headers in [
        "no colon\r\n",
        ": no name\r\n",
        "a b: c\r\n",
        "x: a\0b\r\n",
        "Content-Length: ten\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: 3\r\nContent-Length: 4\r\n",
    ] {
        let head = format!("HTTP/1.1 200 OK\r\n{headers}\r\n");
        let peer = Peer::answering([head.into_bytes(), token()]).await;
        let refused = kind(get(&peer.http())).await;
        assert_eq!(refused, TransportErrorKind::Protocol, "{headers}");
    }
}
