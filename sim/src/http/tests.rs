//! The server over the sockets of a world: faults, hang-ups, latency, and what the trace says.

use std::{sync::Arc, time::Duration};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::backend::Backend;
use crate::backend::testing::{act, backend, seconds};
use crate::{
    engine::{BoxFuture, Engine, Host, Stream, World},
    trace::{Kind, Trace},
};

const PROBE: &str = "GET /metadata/identity/oauth2/token HTTP/1.1\r\nHost: 169.254.169.254\r\n\r\n";
const TOKEN: &str = "GET /metadata/identity/oauth2/token?api-version=2018-02-01&resource=r \
                     HTTP/1.1\r\nHost: 169.254.169.254\r\nMetadata: true\r\n\r\n";

/// Plays `story` on a host of a world with an IMDS.
fn play<F>(more: &str, story: impl FnOnce(Host, Backend) -> F + Send + 'static) -> Trace
where
    F: Future<Output = ()> + Send + 'static,
{
    let (backend, recorder) = backend(&format!(
        "[imds]\nsystem-identity = {{ object-id = \"o\" }}\n{more}"
    ));
    let servers = backend.hosts();
    let world = World {
        seed: 1,
        horizon: seconds(86_400),
        stall_limit: crate::engine::STALL_LIMIT,
        budget: crate::limits::Budget::default(),
        servers,
        driver: (
            "host".to_owned(),
            Box::new(move |host, _| -> BoxFuture<'static, ()> {
                Box::pin(async move {
                    let keeper = backend.clone().end_faults(host.runtime.clone());
                    let _keeper = host.runtime.spawn(Box::pin(keeper));
                    story(host, backend.clone()).await;
                    backend.close();
                })
            }),
        ),
    };
    Engine::Lapse.play(world).expect("the world ends");
    recorder.finish()
}

async fn open(host: &Host) -> Stream {
    host.network
        .connect("169.254.169.254", 80)
        .await
        .expect("IMDS listens")
}

/// Sends a request on a connection of its own and reads until the connection ends or, at the
/// latest, for ten seconds.
async fn ask(host: &Host, request: &str) -> (String, Result<(), std::io::ErrorKind>) {
    let mut stream = open(host).await;
    stream
        .write_all(request.as_bytes())
        .await
        .expect("the request leaves");
    let mut read = Vec::new();
    let mut limit = host.runtime.sleep(seconds(10));
    loop {
        let mut piece = [0; 4096];
        tokio::select! {
            biased;
            got = stream.read(&mut piece) => match got {
                Ok(0) => return (String::from_utf8_lossy(&read).into_owned(), Ok(())),
                Ok(got) => read.extend_from_slice(&piece[..got]),
                Err(error) => {
                    return (String::from_utf8_lossy(&read).into_owned(), Err(error.kind()));
                }
            },
            () = &mut limit => return (String::from_utf8_lossy(&read).into_owned(), Ok(())),
        }
    }
}

/// Status, why and fault of every answer.
fn answers(trace: &Trace) -> Vec<(Option<u16>, &str, Option<&str>)> {
    let kinds = trace.events.iter().map(|event| &event.kind);
    kinds
        .filter_map(|kind| match kind {
            Kind::RequestAnswered {
                status, why, fault, ..
            } => Some((*status, why.as_str(), fault.as_deref())),
            _ => None,
        })
        .collect()
}

fn fault(rest: &str) -> String {
    format!("fault = {{ name = \"F\", on.imds = {{}}, {rest} }}")
}

#[test]
fn a_body_that_is_too_large_or_in_broken_chunks_is_in_the_journal() {
    let head =
        |header: &str| format!("POST / HTTP/1.1\r\nHost: 169.254.169.254\r\n{header}\r\n\r\n");
    let trace = play("", move |host, _| async move {
        let broken = head("Transfer-Encoding: chunked") + "zz\r\nbody\r\n";
        let _ = ask(&host, &broken).await;
        let large = head("Content-Length: 1048577") + &"x".repeat((1 << 20) + 1);
        let mut stream = open(&host).await;
        // The connection may end before all of it has left.
        let _ = stream.write_all(large.as_bytes()).await;
        host.runtime.sleep(seconds(1)).await;
        // A client that leaves is no news.
        let mut stream = open(&host).await;
        let part = head("Content-Length: 10") + "x";
        stream.write_all(part.as_bytes()).await.expect("it leaves");
        drop(stream);
        host.runtime.sleep(seconds(1)).await;
    });
    let kinds = trace.events.iter().map(|event| &event.kind);
    let refused = kinds.filter_map(|kind| match kind {
        Kind::RequestRefused { why } => Some(why.as_str()),
        _ => None,
    });
    let refused: Vec<&str> = refused.collect();
    let [broken, large] = refused.as_slice() else {
        panic!("{refused:?}");
    };
    assert!(broken.starts_with("its body cannot be read: "), "{broken}");
    assert_eq!(*large, "its body is larger than 1 MiB");
}

