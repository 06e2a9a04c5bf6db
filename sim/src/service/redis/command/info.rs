//! What INFO and CLIENT LIST tell.

use std::fmt::Write as _;

use super::super::{
    resp::Protocol,
    server::{Call, Client, Micros, Version},
};

/// One client's line, without its end. What a simulated connection does not have, such as a
/// file descriptor, is a fixed number.
pub fn client(client: &Client, now: Micros, version: Version) -> String {
    let seconds = |since: Micros| (now - since).max(0) / 1_000_000;
    let multi = client
        .transaction
        .as_ref()
        .map_or_else(|| "-1".to_owned(), |open| open.queue.len().to_string());
    let mut flags = String::new();
    for (is_set, flag) in [
        (client.subscriptions() + client.shards.len() > 0, 'P'),
        (client.blocked.is_some(), 'b'),
        (client.transaction.is_some(), 'x'),
        (client.dirty, 'd'),
        (client.no_evict, 'e'),
        (client.no_touch, 'T'),
        (client.reads_replicas, 'r'),
    ] {
        flags.extend(is_set.then_some(flag));
    }
    if flags.is_empty() {
        flags.push('N');
    }
    let mut line = format!(
        "id={} addr={} laddr=127.0.0.1:6380 fd=8 name={} age={} idle={} flags={flags} db={} sub={} psub={} ssub={} multi={multi} ",
        client.id,
        client.address,
        String::from_utf8_lossy(&client.name),
        seconds(client.since),
        seconds(client.active),
        client.database,
        client.channels.len(),
        client.patterns.len(),
        client.shards.len(),
    );
    if version == Version::V7_4 {
        let _ = write!(line, "watch={} ", client.watched.len());
    }
    let _ = write!(
        line,
        "qbuf=0 qbuf-free=20474 argv-mem=10 multi-mem=0 rbs=1024 rbp=0 obl={} oll=0 omem=0 tot-mem=22298 events=r cmd={} user={} redir=-1 resp={}",
        client.out.len(),
        client.last_command,
        client.user.as_deref().unwrap_or("default"),
        if client.protocol == Protocol::Resp3 {
            3
        } else {
            2
        },
    );
    if version == Version::V7_4 {
        let (name, number) = &client.library;
        let _ = write!(
            line,
            " lib-name={} lib-ver={}",
            String::from_utf8_lossy(name),
            String::from_utf8_lossy(number)
        );
    }
    line
}

/// The sections of INFO that `wanted` names; all if it names none.
pub fn sections(call: &mut Call<'_>, wanted: &[String]) -> String {
    let everything = ["all", "everything", "default"];
    let is_wanted = |name: &str| {
        wanted.is_empty()
            || wanted
                .iter()
                .any(|word| word == name || everything.contains(&word.as_str()))
    };
    let (mode, cluster_enabled) = match call.server.cluster {
        Some(_) => ("cluster", 1),
        None => ("standalone", 0),
    };
    let blocked = call
        .everybody()
        .iter()
        .filter(|client| client.blocked.is_some())
        .count();
    let mut keyspace = String::new();
    for (number, database) in call.server.databases() {
        if database.len() > 0 {
            let _ = write!(
                keyspace,
                "db{number}:keys={},expires={},avg_ttl=0\r\n",
                database.len(),
                database.ending()
            );
        }
    }
    let server = &call.server;
    let all = [
        (
            "Server",
            format!(
                "redis_version:{}\r\nredis_mode:{mode}\r\narch_bits:64\r\ntcp_port:6380\r\n",
                server.config.version.number()
            ),
        ),
        (
            "Clients",
            format!(
                "connected_clients:{}\r\nblocked_clients:{blocked}\r\n",
                server.clients.len() + 1
            ),
        ),
        (
            "Stats",
            format!(
                "total_connections_received:{}\r\ntotal_commands_processed:{}\r\n",
                server.connections, server.commands
            ),
        ),
        (
            "Replication",
            "role:master\r\nconnected_slaves:0\r\n".to_owned(),
        ),
        ("Cluster", format!("cluster_enabled:{cluster_enabled}\r\n")),
        ("Keyspace", keyspace),
    ];
    let texts: Vec<String> = all
        .into_iter()
        .filter(|(name, _)| is_wanted(&name.to_ascii_lowercase()))
        .map(|(name, text)| format!("# {name}\r\n{text}"))
        .collect();
    texts.join("\r\n")
}
