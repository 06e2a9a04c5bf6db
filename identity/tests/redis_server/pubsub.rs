//! Subscriptions across several tokens.

use std::time::{Duration, Instant};

use credsim_identity::redis::connection::{EntraPubSub, PubSubEvent};
use redis::{ProtocolVersion, RedisResult, cmd, pipe};

use super::server::{Events, OID, Server, options};

async fn start(protocol: ProtocolVersion, life: Duration) -> Option<(Server, Events, EntraPubSub)> {
    let server = Server::start().await?;
    let (provider, events) = server.entra(life).provider();
    let connected = EntraPubSub::connect(server.endpoint(), &provider, options(protocol)).await;
    Some((server, events, connected.unwrap()))
}

/// Publishes numbers from 0 on, one each few milliseconds.
fn publish(server: &Server, channel: &'static str, count: u32) -> tokio::task::JoinHandle<()> {
    let mut admin = server.admin();
    tokio::spawn(async move {
        for number in 0..count {
            let mut publish = cmd("PUBLISH");
            publish.arg(channel).arg(number);
            let sent: RedisResult<u32> = publish.query_async(&mut admin).await;
            sent.unwrap();
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
    })
}

fn number(event: &PubSubEvent) -> Option<(u32, bool)> {
    match event {
        PubSubEvent::Message {
            payload, pattern, ..
        } => {
            let number = std::str::from_utf8(payload).unwrap().parse().unwrap();
            Some((number, pattern.is_some()))
        }
        _ => None,
    }
}

async fn nothing_is_lost(protocol: ProtocolVersion) {
    let Some((server, events, redis)) = start(protocol, Duration::from_secs(2)).await else {
        return;
    };
    redis.subscribe(["numbers", "others"]).await.unwrap();
    redis.psubscribe(["num*"]).await.unwrap();
    // As fast as it goes, so that there are always messages under way.
    let mut admin = server.admin();
    let began = Instant::now();
    let publishing = tokio::spawn(async move {
        let mut count = 0_u32;
        while began.elapsed() < Duration::from_millis(3300) {
            let mut burst = pipe();
            for number in count..count + 5 {
                burst.cmd("PUBLISH").arg("numbers").arg(number).ignore();
            }
            burst.exec_async(&mut admin).await.unwrap();
            count += 5;
        }
        let last: RedisResult<()> = cmd("PUBLISH")
            .arg("others")
            .arg(count)
            .query_async(&mut admin)
            .await;
        last.unwrap();
        count
    });
    let mut expected = 0;
    loop {
        let event = redis.next().await.unwrap();
        if matches!(&event, PubSubEvent::Message { channel, .. } if channel == b"others") {
            break;
        }
        assert_eq!(number(&event), Some((expected, false)), "{event:?}");
        let event = redis.next().await.unwrap();
        assert_eq!(number(&event), Some((expected, true)), "{event:?}");
        expected += 1;
    }
    assert_eq!(publishing.await.unwrap(), expected);
    assert!(
        events.reauthenticated() >= 2,
        "{}",
        events.reauthenticated()
    );
    assert_eq!(events.replaced() > 0, !protocol.supports_resp3());
    // The old connections are gone.
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(server.evict().await, 1);
}

#[tokio::test]
async fn nothing_is_lost_across_tokens() {
    tokio::join!(
        nothing_is_lost(ProtocolVersion::RESP2),
        nothing_is_lost(ProtocolVersion::RESP3),
    );
}

async fn an_eviction_is_a_gap(protocol: ProtocolVersion) {
    let Some((server, events, redis)) = start(protocol, Duration::from_secs(60)).await else {
        return;
    };
    redis.subscribe(["numbers"]).await.unwrap();
    let publishing = publish(&server, "numbers", 300);
    let evicting = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(server.evict().await, 1);
    };
    let reading = async {
        let (mut next, mut gaps) = (0, 0);
        while next < 300 {
            let event = redis.next().await.unwrap();
            match number(&event) {
                Some((number, _)) if gaps > 0 => {
                    assert!(number >= next);
                    next = number + 1;
                }
                Some((number, _)) => {
                    assert_eq!(number, next, "nothing is missing before the gap");
                    next = number + 1;
                }
                None => {
                    let PubSubEvent::Gap { from, until, why } = event else {
                        panic!("{event:?}");
                    };
                    assert!(from < until && why.contains("broke"), "{why}");
                    gaps += 1;
                }
            }
        }
        gaps
    };
    let (gaps, ()) = tokio::join!(reading, evicting);
    assert_eq!((gaps, events.replaced()), (1, 1));
    publishing.await.unwrap();
}

