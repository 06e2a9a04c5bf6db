//! Transactions by hand and atomic pipelines while tokens change.

use std::time::{Duration, Instant};

use credsim_identity::redis::connection::EntraConnection;
use redis::{ProtocolVersion, RedisResult, Value, cmd, pipe};

use super::server::{Entra, Events, Server, options};

const LIFE: Duration = Duration::from_secs(2);

async fn start(life: Duration) -> Option<(Server, Entra, Events, EntraConnection)> {
    let server = Server::start().await?;
    let entra = server.entra(life);
    let (provider, events) = entra.provider();
    let resp3 = options(ProtocolVersion::RESP3);
    let connected = EntraConnection::connect(server.endpoint(), &provider, resp3).await;
    Some((server, entra, events, connected.unwrap()))
}

async fn run(connection: &mut EntraConnection, words: &str) -> RedisResult<Value> {
    let mut words = words.split(' ');
    let mut command = cmd(words.next().unwrap());
    words.for_each(|word| {
        command.arg(word);
    });
    command.query_async(connection).await
}

#[tokio::test]
async fn auth_waits_for_the_end_of_a_transaction_by_hand() {
    let Some((_server, _, events, mut redis)) = start(LIFE).await else {
        return;
    };
    for end in ["EXEC", "discard"] {
        let before = events.reauthenticated();
        let refreshed = events.refreshed();
        run(&mut redis, "multi").await.unwrap();
        run(&mut redis, "SET a 1").await.unwrap();
        events
            .until("a new token", |events| events.refreshed() > refreshed)
            .await;
        tokio::time::sleep(Duration::from_millis(250)).await;
        assert_eq!(events.reauthenticated(), before, "AUTH waits");
        run(&mut redis, "SET b 2").await.unwrap();
        let results = run(&mut redis, end).await.unwrap();
        match end {
            "EXEC" => assert_eq!(results, Value::Array(vec![Value::Okay, Value::Okay])),
            _ => assert_eq!(results, Value::Okay),
        }
        run(&mut redis, "PING").await.unwrap();
        assert_eq!(events.reauthenticated(), before + 1, "right behind {end}");
    }
    assert_eq!(events.given_up(), 0);
}

#[tokio::test]
async fn a_refused_token_does_not_touch_a_transaction() {
    let Some((_server, entra, events, mut redis)) = start(Duration::from_secs(6)).await else {
        return;
    };
    entra.refuse([2]);
    run(&mut redis, "MULTI").await.unwrap();
    run(&mut redis, "SET a 1").await.unwrap();
    events
        .until("a new token", |events| events.refreshed() > 1)
        .await;
    tokio::time::sleep(Duration::from_millis(250)).await;
    assert_eq!(
        run(&mut redis, "EXEC").await.unwrap(),
        Value::Array(vec![Value::Okay])
    );
    events
        .until("a refusal", |events| events.refused() == 1)
        .await;
    entra.accept().await;
    events
        .until("acceptance", |events| events.reauthenticated() == 1)
        .await;
    assert_eq!(
        run(&mut redis, "GET a").await.unwrap(),
        Value::BulkString(b"1".into())
    );
}

#[tokio::test]
async fn a_transaction_that_would_outlive_its_token_is_discarded_with_an_error() {
    let Some((_server, _, events, mut redis)) = start(LIFE).await else {
        return;
    };
    run(&mut redis, "MULTI").await.unwrap();
    run(&mut redis, "SET a 1").await.unwrap();
    events
        .until("the end of it", |events| events.given_up() == 1)
        .await;
    for words in ["SET b 2", "GET a", "EXEC"] {
        let error = run(&mut redis, words).await.unwrap_err().to_string();
        assert!(
            error.contains("nothing of it was executed"),
            "{words}: {error}"
        );
        assert!(
            error.contains("the token was about to expire"),
            "{words}: {error}"
        );
    }
    for key in ["GET a", "GET b"] {
        assert_eq!(run(&mut redis, key).await.unwrap(), Value::Nil);
    }
    assert_eq!(events.reauthenticated(), 1, "AUTH followed the DISCARD");
}

