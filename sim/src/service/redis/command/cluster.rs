//! CLUSTER, READONLY, READWRITE, ASKING.

use std::fmt::Write as _;

use super::super::{
    resp::Reply,
    server::{
        Call,
        cluster::{Cluster, Node},
    },
    store::slot,
};
use super::{NO_KEYS, Spec, container, spec};

pub const COMMANDS: &[Spec] = &[
    spec("asking", 1, NO_KEYS, 0, |call| {
        known(call)?;
        call.client.asking = true;
        Ok(Reply::OK)
    }),
    container("cluster"),
    spec("cluster|info", 2, NO_KEYS, 0, |call| {
        Ok(Reply::Verbatim(info(known(call)?).into()))
    }),
    spec("cluster|keyslot", 3, NO_KEYS, 0, |call| {
        known(call)?;
        Ok(Reply::Int(i64::from(slot::of(call.arg(2)))))
    }),
    spec("cluster|myid", 2, NO_KEYS, 0, |call| {
        let node = known(call)?.nodes.get(call.client.node);
        Ok(Reply::bulk(
            node.map(|node| node.id.clone()).unwrap_or_default(),
        ))
    }),
    spec("cluster|nodes", 2, NO_KEYS, 0, |call| {
        let text = nodes(known(call)?, call.client.node);
        Ok(Reply::Verbatim(text.into()))
    }),
    spec("cluster|shards", 2, NO_KEYS, 0, |call| {
        Ok(shards(known(call)?))
    }),
    spec("cluster|slots", 2, NO_KEYS, 0, |call| {
        Ok(slots(known(call)?))
    }),
    spec("readonly", 1, NO_KEYS, 0, |call| {
        known(call)?;
        call.client.reads_replicas = true;
        Ok(Reply::OK)
    }),
    spec("readwrite", 1, NO_KEYS, 0, |call| {
        known(call)?;
        call.client.reads_replicas = false;
        Ok(Reply::OK)
    }),
];

fn known<'a>(call: &'a Call<'_>) -> Result<&'a Cluster, Reply> {
    let error = || Reply::error("ERR This instance has cluster support disabled");
    call.server.cluster.as_ref().ok_or_else(error)
}

/// How many slots are served by a node that is up.
fn served(cluster: &Cluster) -> usize {
    let up = cluster.nodes.iter().filter(|node| !node.down);
    up.flat_map(|node| &node.slots)
        .map(ExactSizeIterator::len)
        .sum()
}

fn info(cluster: &Cluster) -> String {
    let assigned: usize = cluster
        .nodes
        .iter()
        .flat_map(|node| &node.slots)
        .map(ExactSizeIterator::len)
        .sum();
    let ok = served(cluster);
    let all = usize::from(slot::SLOTS);
    let masters = cluster
        .nodes
        .iter()
        .filter(|node| !node.slots.is_empty())
        .count();
    let epoch = cluster.epoch;
    format!(
        "cluster_state:{}\r\ncluster_slots_assigned:{assigned}\r\ncluster_slots_ok:{ok}\r\ncluster_slots_pfail:0\r\ncluster_slots_fail:{}\r\ncluster_known_nodes:{}\r\ncluster_size:{masters}\r\ncluster_current_epoch:{epoch}\r\ncluster_my_epoch:{epoch}\r\n",
        if ok == all { "ok" } else { "fail" },
        assigned - ok,
        cluster.nodes.len(),
    )
}

fn nodes(cluster: &Cluster, me: usize) -> String {
    let mut text = String::new();
    for (number, node) in cluster.nodes.iter().enumerate() {
        let mine = if number == me { "myself," } else { "" };
        let master = node.replica_of.and_then(|master| cluster.nodes.get(master));
        let role = if master.is_some() { "slave" } else { "master" };
        let fail = if node.down { ",fail" } else { "" };
        let link = if node.down {
            "disconnected"
        } else {
            "connected"
        };
        let _ = write!(
            text,
            "{} {}:{}@{},{} {mine}{role}{fail} {} 0 0 {} {link}",
            node.id,
            node.host,
            node.port,
            u32::from(node.port) + 10_000,
            node.host,
            master.map_or("-", |master| master.id.as_str()),
            cluster.epoch,
        );
        for range in &node.slots {
            let _ = match (range.start(), range.end()) {
                (start, end) if start == end => write!(text, " {start}"),
                (start, end) => write!(text, " {start}-{end}"),
            };
        }
        text.push('\n');
    }
    text
}

/// A master with its replicas that are up.
fn group(cluster: &Cluster, master: usize) -> impl Iterator<Item = (&Node, bool)> {
    let replicas = cluster
        .nodes
        .iter()
        .filter(move |node| node.replica_of == Some(master) && !node.down);
    cluster
        .nodes
        .get(master)
        .map(|node| (node, true))
        .into_iter()
        .chain(replicas.map(|node| (node, false)))
}

fn slots(cluster: &Cluster) -> Reply {
    let mut all = Vec::new();
    for (number, node) in cluster.nodes.iter().enumerate() {
        for range in &node.slots {
            let mut row = vec![
                Reply::Int(i64::from(*range.start())),
                Reply::Int(i64::from(*range.end())),
            ];
            row.extend(group(cluster, number).map(|(node, _)| {
                Reply::Array(vec![
                    Reply::bulk(node.host.clone()),
                    Reply::Int(i64::from(node.port)),
                    Reply::bulk(node.id.clone()),
                    Reply::Array(Vec::new()),
                ])
            }));
            all.push((*range.start(), Reply::Array(row)));
        }
    }
    all.sort_by_key(|(start, _)| *start);
    Reply::Array(all.into_iter().map(|(_, row)| row).collect())
}

fn shards(cluster: &Cluster) -> Reply {
    let masters = cluster
        .nodes
        .iter()
        .enumerate()
        .filter(|(_, node)| node.replica_of.is_none());
    let shard = |(number, node): (usize, &Node)| {
        let slots = node
            .slots
            .iter()
            .flat_map(|range| [*range.start(), *range.end()]);
        let slots = slots.map(|slot| Reply::Int(i64::from(slot))).collect();
        let nodes = group(cluster, number).map(|(node, is_master)| {
            Reply::Map(vec![
                (Reply::text("id"), Reply::bulk(node.id.clone())),
                (Reply::text("port"), Reply::Int(i64::from(node.port))),
                (Reply::text("ip"), Reply::bulk(node.host.clone())),
                (Reply::text("endpoint"), Reply::bulk(node.host.clone())),
                (
                    Reply::text("role"),
                    Reply::text(if is_master { "master" } else { "replica" }),
                ),
                (Reply::text("replication-offset"), Reply::Int(0)),
                (
                    Reply::text("health"),
                    Reply::text(if node.down { "fail" } else { "online" }),
                ),
            ])
        });
        Reply::Map(vec![
            (Reply::text("slots"), Reply::Array(slots)),
            (Reply::text("nodes"), Reply::Array(nodes.collect())),
        ])
    };
    Reply::Array(masters.map(shard).collect())
}