#[test]
fn requests_follow_each_other_on_one_connection() {
    let trace = play("", |host, _| async move {
        let two = format!("{PROBE}{TOKEN}");
        let (text, _) = ask(&host, &two).await;
        assert_eq!(text.matches("HTTP/1.1 ").count(), 2);
        assert!(text.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{text}");
        assert!(
            text.contains("Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n"),
            "{text}"
        );
        assert!(text.contains("Content-Length: "), "{text}");
    });
    let kinds: Vec<_> = trace
        .events
        .iter()
        .map(|event| event.kind.clone())
        .collect();
    let Kind::RequestArrived {
        endpoint,
        request,
        peer,
        what,
        line,
        ..
    } = &kinds[0]
    else {
        panic!("{kinds:?}")
    };
    assert_eq!(
        (endpoint.as_str(), *request, what.as_str()),
        ("imds", 1, "probe")
    );
    assert_eq!(peer, "host");
    assert_eq!(line, "GET /metadata/identity/oauth2/token");
    let Kind::RequestAnswered {
        request,
        status,
        principal,
        ..
    } = &kinds[3]
    else {
        panic!("{kinds:?}")
    };
    assert_eq!(
        (*request, *status, principal.as_deref()),
        (2, Some(200), Some("o"))
    );
}

#[test]
fn a_client_that_hangs_up_ends_its_request() {
    let trace = play(
        "takes = { at-least = \"5s\", at-most = \"5s\" }",
        |host, _| async move {
            let mut stream = open(&host).await;
            stream.write_all(TOKEN.as_bytes()).await.unwrap();
            host.runtime.sleep(seconds(1)).await;
            drop(stream);
            host.runtime.sleep(seconds(10)).await;
        },
    );
    assert_eq!(answers(&trace), [(None, "the client hung up", None)]);
    let end = trace.events.last().unwrap().at;
    assert!(
        end >= seconds(1) && end < Duration::from_millis(1_100),
        "{end:?}"
    );
}

#[test]
fn a_hanging_fault_answers_nothing() {
    let trace = play("", |host, backend| async move {
        act(
            &backend,
            &fault("then.hang = {}, first = 1"),
            host.runtime.elapsed(),
        );
        assert_eq!(ask(&host, TOKEN).await.0, "");
        host.runtime.sleep(seconds(1)).await;
        assert!(backend.healthy(), "it is spent when its client is gone");
        assert!(ask(&host, TOKEN).await.0.starts_with("HTTP/1.1 200 OK"));
    });
    let ended = answers(&trace);
    assert_eq!(ended[0], (None, "the client hung up", Some("F")));
    assert_eq!(ended[1].0, Some(200));
}

#[test]
fn a_reset_is_seen_as_one_and_loses_a_token_only_afterwards() {
    for (when, tokens) in [("before", 0), ("after", 1)] {
        let trace = play("", move |host, backend| async move {
            act(
                &backend,
                &fault(&format!("then.reset = {{ when = \"{when}\" }}")),
                seconds(0),
            );
            let (text, end) = ask(&host, TOKEN).await;
            assert_eq!(
                (text.as_str(), end),
                ("", Err(std::io::ErrorKind::ConnectionReset))
            );
            assert_eq!(backend.state().issuer.issued(), tokens);
        });
        let ended = answers(&trace);
        assert_eq!((ended[0].0, ended[0].2), (None, Some("F")), "{when}");
    }
}

#[test]
fn a_truncated_body_ends_early() {
    play("", |host, backend| async move {
        act(
            &backend,
            &fault("then.truncate = { after = 20 }"),
            seconds(0),
        );
        let begun = host.runtime.elapsed();
        let (text, end) = ask(&host, TOKEN).await;
        assert!(
            host.runtime.elapsed() - begun < seconds(1),
            "the connection ends"
        );
        assert_eq!(end, Ok(()));
        let (head, body) = text.split_once("\r\n\r\n").expect("a head");
        assert!(head.starts_with("HTTP/1.1 200 OK"));
        assert!(!head.contains("Content-Length: 20\r"), "{head}");
        assert_eq!(body.len(), 20);
        assert!(body.starts_with("{\"access_token\":\"eyJ"));
    });
}

#[test]
fn a_dripping_body_takes_its_time() {
    let trace = play("", |host, backend| async move {
        act(
            &backend,
            &fault("then.drip = { over = \"5s\" }"),
            seconds(0),
        );
        let request = TOKEN.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
        let begun = host.runtime.elapsed();
        let (text, _) = ask(&host, &request).await;
        let took = host.runtime.elapsed() - begun;
        assert!(
            took >= seconds(5) && took < Duration::from_millis(5_100),
            "{took:?}"
        );
        assert!(text.ends_with("\"token_type\":\"Bearer\"}"), "{text}");
    });
    assert!(answers(&trace)[0].1.ends_with("; dripping over 5s"));
}

#[test]
fn a_reply_is_what_the_fault_says() {
    let cases: [(&str, &[&str]); 8] = [
        (
            "status = 429, retry-after = \"soon\"",
            &["429 Too Many", "Retry-After: soon", "too_many"],
        ),
        (
            "status = 503, retry-after-date = \"1h\", body.empty = {}",
            &[
                "503 Service",
                "Retry-After: Thu, 01 Jan 2026 01:00:00 GMT",
                "Content-Length: 0",
            ],
        ),
        (
            "status = 500, body.html = {}",
            &["500 Internal", "Content-Type: text/html", "</html>"],
        ),
        (
            "status = 200, body.json = \"{}\"",
            &["200 OK", "\r\n\r\n{}"],
        ),
        (
            "status = 403, body.preset = \"docker-unreachable\"",
            &["403 Forbidden", "unreachable network"],
        ),
        ("status = 410", &["410 Gone", "within 70 seconds"]),
        (
            "status = 200, body.padded = 5000",
            &["Content-Length: 5000\r", "xxx\"}"],
        ),
        (
            "status = 400, body.preset = \"invalid-resource\", headers = { X-A = \"b\" }",
            &["400 Bad", "AADSTS50001", "X-A: b"],
        ),
    ];
    for (then, wanted) in cases {
        let trace = play("", move |host, backend| async move {
            act(
                &backend,
                &fault(&format!("then.reply = {{ {then} }}")),
                seconds(0),
            );
            let (text, _) = ask(&host, TOKEN).await;
            for wanted in wanted {
                assert!(text.contains(wanted), "{wanted} in {text}");
            }
        });
        assert!(answers(&trace)[0].1.starts_with("a fault answers "));
    }
}

#[test]
fn latency_and_delays_are_drawn_and_the_answer_is_of_its_time() {
    let takes = "takes = { at-least = \"200ms\", at-most = \"6s\" }";
    let trace = play(takes, |host, backend| async move {
        let delay = "then.delay = { by = { at-least = \"2s\", at-most = \"2s\" } }, lasts = \"1s\"";
        act(&backend, &fault(delay), seconds(0));
        let _ = ask(&host, TOKEN).await;
        assert!(backend.healthy());
    });
    let [lifted, answered] = [2, 3].map(|event| &trace.events[event]);
    assert_eq!(lifted.at, seconds(1));
    assert!(matches!(lifted.kind, Kind::FaultLifted { .. }));
    assert!(
        matches!(&answered.kind, Kind::RequestAnswered { fault: Some(name), .. } if name == "F")
    );
    assert!(answered.at > Duration::from_millis(2_200) && answered.at < seconds(9));
}

#[test]
fn a_crash_ends_what_was_under_way() {
    let trace = play("", |host, backend| async move {
        act(&backend, &fault("then.hang = {}"), seconds(0));
        let mut stream = open(&host).await;
        stream.write_all(TOKEN.as_bytes()).await.unwrap();
        host.runtime.sleep(seconds(1)).await;
        act(
            &backend,
            "crash = { service = \"imds\" }",
            host.runtime.elapsed(),
        );
        drop(stream);
        host.runtime.sleep(seconds(1)).await;
    });
    assert_eq!(
        answers(&trace),
        [(None, "the service's host went down", None)]
    );
}

#[test]
fn every_resource_has_its_host() {
    let (backend, _) = backend(
        "[entra]\n[resources.vault]\naudience = \"https://vault.azure.net\"\n\
         [resources.again]\naudience = \"https://vault.azure.net/\"",
    );
    let names: Vec<String> = backend.hosts().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["login.microsoftonline.com", "vault.azure.net"]);
    let _: Arc<dyn Send + Sync> = Arc::new(backend);
}
