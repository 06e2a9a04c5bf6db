//! A cluster of two nodes.

use std::time::Duration;

use credsim_identity::redis::connection::EntraCluster;
use redis::{ProtocolVersion, RedisResult, cmd};

use super::server::{Server, options};

async fn node() -> Option<Server> {
    Server::start_with(&["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"]).await
}

async fn ask(server: &Server, words: &str) -> String {
    let mut words = words.split(' ');
    let mut command = cmd(words.next().unwrap());
    words.for_each(|word| {
        command.arg(word);
    });
    command.query_async(&mut server.admin()).await.unwrap()
}

#[tokio::test]
async fn every_node_gets_every_token() {
    let (Some(one), Some(two)) = (node().await, node().await) else {
        return;
    };
    ask(&one, "CLUSTER ADDSLOTSRANGE 0 8191").await;
    ask(&two, "CLUSTER ADDSLOTSRANGE 8192 16383").await;
    ask(&one, &format!("CLUSTER MEET 127.0.0.1 {}", two.port)).await;
    for node in [&one, &two] {
        for _ in 0..500 {
            if ask(node, "CLUSTER INFO").await.contains("cluster_state:ok") {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    let entra = one.entra(Duration::from_secs(2));
    entra.also(&two);
    let (provider, events) = entra.provider();
    let resp3 = options(ProtocolVersion::RESP3);
    let connected = EntraCluster::connect([one.endpoint()], &provider, resp3).await;
    let mut redis = connected.unwrap();
    for round in 0..40 {
        for key in ["a", "b", "c", "d"] {
            let () = cmd("SET")
                .arg(key)
                .arg(round)
                .query_async(&mut redis)
                .await
                .unwrap();
            let got: RedisResult<u32> = cmd("GET").arg(key).query_async(&mut redis).await;
            assert_eq!(got.unwrap(), round);
        }
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
    let (refreshed, auths) = (events.refreshed() - 1, events.reauthenticated());
    assert!(refreshed >= 2, "{refreshed}");
    assert!(
        auths >= 2 * (refreshed - 1) && auths <= 2 * refreshed,
        "{auths} for {refreshed}"
    );
    // A node that drops its clients gets them back.
    assert_eq!(two.evict().await, 1);
    for _ in 0..100 {
        let mut fine = true;
        for key in ["a", "b", "c", "d"] {
            let got: RedisResult<u32> = cmd("GET").arg(key).query_async(&mut redis).await;
            fine &= got.is_ok();
        }
        if fine {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let got: RedisResult<u32> = cmd("GET").arg("a").query_async(&mut redis).await;
    assert_eq!(got.unwrap(), 39);
    assert_eq!(two.evict().await, 1);
}
