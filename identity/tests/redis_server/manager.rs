//! A connection that comes back.

use std::time::{Duration, Instant};

use credsim_identity::redis::connection::EntraConnectionManager;
use redis::{ProtocolVersion, RedisResult, Value, cmd, pipe};

use super::server::{Events, Server, options};

async fn start(life: Duration) -> Option<(Server, Events, EntraConnectionManager)> {
    let server = Server::start().await?;
    let (provider, events) = server.entra(life).provider();
    let resp3 = options(ProtocolVersion::RESP3);
    let connected = EntraConnectionManager::connect(server.endpoint(), &provider, resp3).await;
    Some((server, events, connected.unwrap()))
}

async fn run(redis: &mut EntraConnectionManager, words: &str) -> RedisResult<Value> {
    let mut words = words.split(' ');
    let mut command = cmd(words.next().unwrap());
    words.for_each(|word| {
        command.arg(word);
    });
    command.query_async(redis).await
}

#[tokio::test]
async fn commands_go_on_across_evictions_and_tokens() {
    let Some((server, events, redis)) = start(Duration::from_secs(2)).await else {
        return;
    };
    let began = Instant::now();
    let task = {
        let mut redis = redis.clone();
        tokio::spawn(async move {
            let (mut fine, mut lost) = (0, 0);
            while began.elapsed() < Duration::from_secs(4) {
                let sent = format!("{fine}/{lost}");
                let echoed: RedisResult<String> =
                    cmd("ECHO").arg(&sent).query_async(&mut redis).await;
                match echoed {
                    Ok(echoed) => {
                        assert_eq!(echoed, sent);
                        fine += 1;
                    }
                    Err(error) => {
                        assert!(error.is_connection_dropped(), "{error}");
                        lost += 1;
                    }
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            (fine, lost)
        })
    };
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(1100)).await;
        assert_eq!(server.evict().await, 1, "one connection, and no more");
    }
    let (fine, lost) = task.await.unwrap();
    assert!(lost <= 3, "{lost} of {fine}");
    assert_eq!(events.replaced(), 3);
    // Three evictions, and still one AUTH for one token.
    let (refreshed, before) = (events.refreshed(), events.reauthenticated());
    events
        .until("two tokens", |events| events.refreshed() >= refreshed + 2)
        .await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let auths = events.reauthenticated() - before;
    assert!((2..=3).contains(&auths), "{auths}");
    drop(redis);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(server.evict().await, 0);
}

#[tokio::test]
async fn a_transaction_ends_with_its_connection() {
    let Some((server, events, mut redis)) = start(Duration::from_secs(60)).await else {
        return;
    };
    run(&mut redis, "MULTI").await.unwrap();
    run(&mut redis, "SET a 1").await.unwrap();
    server.evict().await;
    events
        .until("a new connection", |events| events.replaced() == 1)
        .await;
    for words in ["SET b 2", "EXEC"] {
        let error = run(&mut redis, words).await.unwrap_err().to_string();
        assert!(
            error.contains("was replaced inside the transaction"),
            "{words}: {error}"
        );
    }
    for key in ["GET a", "GET b"] {
        assert_eq!(run(&mut redis, key).await.unwrap(), Value::Nil);
    }
}

#[tokio::test]
async fn a_watch_is_never_lost_in_silence() {
    let Some((server, events, mut redis)) = start(Duration::from_secs(60)).await else {
        return;
    };
    run(&mut redis, "WATCH k").await.unwrap();
    server.evict().await;
    events
        .until("a new connection", |events| events.replaced() == 1)
        .await;
    run(&mut redis, "MULTI").await.unwrap();
    run(&mut redis, "SET k 1").await.unwrap();
    let error = run(&mut redis, "EXEC").await.unwrap_err().to_string();
    assert!(error.contains("replaced since WATCH"), "{error}");
    assert_eq!(run(&mut redis, "GET k").await.unwrap(), Value::Nil);

    run(&mut redis, "WATCH k").await.unwrap();
    server.evict().await;
    events
        .until("a new connection", |events| events.replaced() == 2)
        .await;
    let mut official = pipe();
    official.atomic().cmd("SET").arg("k").arg(1);
    let refused: RedisResult<()> = official.query_async(&mut redis).await;
    assert!(
        refused
            .unwrap_err()
            .to_string()
            .contains("replaced since WATCH")
    );
    let executed: RedisResult<()> = official.query_async(&mut redis).await;
    executed.unwrap();
}

#[tokio::test]
async fn an_unreachable_server_is_an_error_in_time() {
    let Some(server) = Server::start().await else {
        return;
    };
    let (provider, _) = server.entra(Duration::from_secs(60)).provider();
    let mut endpoint = server.endpoint();
    endpoint.port = 1;
    let mut options = options(ProtocolVersion::RESP3);
    options.connect_timeout = Duration::from_millis(400);
    let began = Instant::now();
    let error = EntraConnectionManager::connect(endpoint, &provider, options)
        .await
        .unwrap_err();
    assert!(error.is_connection_refusal(), "{error}");
    let took = began.elapsed();
    assert!(
        took >= Duration::from_millis(400) && took < Duration::from_secs(2),
        "{took:?}"
    );
}
