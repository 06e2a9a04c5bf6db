//! One connection across several tokens.

use std::time::{Duration, Instant};

use credsim_identity::redis::connection::EntraConnection;
use redis::{ProtocolVersion, RedisResult, aio::MultiplexedConnection, cmd};

use super::server::{OID, Server, options};

const LIFE: Duration = Duration::from_secs(2);

async fn auths(admin: &mut MultiplexedConnection) -> u32 {
    let info: String = cmd("INFO")
        .arg("commandstats")
        .query_async(admin)
        .await
        .unwrap();
    let line = info.lines().find(|line| line.starts_with("cmdstat_auth:"));
    let calls = line.and_then(|line| line.split(['=', ',']).nth(1));
    calls.map_or(0, |calls| calls.parse().unwrap())
}

async fn outlives_its_tokens(protocol: ProtocolVersion) {
    let Some(server) = Server::start().await else {
        return;
    };
    let (provider, events) = server.entra(LIFE).provider();
    let connected = EntraConnection::connect(server.endpoint(), &provider, options(protocol)).await;
    let connection = connected.unwrap();
    let began = Instant::now();
    let tasks: Vec<_> = (0..20)
        .map(|task| {
            let mut connection = connection.clone();
            tokio::spawn(async move {
                let mut number = 0;
                while began.elapsed() < Duration::from_millis(4500) {
                    let sent = format!("{task}/{number}");
                    let echoed: RedisResult<String> =
                        cmd("ECHO").arg(&sent).query_async(&mut connection).await;
                    assert_eq!(echoed.unwrap(), sent);
                    number += 1;
                }
                number
            })
        })
        .collect();
    for task in tasks {
        assert!(task.await.unwrap() > 20);
    }
    let mut connection = connection;
    let user: String = cmd("ACL")
        .arg("WHOAMI")
        .query_async(&mut connection)
        .await
        .unwrap();
    assert_eq!(user, OID);
    let count = events.reauthenticated();
    assert!((3..=6).contains(&count), "{count}");
    // With RESP3 the first one is HELLO.
    let first = usize::from(!protocol.supports_resp3());
    assert_eq!(auths(&mut server.admin()).await as usize, count + first);
    drop(connection);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(
        server.evict().await,
        0,
        "the connection ended with its last clone"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_connection_outlives_its_tokens() {
    tokio::join!(
        outlives_its_tokens(ProtocolVersion::RESP2),
        outlives_its_tokens(ProtocolVersion::RESP3),
    );
}

#[tokio::test]
async fn a_refused_token_is_sent_again_until_it_is_accepted() {
    let Some(server) = Server::start().await else {
        return;
    };
    let entra = server.entra(Duration::from_secs(6));
    entra.refuse([2]);
    let (provider, events) = entra.provider();
    let resp3 = options(ProtocolVersion::RESP3);
    let connected = EntraConnection::connect(server.endpoint(), &provider, resp3).await;
    let mut connection = connected.unwrap();
    events
        .until("a refusal", |events| events.refused() == 1)
        .await;
    let user: String = cmd("ACL")
        .arg("WHOAMI")
        .query_async(&mut connection)
        .await
        .unwrap();
    assert_eq!(user, OID, "the old token is still good");
    entra.accept().await;
    events
        .until("acceptance", |events| events.reauthenticated() == 1)
        .await;
    let pong: String = cmd("PING").query_async(&mut connection).await.unwrap();
    assert_eq!(pong, "PONG");
}

#[tokio::test]
async fn a_connection_without_a_newer_token_ends_with_the_old_one() {
    let Some(server) = Server::start().await else {
        return;
    };
    let entra = server.entra(LIFE);
    entra.refuse(2..100);
    let (provider, events) = entra.provider();
    let began = Instant::now();
    let resp3 = options(ProtocolVersion::RESP3);
    let connected = EntraConnection::connect(server.endpoint(), &provider, resp3).await;
    let mut connection = connected.unwrap();
    let error = loop {
        let answer: RedisResult<()> = cmd("PING").query_async(&mut connection).await;
        if let Err(error) = answer {
            break error;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    let age = began.elapsed();
    assert!(age <= LIFE + Duration::from_millis(200), "{age:?}");
    assert!(age >= LIFE - Duration::from_millis(200), "{age:?}");
    assert!(error.is_connection_dropped());
    assert!(
        error.to_string().contains("the token of the connection"),
        "{error}"
    );
    assert!(events.refused() >= 1);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(server.evict().await, 0, "it is closed");
}

#[tokio::test]
async fn a_token_that_the_server_does_not_know_cannot_connect() {
    let Some(server) = Server::start().await else {
        return;
    };
    let entra = server.entra(LIFE);
    entra.refuse(1..100);
    for protocol in [ProtocolVersion::RESP2, ProtocolVersion::RESP3] {
        let (provider, _) = entra.provider();
        let connected =
            EntraConnection::connect(server.endpoint(), &provider, options(protocol)).await;
        let error = connected.unwrap_err().to_string();
        assert!(
            error.contains("WRONGPASS") || error.contains("Password"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn reset_does_not_leave_the_connection_unauthenticated() {
    let Some(server) = Server::start().await else {
        return;
    };
    let (provider, events) = server.entra(Duration::from_secs(60)).provider();
    let resp2 = options(ProtocolVersion::RESP2);
    let connected = EntraConnection::connect(server.endpoint(), &provider, resp2).await;
    let mut connection = connected.unwrap();
    let reset: String = cmd("reset").query_async(&mut connection).await.unwrap();
    assert_eq!(reset, "RESET");
    let user: String = cmd("ACL")
        .arg("WHOAMI")
        .query_async(&mut connection)
        .await
        .unwrap();
    assert_eq!(user, OID);
    assert_eq!(events.reauthenticated(), 1);
}