#[tokio::test]
async fn an_eviction_is_reported_as_a_gap() {
    tokio::join!(
        an_eviction_is_a_gap(ProtocolVersion::RESP2),
        an_eviction_is_a_gap(ProtocolVersion::RESP3),
    );
}

#[tokio::test]
async fn a_slow_reader_gets_the_gap() {
    let Some(server) = Server::start().await else {
        return;
    };
    let (provider, _) = server.entra(Duration::from_secs(60)).provider();
    let mut options = options(ProtocolVersion::RESP3);
    options.unread_messages = 10;
    let connected = EntraPubSub::connect(server.endpoint(), &provider, options).await;
    let redis = connected.unwrap();
    redis.subscribe(["numbers"]).await.unwrap();
    publish(&server, "numbers", 30).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    for expected in 0..10 {
        assert_eq!(
            number(&redis.next().await.unwrap()),
            Some((expected, false))
        );
    }
    let gap = redis.next().await.unwrap();
    assert!(matches!(gap, PubSubEvent::Gap { .. }), "{gap:?}");
    publish(&server, "numbers", 1).await.unwrap();
    assert_eq!(number(&redis.next().await.unwrap()), Some((0, false)));
}

#[tokio::test]
async fn unsubscribing_ends_messages() {
    for protocol in [ProtocolVersion::RESP2, ProtocolVersion::RESP3] {
        let Some((server, _, redis)) = start(protocol, Duration::from_secs(60)).await else {
            return;
        };
        redis.subscribe(["a", "b"]).await.unwrap();
        redis.psubscribe(["a*"]).await.unwrap();
        redis.punsubscribe(["a*"]).await.unwrap();
        redis.unsubscribe(["a"]).await.unwrap();
        publish(&server, "a", 3).await.unwrap();
        publish(&server, "b", 1).await.unwrap();
        let event = redis.next().await.unwrap();
        let PubSubEvent::Message { channel, .. } = event else {
            panic!("{event:?}");
        };
        assert_eq!(channel, b"b");
    }
}

/// The identity may no longer read one of two channels. The server closes the connection for that,
/// and refuses the `SUBSCRIBE` that names both.
#[tokio::test]
async fn a_channel_that_the_acl_forbids_costs_no_other_and_is_reported() {
    tokio::join!(
        a_channel_is_forbidden(ProtocolVersion::RESP2),
        a_channel_is_forbidden(ProtocolVersion::RESP3),
    );
}

async fn a_channel_is_forbidden(protocol: ProtocolVersion) {
    let Some((server, events, redis)) = start(protocol, Duration::from_secs(60)).await else {
        return;
    };
    redis.subscribe(["numbers", "secrets"]).await.unwrap();
    let may_read = async |channels: &[&str]| {
        let mut user = cmd("ACL");
        user.arg("SETUSER")
            .arg(OID)
            .arg("resetchannels")
            .arg(channels);
        let told: RedisResult<()> = user.query_async(&mut server.admin()).await;
        told.unwrap();
    };
    let next = async || {
        let event = tokio::time::timeout(Duration::from_secs(10), redis.next()).await;
        event.expect("an event in time").unwrap()
    };
    may_read(&["&numbers"]).await;
    let gap = next().await;
    assert!(matches!(gap, PubSubEvent::Gap { .. }), "{gap:?}");
    let PubSubEvent::Refused {
        channels,
        patterns,
        error,
    } = next().await
    else {
        panic!("the refusal is told");
    };
    assert_eq!((channels, patterns.len()), (vec![b"secrets".to_vec()], 0));
    assert!(error.contains("NOPERM"), "{error}");
    assert_eq!(events.replaced(), 1);
    publish(&server, "numbers", 1).await.unwrap();
    assert_eq!(number(&next().await), Some((0, false)));
    // It is tried again, and what was published meanwhile is a gap.
    may_read(&["&numbers", "&secrets"]).await;
    let gap = next().await;
    assert!(matches!(gap, PubSubEvent::Gap { .. }), "{gap:?}");
    publish(&server, "secrets", 1).await.unwrap();
    assert_eq!(number(&next().await), Some((0, false)));
    assert_eq!(events.replaced(), 1);
}
