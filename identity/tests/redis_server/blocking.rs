//! Blocking commands that last longer than tokens.

use std::time::{Duration, Instant};

use credsim_identity::redis::connection::EntraConnection;
use redis::{ProtocolVersion, RedisResult, Value, cmd};

use super::server::{Events, Server, options};

const LIFE: Duration = Duration::from_secs(2);

/// Of a stream: an id, and fields with their values.
type Entry = (String, Vec<String>);

async fn start() -> Option<(Server, Events, EntraConnection)> {
    let server = Server::start().await?;
    let (provider, events) = server.entra(LIFE).provider();
    let resp2 = options(ProtocolVersion::RESP2);
    let connected = EntraConnection::connect(server.endpoint(), &provider, resp2).await;
    Some((server, events, connected.unwrap()))
}

#[tokio::test]
async fn blocking_commands_outlive_tokens() {
    tokio::join!(
        an_endless_pop_is_one_command_for_its_caller(),
        a_time_is_kept_over_all_slices(),
        nothing_is_lost_between_two_slices(),
    );
}

async fn an_endless_pop_is_one_command_for_its_caller() {
    let Some((server, events, mut redis)) = start().await else {
        return;
    };
    let popping = tokio::spawn(async move {
        let popped: RedisResult<(String, String)> = cmd("BLPOP")
            .arg("queue")
            .arg(0)
            .query_async(&mut redis)
            .await;
        popped.unwrap()
    });
    tokio::time::sleep(Duration::from_millis(4200)).await;
    assert!(
        events.reauthenticated() >= 2,
        "{}",
        events.reauthenticated()
    );
    let pushed: RedisResult<u32> = cmd("RPUSH")
        .arg("queue")
        .arg("job")
        .query_async(&mut server.admin())
        .await;
    assert_eq!(pushed.unwrap(), 1);
    assert_eq!(
        popping.await.unwrap(),
        ("queue".to_owned(), "job".to_owned())
    );
    let left: RedisResult<u32> = cmd("LLEN")
        .arg("queue")
        .query_async(&mut server.admin())
        .await;
    assert_eq!(left.unwrap(), 0);
}

async fn a_time_is_kept_over_all_slices() {
    let Some((_server, events, mut redis)) = start().await else {
        return;
    };
    let began = Instant::now();
    let popped: RedisResult<Value> = cmd("brpop")
        .arg("queue")
        .arg(2.6)
        .query_async(&mut redis)
        .await;
    assert_eq!(popped.unwrap(), Value::Nil);
    let took = began.elapsed();
    assert!(took >= Duration::from_millis(2550), "{took:?}");
    assert!(took <= Duration::from_millis(3300), "{took:?}");
    assert!(events.reauthenticated() >= 1);
    // One that ends soon is sent as it is.
    let popped: RedisResult<Value> = cmd("BZPOPMIN")
        .arg("z")
        .arg(0.05)
        .query_async(&mut redis)
        .await;
    assert_eq!(popped.unwrap(), Value::Nil);
}

async fn nothing_is_lost_between_two_slices() {
    let Some((server, events, mut redis)) = start().await else {
        return;
    };
    let mut admin = server.admin();
    let reading = tokio::spawn(async move {
        let (mut last, mut read) = ("0-0".to_owned(), 0);
        while read < 60 {
            let mut xread = cmd("XREAD");
            xread.arg("BLOCK").arg(30_000).arg("COUNT").arg(1);
            xread.arg("STREAMS").arg("s").arg(&last);
            let entries: RedisResult<Vec<(String, Vec<Entry>)>> =
                xread.query_async(&mut redis).await;
            let (id, fields) = entries.unwrap().remove(0).1.remove(0);
            assert_eq!(fields, ["n".to_owned(), read.to_string()]);
            (last, read) = (id, read + 1);
        }
    });
    for number in 0..60 {
        tokio::time::sleep(Duration::from_millis(55)).await;
        let mut xadd = cmd("XADD");
        xadd.arg("s").arg("*").arg("n").arg(number);
        let added: RedisResult<String> = xadd.query_async(&mut admin).await;
        added.unwrap();
    }
    reading.await.unwrap();
    assert!(events.reauthenticated() >= 2);
}

#[tokio::test]
async fn inside_a_transaction_nothing_blocks() {
    let Some((_server, _, mut redis)) = start().await else {
        return;
    };
    for words in [&["MULTI"][..], &["BLPOP", "queue", "0"]] {
        let mut command = cmd(words[0]);
        command.arg(&words[1..]);
        let answered: RedisResult<Value> = command.query_async(&mut redis).await;
        answered.unwrap();
    }
    let executed: RedisResult<Value> = cmd("EXEC").query_async(&mut redis).await;
    assert_eq!(executed.unwrap(), Value::Array(vec![Value::Nil]));
}
