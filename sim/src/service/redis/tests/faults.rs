//! Limits, faults and the cluster, over the sockets of a world.

use std::time::Duration;

use super::serving::{OID, ends, lines, play};
use crate::trace::{Kind, RedisEnd, RedisEvent};

#[test]
fn too_many_are_turned_away() {
    let trace = play("max-clients = 1", |person| async move {
        let one = person.connect().await;
        person.wait(Duration::from_secs(1)).await;
        let mut two = person.connect().await;
        assert_eq!(
            two.hear().await,
            "-ERR max number of clients reached\r\n(end)"
        );
        drop(one);
        person.wait(Duration::from_secs(1)).await;
        let mut three = person.connect().await;
        assert_eq!(
            three.ask("PING").await,
            "-NOAUTH Authentication required.\r\n"
        );
    });
    let ends: Vec<_> = ends(&trace)
        .into_iter()
        .map(|(id, because, _)| (id, because))
        .collect();
    assert_eq!(ends, [(2, RedisEnd::Server), (1, RedisEnd::Client)]);
}

#[test]
fn faults_strike_commands() {
    let trace = play("", |person| async move {
        let fault = |what: &str| format!("fault = {{ name = \"F\", first = 1, {what} }}");
        let mut client = person.login().await;
        person.act(&fault(
            "on.redis = { command = \"get\" }, then.error = { text = \"ERR no\" }",
        ));
        assert_eq!(client.ask("SET k v").await, "+OK\r\n");
        assert_eq!(client.ask("GET k").await, "-ERR no\r\n");
        assert_eq!(client.ask("GET k").await, "$1\r\nv\r\n");
        person.act(&fault(
            "on.redis = { command = \"SET\", in-transaction = true }, then.error = { text = \"ERR no\" }",
        ));
        client.say(&["MULTI", "SET k w", "EXEC"]).await;
        let heard = client.hear().await;
        assert_eq!(
            heard,
            "+OK\r\n-ERR no\r\n-EXECABORT Transaction discarded because of previous errors.\r\n"
        );
        person.act(&fault("on.redis = { command = \"PING\" }, then.delay = { by = { at-least = \"3s\", at-most = \"3s\" } }"));
        assert_eq!(client.ask("PING").await, "");
        person.wait(Duration::from_secs(2)).await;
        assert_eq!(client.hear().await, "+PONG\r\n");
        person.act(&fault(
            "on.redis = { command = \"SET\" }, then.half-close = {}",
        ));
        client.say(&["GET k", "SET k half", "SET k2 half"]).await;
        assert_eq!(client.hear().await, "$1\r\nv\r\n(end)");

        let mut client = person.login().await;
        assert_eq!(
            client.ask("MGET k k2").await,
            "*2\r\n$4\r\nhalf\r\n$4\r\nhalf\r\n"
        );
        person.act(&fault(
            "on.redis = { command = \"SET\" }, then.reset = { when = \"after\" }",
        ));
        assert_eq!(client.ask("SET k after").await, "(reset)");
        let mut client = person.login().await;
        person.act(&fault("on.redis = { command = \"SET\", signs-in = false }, then.reset = { when = \"before\" }"));
        assert_eq!(client.ask("SET k before").await, "(reset)");
        let mut client = person.login().await;
        assert_eq!(client.ask("GET k").await, "$5\r\nafter\r\n");
        person.act(&fault("on.redis = { command = \"GET\" }, then.hang = {}"));
        client.say(&["GET k", "GET k"]).await;
        assert_eq!(client.hear().await, "");
        // RS-48: as `CLIENT KILL` does, the server ends the stream and does not reset it.
        person.act("redis-kill = { connection = 4 }");
        assert_eq!(client.hear().await, "(end)");
        let mut client = person.login().await;
        person.act(&format!("redis-deny = {{ object-id = \"{OID}\" }}"));
        assert_eq!(client.hear().await, "(end)");
    });
    let text = lines(&trace).join("\n");
    assert!(text.contains("GET k -> ERR no (fault: F)"), "{text}");
    assert!(text.contains("GET k -> (nothing) (fault: F)"), "{text}");
}

