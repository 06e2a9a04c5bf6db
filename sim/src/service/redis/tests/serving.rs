//! The server over the sockets of a world: who gets in, for how long, and what the trace says.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::request;
use crate::{
    backend::{Backend, testing as tests},
    engine::{BoxFuture, Engine, Host, Stream, World},
    trace::{Kind, RedisEnd, RedisEvent, Trace},
};

pub const OID: &str = "5e29463d-0000-0000-0000-000000000001";
const WRONGPASS: &str = "-WRONGPASS invalid username-password pair or user is disabled.\r\n";

/// Plays `story` on a host of a world with an IMDS and a Redis, whose options are `more`.
pub fn play<F>(more: &str, story: impl FnOnce(Person) -> F + Send + 'static) -> Trace
where
    F: Future<Output = ()> + Send + 'static,
{
    play_on(Engine::Lapse, more, story)
}

fn play_on<F>(engine: Engine, more: &str, story: impl FnOnce(Person) -> F + Send + 'static) -> Trace
where
    F: Future<Output = ()> + Send + 'static,
{
    let (backend, recorder) = tests::backend(&format!(
        "[imds]\ntoken-life = \"1m\"\nsystem-identity = {{ object-id = \"{OID}\" }}\n\
         [redis]\nprincipals = [\"{OID}\"]\n{more}"
    ));
    let servers = backend.hosts();
    let world = World {
        seed: 1,
        horizon: Duration::from_secs(86_400),
        stall_limit: crate::engine::STALL_LIMIT,
        budget: crate::limits::Budget::default(),
        servers,
        driver: (
            "host".to_owned(),
            Box::new(move |host, _| -> BoxFuture<'static, ()> {
                Box::pin(async move {
                    story(Person {
                        host,
                        backend: backend.clone(),
                    })
                    .await;
                    backend.close();
                })
            }),
        ),
    };
    engine.play(world).expect("the world ends");
    recorder.finish()
}

/// A client on the driving host.
#[derive(Clone)]
pub struct Person {
    pub host: Host,
    pub backend: Backend,
}

impl Person {
    pub async fn connect(&self) -> Client {
        self.connect_to("redis.contoso.example").await
    }

    pub async fn connect_to(&self, host: &str) -> Client {
        let stream = self
            .host
            .network
            .connect(host, 6380)
            .await
            .expect("it listens");
        Client {
            stream,
            host: self.host.clone(),
        }
    }

    /// A token of IMDS, by its own wire.
    pub async fn token(&self, resource: &str) -> String {
        let mut stream = self
            .host
            .network
            .connect("169.254.169.254", 80)
            .await
            .expect("IMDS");
        let head = format!(
            "GET /metadata/identity/oauth2/token?api-version=2018-02-01&resource={resource} \
             HTTP/1.1\r\nHost: i\r\nMetadata: true\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.expect("it listens");
        let mut text = String::new();
        stream.read_to_string(&mut text).await.expect("an answer");
        let (_, body) = text.split_once("\r\n\r\n").expect("a body");
        let body: serde_json::Value = serde_json::from_str(body).expect("JSON");
        body["access_token"].as_str().expect("a token").to_owned()
    }

    pub async fn login(&self) -> Client {
        let token = self.token("https://redis.azure.com").await;
        let mut client = self.connect().await;
        assert_eq!(client.ask(&format!("AUTH {OID} {token}")).await, "+OK\r\n");
        client
    }

    pub fn act(&self, action: &str) {
        tests::act(&self.backend, action, self.host.runtime.elapsed());
    }

    pub async fn wait(&self, time: Duration) {
        self.host.runtime.sleep(time).await;
    }
}

pub struct Client {
    stream: Stream,
    host: Host,
}

impl Client {
    pub async fn say(&mut self, lines: &[&str]) {
        let bytes: Vec<u8> = lines.iter().flat_map(|line| request(line)).collect();
        self.stream.write_all(&bytes).await.expect("it is open");
    }

    /// What comes within a second; `(end)` or `(reset)` if the connection ends.
    pub async fn hear(&mut self) -> String {
        let mut text = String::new();
        let mut limit = self.host.runtime.sleep(Duration::from_secs(1));
        let mut piece = [0; 4096];
        loop {
            tokio::select! {
                biased;
                () = &mut limit => return text,
                read = self.stream.read(&mut piece) => match read {
                    Ok(0) => return text + "(end)",
                    Ok(read) => text += &String::from_utf8_lossy(&piece[..read]),
                    Err(_) => return text + "(reset)",
                },
            }
        }
    }

    pub async fn ask(&mut self, line: &str) -> String {
        self.say(&[line]).await;
        self.hear().await
    }
}

/// What the trace tells of Redis, in its words.
pub fn lines(trace: &Trace) -> Vec<String> {
    let events = trace.events.iter();
    events
        .filter_map(|event| match &event.kind {
            Kind::Redis(redis) => Some(redis.say().1),
            _ => None,
        })
        .collect()
}

pub fn ends(trace: &Trace) -> Vec<(u64, RedisEnd, Duration)> {
    let events = trace.events.iter();
    events
        .filter_map(|event| match &event.kind {
            Kind::Redis(RedisEvent::Closed {
                connection,
                because,
                ..
            }) => Some((*connection, *because, event.at)),
            _ => None,
        })
        .collect()
}

/// The value of what has the name of a secret is in no reply that the trace shows: not in that of
/// EXEC, not in one that was waited for.
#[test]
fn a_secret_that_is_read_back_is_covered() {
    const SECRET: &str = "S3cretOfTheWorld";
    let trace = play("", |person| async move {
        let mut client = person.login().await;
        let mut waiting = person.login().await;
        let set = format!("SET client_secret {SECRET}");
        client.ask("MULTI").await;
        client.ask(&set).await;
        client.ask("GET client_secret").await;
        client.ask("GET other").await;
        assert!(client.ask("EXEC").await.contains(SECRET));
        waiting.say(&["BLPOP list:password 0"]).await;
        client.ask(&format!("RPUSH list:password {SECRET}")).await;
        assert!(waiting.hear().await.contains(SECRET));
        client.ask(&format!("RPUSH list:password {SECRET}")).await;
        assert!(client.ask("BLPOP list:password 0").await.contains(SECRET));
        client.ask(&format!("RPUSH list:password {SECRET}")).await;
        let moved = client.ask("LMOVE list:password b LEFT LEFT").await;
        assert!(moved.contains(SECRET));
        waiting.ask("SUBSCRIBE client_secret").await;
        client.ask(&format!("PUBLISH client_secret {SECRET}")).await;
        assert!(waiting.hear().await.contains(SECRET));
    });
    let shown = lines(&trace);
    let json: Vec<String> = trace.events.iter().map(crate::trace::Event::json).collect();
    let held = shown
        .iter()
        .chain(&json)
        .filter(|line| line.contains(SECRET));
    let held: Vec<_> = held.collect();
    assert!(held.is_empty(), "{held:#?}");
    assert!(
        shown.iter().any(|line| line.contains("[OK, ***, nil]")),
        "{shown:#?}"
    );
    assert!(
        shown.iter().any(|line| line.contains("has waited -> ***")),
        "{shown:#?}"
    );
}

#[test]
fn a_string_has_at_most_a_stated_length() {
    play("", |person| async move {
        let mut client = person.login().await;
        let most = crate::limits::REDIS_VALUE;
        let refused = "-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n";
        let said = client.ask(&format!("SETRANGE k {} x", most)).await;
        assert_eq!(said, refused);
        let said = client.ask(&format!("SETRANGE k {} x", most - 1)).await;
        assert_eq!(said, format!(":{most}\r\n"));
        assert_eq!(client.ask("APPEND k y").await, refused);
    });
}

#[test]
fn a_tls_handshake_on_the_plain_port_is_named() {
    let trace = play("", |person| async move {
        let mut client = person.connect().await;
        // A record of type handshake, TLS 1.0 for compatibility, with the start of a ClientHello.
        let hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
        client.stream.write_all(hello).await.expect("it is open");
        assert_eq!(client.hear().await, "", "as a real server, it waits");
        // What looks like it later on is data.
        let mut other = person.login().await;
        other.stream.write_all(hello).await.expect("it is open");
        other.hear().await;
    });
    let failed = trace.events.iter().filter_map(|event| match &event.kind {
        Kind::HandshakeFailed { .. } => Some(crate::trace::line(event)),
        _ => None,
    });
    let failed: Vec<String> = failed.collect();
    let [line] = &failed[..] else {
        panic!("{failed:?}");
    };
    assert!(
        line.contains("network  no TLS with redis.contoso.example: connection 1 begins a TLS handshake on the plain port"),
        "{line}"
    );
}

#[test]
fn a_token_lets_in_until_it_ends() {
    for engine in [Engine::Lapse, Engine::Turmoil] {
        let trace = play_on(engine, "", |person| async move {
            let mut client = person.login().await;
            assert_eq!(client.ask("SET k v").await, "+OK\r\n");
            person.wait(Duration::from_secs(55)).await;
            assert_eq!(client.ask("GET k").await, "$1\r\nv\r\n");
            person.wait(Duration::from_secs(1)).await;
            assert_eq!(client.hear().await, "(end)", "without a word");
        });
        let [(1, RedisEnd::Expired, at)] = ends(&trace)[..] else {
            panic!("{:?}", lines(&trace));
        };
        let off = at.abs_diff(Duration::from_secs(60));
        let allowed = if engine == Engine::Lapse {
            Duration::ZERO
        } else {
            Duration::from_millis(5)
        };
        assert!(off <= allowed, "{engine}: {at:?}");
        let text = lines(&trace).join("\n");
        assert!(text.contains("command 2: SET k v -> OK"), "{text}");
        assert!(text.contains(&format!("AUTH {OID} *** -> OK")), "{text}");
        assert!(!text.contains("eyJ"), "{text}");
    }
}

#[test]
fn a_newer_token_moves_the_end_and_a_refused_one_does_not() {
    let trace = play("grace = \"10s\"", |person| async move {
        let mut client = person.login().await;
        person.wait(Duration::from_secs(30)).await;
        let foreign = person.token("https://vault.azure.net").await;
        assert_eq!(
            client.ask(&format!("AUTH {OID} {foreign}")).await,
            WRONGPASS
        );
        let second = person.token("https://redis.azure.com").await;
        assert_eq!(client.ask(&format!("AUTH {OID} {second}")).await, "+OK\r\n");
        person.wait(Duration::from_secs(60)).await;
        assert_eq!(client.ask("PING").await, "+PONG\r\n");
        person.wait(Duration::from_secs(60)).await;
    });
    let [(1, RedisEnd::Expired, at)] = ends(&trace)[..] else {
        panic!("{:?}", lines(&trace));
    };
    assert!(
        (100..=103).contains(&at.as_secs()),
        "the second token's end, and ten seconds: {at:?}"
    );
}

#[test]
fn what_is_wrong_with_a_token_stands_in_the_trace_only() {
    let trace = play("", |person| async move {
        let good = person.token("https://redis.azure.com").await;
        let foreign = person.token("https://vault.azure.net").await;
        let mut client = person.connect().await;
        for (user, token) in [
            (OID, foreign.as_str()),
            ("somebody", good.as_str()),
            (OID, "secret"),
            (OID, &good.replace('a', "b")),
        ] {
            assert_eq!(client.ask(&format!("AUTH {user} {token}")).await, WRONGPASS);
        }
        assert_eq!(client.ask(&format!("AUTH {good}")).await, WRONGPASS);
        person.act(&format!("redis-deny = {{ object-id = \"{OID}\" }}"));
        assert_eq!(client.ask(&format!("AUTH {OID} {good}")).await, WRONGPASS);
        person.act(&format!("redis-allow = {{ object-id = \"{OID}\" }}"));
        assert_eq!(client.ask(&format!("AUTH {OID} {good}")).await, "+OK\r\n");
        person.act(&format!("redis-deny = {{ object-id = \"{OID}\" }}"));
        assert_eq!(client.hear().await, "(end)", "RS-48");
        person.wait(Duration::from_secs(60)).await;
        let mut client = person.connect().await;
        assert_eq!(client.ask(&format!("AUTH {OID} {good}")).await, WRONGPASS);
    });
    let whys: Vec<&str> = trace
        .events
        .iter()
        .filter_map(|event| match &event.kind {
            Kind::Redis(RedisEvent::SignedIn { why, ended, .. }) => {
                assert_eq!(*ended, why.contains("ended"), "{why}");
                Some(why.as_str())
            }
            _ => None,
        })
        .collect();
    let not_user = format!("the user name is not {OID}, the token's object id");
    assert_eq!(
        whys[0],
        "the token is for https://vault.azure.net, not for https://redis.azure.com"
    );
    assert_eq!(whys[1], not_user);
    assert_eq!(whys[2], "the password is no token");
    assert!(whys[3].contains("token"), "{}", whys[3]);
    assert_eq!(whys[4], not_user);
    assert_eq!(whys[5], format!("{OID} may not sign in here"));
    assert_eq!(whys[6], "the token is good");
    assert!(whys[7].starts_with("the token ended "), "{}", whys[7]);
}

#[test]
fn a_token_that_ends_on_its_way_to_the_server_was_valid_when_it_was_sent() {
    let trace = play("", |person| async move {
        let token = person.token("https://redis.azure.com").await;
        // It ends at the full minute, and a link takes a millisecond.
        for before in [Duration::from_micros(500), Duration::ZERO] {
            let mut client = person.connect().await;
            let send = Duration::from_secs(60) - before;
            let now = person.host.runtime.elapsed();
            person.wait(send.saturating_sub(now)).await;
            let auth = format!("AUTH {OID} {token}");
            // What comes within a second is too long to wait for here.
            client.say(&[&auth]).await;
        }
        person.wait(Duration::from_millis(20)).await;
        let mut client = person.connect().await;
        assert_eq!(client.ask(&format!("AUTH {OID} {token}")).await, WRONGPASS);
    });
    let signed_in: Vec<(bool, bool)> = trace
        .events
        .iter()
        .filter_map(|event| match &event.kind {
            Kind::Redis(RedisEvent::SignedIn {
                accepted, ended, ..
            }) => Some((*accepted, *ended)),
            _ => None,
        })
        .collect();
    assert_eq!(signed_in, [(false, false), (false, false), (false, true)]);
}

#[test]
fn a_rejected_login_is_lost_behind_other_replies_if_the_world_says_so() {
    for (loses, expected) in [
        (false, format!("+PONG\r\n{WRONGPASS}{WRONGPASS}+PONG\r\n")),
        (true, "+PONG\r\n+PONG\r\n".to_owned()),
    ] {
        let more = format!(
            "loses-failed-auth = {loses}\nauth-takes = {{ at-least = \"10ms\", at-most = \"10ms\" }}"
        );
        play(&more, move |person| async move {
            let mut client = person.login().await;
            let bad = format!("AUTH {OID} bad");
            client.say(&["PING", &bad, &bad, "PING"]).await;
            assert_eq!(client.hear().await, expected);
            client.say(&[&bad]).await;
            assert_eq!(client.hear().await, WRONGPASS, "alone it is answered");
            for line in ["MULTI", &bad, "SET k v"] {
                client.ask(line).await;
            }
            let reply = client.ask("EXEC").await;
            let short = if loses {
                "*2\r\n+OK\r\n".to_owned()
            } else {
                format!("*2\r\n{WRONGPASS}+OK\r\n")
            };
            assert_eq!(reply, short);
        });
    }
}

#[test]
fn others_set_a_waiting_client_free_and_hear_each_other() {
    let trace = play("", |person| async move {
        let (mut one, mut two) = (person.login().await, person.login().await);
        one.say(&["BLPOP list 0", "PING"]).await;
        assert_eq!(one.hear().await, "");
        assert_eq!(two.ask("RPUSH list x").await, ":1\r\n");
        assert_eq!(one.hear().await, "*2\r\n$4\r\nlist\r\n$1\r\nx\r\n+PONG\r\n");
        one.say(&["BLPOP list 2", "PING"]).await;
        assert_eq!(one.hear().await, "");
        person.wait(Duration::from_secs(1)).await;
        assert_eq!(one.hear().await, "*-1\r\n+PONG\r\n");
        one.ask("SUBSCRIBE news").await;
        assert_eq!(two.ask("PUBLISH news hi").await, ":1\r\n");
        assert_eq!(
            one.hear().await,
            "*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$2\r\nhi\r\n"
        );
        assert_eq!(two.ask("CLIENT KILL TYPE pubsub").await, ":1\r\n");
        assert_eq!(one.hear().await, "(end)");
        assert_eq!(two.ask("QUIT").await, "+OK\r\n(end)");
    });
    let text = lines(&trace).join("\n");
    assert!(
        text.contains("command 2: BLPOP list 0 -> (waits)"),
        "{text}"
    );
    assert!(text.contains("command 2 has waited -> [list, x]"), "{text}");
    assert!(text.contains("command 4 has waited -> nil"), "{text}");
    let ends: Vec<_> = ends(&trace)
        .into_iter()
        .map(|(id, because, _)| (id, because))
        .collect();
    assert_eq!(ends, [(1, RedisEnd::Server), (2, RedisEnd::Server)]);
}

#[test]
fn a_blocked_client_is_closed_when_its_token_ends() {
    let trace = play("", |person| async move {
        let mut client = person.login().await;
        client.say(&["MULTI", "SET k v"]).await;
        client.hear().await;
        let mut other = person.login().await;
        other.say(&["BLPOP list 0"]).await;
        person.wait(Duration::from_secs(70)).await;
        assert_eq!(other.hear().await, "(end)");
    });
    let text = lines(&trace).join("\n");
    assert!(
        text.contains("connection 1 is closed, in transaction 1: its token ended"),
        "{text}"
    );
    assert_eq!(ends(&trace).len(), 2);
}

#[test]
fn a_subscriber_that_does_not_read_is_closed() {
    // Of 1 MiB each, after two seconds. Beyond 32 MiB it is closed at once, beyond 8 after a
    // minute.
    for (messages, after) in [(8, None), (20, Some(62)), (40, Some(2))] {
        let trace = play("grace = \"1h\"\n", move |person| async move {
            let mut slow = person.login().await;
            slow.say(&["SUBSCRIBE news"]).await;
            let mut other = person.login().await;
            let message = "x".repeat(1 << 20);
            for _ in 0..messages {
                other.say(&[&format!("PUBLISH news {message}")]).await;
            }
            person.wait(Duration::from_secs(100)).await;
            assert!(other.ask("PING").await.ends_with("+PONG\r\n"));
        });
        let closed = ends(&trace).into_iter().find(|(id, ..)| *id == 1);
        let closed = closed.filter(|(_, because, _)| *because == RedisEnd::Server);
        let closed = closed.map(|(_, _, at)| at.as_secs());
        assert_eq!(closed, after, "{messages}");
    }
}

/// RD-50: the application id of Redis stands for its resource, in either direction; other audiences
/// are refused as before.
#[test]
fn a_token_for_the_application_id_of_redis_is_good() {
    const APPLICATION: &str = "acca5fbb-b7e4-4009-81f1-37e38fd66d78";
    const RESOURCE: &str = "https://redis.azure.com";
    for (extra, audience, expected) in [
        ("", APPLICATION, "+OK\r\n"),
        (
            "audience = \"acca5fbb-b7e4-4009-81f1-37e38fd66d78\"",
            RESOURCE,
            "+OK\r\n",
        ),
        ("audience = \"https://own.example\"", APPLICATION, WRONGPASS),
        ("audience = \"https://own.example\"", RESOURCE, WRONGPASS),
    ] {
        play(extra, move |person| async move {
            let token = person.token(audience).await;
            let mut client = person.connect().await;
            let answer = client.ask(&format!("AUTH {OID} {token}")).await;
            assert_eq!(answer, expected, "{extra} {audience}");
        });
    }
}