#[tokio::test]
async fn a_watch_outlives_auth() {
    let Some((server, _, events, mut redis)) = start(LIFE).await else {
        return;
    };
    for (touched, expected) in [(true, Value::Nil), (false, Value::Array(vec![Value::Okay]))] {
        let before = events.reauthenticated();
        run(&mut redis, "WATCH k").await.unwrap();
        events
            .until("AUTH", |events| events.reauthenticated() > before)
            .await;
        if touched {
            let set: RedisResult<()> = cmd("SET")
                .arg("k")
                .arg("x")
                .query_async(&mut server.admin())
                .await;
            set.unwrap();
        }
        run(&mut redis, "MULTI").await.unwrap();
        run(&mut redis, "SET k 1").await.unwrap();
        assert_eq!(run(&mut redis, "EXEC").await.unwrap(), expected);
    }
}

#[tokio::test]
async fn pipelines_are_whole_across_tokens() {
    let Some((_server, _, events, redis)) = start(LIFE).await else {
        return;
    };
    let began = Instant::now();
    let tasks: Vec<_> = (0..8)
        .map(|task| {
            let mut redis = redis.clone();
            tokio::spawn(async move {
                while began.elapsed() < Duration::from_millis(3500) {
                    let mut pipeline = pipe();
                    if task % 2 == 0 {
                        pipeline.atomic();
                    }
                    pipeline.cmd("ECHO").arg("one").cmd("ECHO").arg(task);
                    let answered: RedisResult<(String, u32)> =
                        pipeline.query_async(&mut redis).await;
                    assert_eq!(answered.unwrap(), ("one".to_owned(), task));
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert!(events.reauthenticated() >= 2);
}

#[tokio::test]
async fn a_transaction_inside_a_plain_pipeline_is_followed() {
    let Some((_server, _, events, mut redis)) = start(LIFE).await else {
        return;
    };
    let mut begin = pipe();
    begin.cmd("MULTI").cmd("SET").arg("a").arg(1);
    let begun: Vec<Value> = begin.query_async(&mut redis).await.unwrap();
    assert_eq!(begun.len(), 2);
    events
        .until("a new token", |events| events.refreshed() > 1)
        .await;
    tokio::time::sleep(Duration::from_millis(250)).await;
    assert_eq!(events.reauthenticated(), 0, "AUTH waits");
    let mut end = pipe();
    end.cmd("SET").arg("b").arg(2).cmd("exec");
    let ended: Vec<Value> = end.query_async(&mut redis).await.unwrap();
    assert_eq!(ended[1], Value::Array(vec![Value::Okay, Value::Okay]));
    run(&mut redis, "PING").await.unwrap();
    assert_eq!(events.reauthenticated(), 1);
}

#[tokio::test]
async fn an_abandoned_command_leaves_the_state_certain() {
    let Some((_server, _, events, mut redis)) = start(LIFE).await else {
        return;
    };
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(2500) {
        abandon(&redis, "ECHO stale").await;
        let echoed = run(&mut redis, "ECHO fresh").await.unwrap();
        assert_eq!(echoed, Value::BulkString(b"fresh".into()));
    }
    assert!(events.reauthenticated() >= 1);
    // A MULTI whose answer was not read is ended before AUTH, so nothing after it is queued.
    let before = events.reauthenticated();
    abandon(&redis, "MULTI").await;
    events
        .until("AUTH", |events| events.reauthenticated() > before)
        .await;
    assert_eq!(run(&mut redis, "SET a 1").await.unwrap(), Value::Okay);
}

/// Sends a command and gives it up, as a rule before its answer is there.
async fn abandon(redis: &EntraConnection, words: &str) {
    let mut redis = redis.clone();
    tokio::select! { biased;
        _ = run(&mut redis, words) => {}
        () = tokio::task::yield_now() => {}
    }
}