#[test]
fn a_cluster_sends_clients_to_the_right_node_and_fails_over() {
    let trace = play("nodes = 3", |person| async move {
        let token = person.token("https://redis.azure.com").await;
        let auth = format!("AUTH {OID} {token}");
        let mut one = person.connect_to("redis-1.contoso.example").await;
        one.ask(&auth).await;
        assert_eq!(
            one.ask("SET foo bar").await,
            "-MOVED 12182 redis-3.contoso.example:6380\r\n"
        );
        let mut three = person.connect_to("redis-3.contoso.example").await;
        three.ask(&auth).await;
        assert_eq!(three.ask("SET foo bar").await, "+OK\r\n");
        assert_eq!(
            three.ask("MSET foo 1 bar 2").await,
            "-CROSSSLOT Keys in request don't hash to the same slot\r\n"
        );
        let slots = one.ask("CLUSTER SLOTS").await;
        assert!(slots.starts_with("*3\r\n*4\r\n:0\r\n:5460\r\n*4\r\n$23\r\nredis-1.contoso.example\r\n:6380\r\n$40\r\n"), "{slots}");
        person.act("redis-fail-over = { node = 3 }");
        assert_eq!(three.hear().await, "(reset)");
        let refused = person
            .host
            .network
            .connect("redis-3.contoso.example", 6380)
            .await;
        assert!(refused.is_err());
        assert_eq!(
            one.ask("GET foo").await,
            "-MOVED 12182 redis-3-replica.contoso.example:6380\r\n"
        );
        let mut replica = person.connect_to("redis-3-replica.contoso.example").await;
        replica.ask(&auth).await;
        assert_eq!(replica.ask("GET foo").await, "$3\r\nbar\r\n");
    });
    let text = lines(&trace).join("\n");
    assert!(text.contains("redis-3.contoso.example went down"), "{text}");
}

#[test]
fn a_command_that_a_fault_answers_still_stands_in_its_transaction() {
    let trace = play("", |person| async move {
        for (number, then) in (1..).zip([
            "then.error = { text = \"WRONGPASS no\" }",
            "then.reset = { when = \"before\" }",
            "then.hang = {}",
        ]) {
            person.act(&format!(
                "fault = {{ name = \"F{number}\", first = 1, on.redis = {{ command = \"AUTH\", in-transaction = true }}, {then} }}"
            ));
            let mut client = person.login().await;
            client
                .say(&["MULTI", "SET k v", &format!("AUTH {OID} bad")])
                .await;
            client.hear().await;
        }
    });
    let within: Vec<bool> = trace
        .events
        .iter()
        .filter_map(|event| match &event.kind {
            Kind::Redis(RedisEvent::Command {
                fault: Some(_),
                transaction,
                ..
            }) => Some(transaction.is_some_and(|number| number.get() == 1)),
            _ => None,
        })
        .collect();
    assert_eq!(within, [true; 3], "{}", lines(&trace).join("\n"));
}

#[test]
fn who_does_not_read_can_be_closed_all_the_same() {
    let trace = play("", |person| async move {
        let mut client = person.login().await;
        let big = "x".repeat(900_000);
        client.ask(&format!("SET k {big}")).await;
        client.say(&["GET k"; 20]).await;
        person.wait(Duration::from_secs(2)).await;
        person.act("redis-kill = {}");
        person.wait(Duration::from_secs(5)).await;
    });
    let ends = ends(&trace);
    assert_eq!(ends.len(), 1, "{ends:?}");
    assert!(ends[0].2 < Duration::from_secs(5), "{ends:?}");
}

#[test]
fn each_node_has_its_own_limit() {
    let trace = play("nodes = 2\nmax-clients = 1", |person| async move {
        let _one = person.connect_to("redis-1.contoso.example").await;
        let mut full = person.connect_to("redis-1.contoso.example").await;
        full.hear().await;
        let mut two = person.connect_to("redis-2.contoso.example").await;
        assert_eq!(
            two.ask("PING").await,
            "-NOAUTH Authentication required.\r\n"
        );
    });
    let text = lines(&trace).join("\n");
    assert!(text.contains("there is 1 connection already"), "{text}");
}

#[test]
fn a_node_that_is_down_does_not_go_down_again() {
    let trace = play("nodes = 3", |person| async move {
        person.wait(Duration::from_secs(1)).await;
        person.act("redis-fail-over = { node = 1 }");
        person.act("redis-fail-over = { node = 1 }");
        let token = person.token("https://redis.azure.com").await;
        let mut two = person.connect_to("redis-2.contoso.example").await;
        two.ask(&format!("AUTH {OID} {token}")).await;
        let nodes = two.ask("CLUSTER NODES").await;
        let slaves = nodes.matches("slave,fail 4791").count();
        assert_eq!(slaves, 1, "of its own replica still: {nodes}");
    });
    let falls = trace
        .events
        .iter()
        .filter(|event| matches!(&event.kind, Kind::World { what } if what.contains("goes down")));
    assert_eq!(falls.count(), 1);
}
