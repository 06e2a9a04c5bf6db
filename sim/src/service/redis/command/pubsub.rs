//! Channels, patterns and sharded channels (RS-12 to RS-14).

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::super::{
    resp::Reply,
    server::{Call, Client},
    store::glob,
};
use super::{ALL_KEYS, Answer, NO_KEYS, ONE_KEY, SUBSCRIBED, Spec, container, spec};

pub const COMMANDS: &[Spec] = &[
    spec("psubscribe", -2, NO_KEYS, SUBSCRIBED, |call| {
        subscribe(call, &PATTERNS)
    }),
    spec("publish", 3, NO_KEYS, 0, |call| {
        let (channel, message) = (call.arg(1).clone(), call.arg(2).clone());
        let receivers = call.publish(&channel, &message, false);
        call.done.published.push((channel, message));
        Ok(Reply::count(receivers))
    }),
    container("pubsub"),
    spec("pubsub|channels", -2, NO_KEYS, 0, |call| {
        channels(call, &CHANNELS)
    }),
    spec("pubsub|numpat", 2, NO_KEYS, 0, |call| {
        let patterns: BTreeSet<Bytes> = call
            .everybody()
            .into_iter()
            .flat_map(|client| client.patterns.clone())
            .collect();
        Ok(Reply::count(patterns.len()))
    }),
    spec("pubsub|numsub", -2, NO_KEYS, 0, |call| {
        Ok(counts(call, &CHANNELS))
    }),
    spec("pubsub|shardchannels", -2, NO_KEYS, 0, |call| {
        channels(call, &SHARDS)
    }),
    spec("pubsub|shardnumsub", -2, NO_KEYS, 0, |call| {
        Ok(counts(call, &SHARDS))
    }),
    spec("punsubscribe", -1, NO_KEYS, SUBSCRIBED, |call| {
        unsubscribe(call, &PATTERNS)
    }),
    spec("spublish", 3, ONE_KEY, 0, |call| {
        let (channel, message) = (call.arg(1).clone(), call.arg(2).clone());
        Ok(Reply::count(call.publish(&channel, &message, true)))
    }),
    spec("ssubscribe", -2, ALL_KEYS, SUBSCRIBED, |call| {
        subscribe(call, &SHARDS)
    }),
    spec("subscribe", -2, NO_KEYS, SUBSCRIBED, |call| {
        subscribe(call, &CHANNELS)
    }),
    spec("sunsubscribe", -1, ALL_KEYS, SUBSCRIBED, |call| {
        unsubscribe(call, &SHARDS)
    }),
    spec("unsubscribe", -1, NO_KEYS, SUBSCRIBED, |call| {
        unsubscribe(call, &CHANNELS)
    }),
];

/// One of the three ways to subscribe.
struct Way {
    joins: &'static str,
    leaves: &'static str,
    of: fn(&mut Client) -> &mut BTreeSet<Bytes>,
    /// What a confirmation counts.
    count: fn(&Client) -> usize,
}

const CHANNELS: Way = Way {
    joins: "subscribe",
    leaves: "unsubscribe",
    of: |client| &mut client.channels,
    count: Client::subscriptions,
};
const PATTERNS: Way = Way {
    joins: "psubscribe",
    leaves: "punsubscribe",
    of: |client| &mut client.patterns,
    count: Client::subscriptions,
};
const SHARDS: Way = Way {
    joins: "ssubscribe",
    leaves: "sunsubscribe",
    of: |client| &mut client.shards,
    count: |client| client.shards.len(),
};

fn confirmation(kind: &'static str, channel: Reply, count: usize) -> Reply {
    Reply::Push(vec![Reply::text(kind), channel, Reply::count(count)])
}

fn subscribe(call: &mut Call<'_>, way: &Way) -> Answer {
    if call.in_exec && call.spec.name == "ssubscribe" {
        let error = "ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client";
        return Err(Reply::error(error));
    }
    let mut all = Vec::new();
    for channel in call.args.iter().skip(1) {
        (way.of)(call.client).insert(channel.clone());
        let count = (way.count)(call.client);
        all.push(confirmation(way.joins, Reply::Bulk(channel.clone()), count));
    }
    Ok(Reply::Several(all))
}

fn unsubscribe(call: &mut Call<'_>, way: &Way) -> Answer {
    let mut channels = call.rest(1).to_vec();
    if channels.is_empty() {
        channels = (way.of)(call.client).iter().cloned().collect();
    }
    let mut all = Vec::new();
    for channel in channels {
        (way.of)(call.client).remove(&channel);
        all.push(confirmation(
            way.leaves,
            Reply::Bulk(channel),
            (way.count)(call.client),
        ));
    }
    if all.is_empty() {
        all.push(confirmation(
            way.leaves,
            Reply::Null,
            (way.count)(call.client),
        ));
    }
    Ok(Reply::Several(all))
}

/// How many at this node listen to each channel.
fn listeners(call: &mut Call<'_>, way: &Way) -> BTreeMap<Bytes, usize> {
    let node = call.client.node;
    let mut listeners = BTreeMap::new();
    for client in call.everybody() {
        if client.node == node {
            for channel in &*(way.of)(client) {
                *listeners.entry(channel.clone()).or_default() += 1;
            }
        }
    }
    listeners
}

fn channels(call: &mut Call<'_>, way: &Way) -> Answer {
    if call.args.len() > 3 {
        let sub = String::from_utf8_lossy(call.arg(1)).into_owned();
        return Err(Reply::error(format!(
            "ERR unknown subcommand or wrong number of arguments for '{sub}'. Try PUBSUB HELP."
        )));
    }
    let pattern = call.args.get(2).cloned();
    let all = listeners(call, way).into_keys();
    let wanted = |channel: &Bytes| pattern.as_ref().is_none_or(|p| glob::matches(p, channel));
    Ok(Reply::Array(all.filter(wanted).map(Reply::Bulk).collect()))
}

fn counts(call: &mut Call<'_>, way: &Way) -> Reply {
    let listeners = listeners(call, way);
    let mut all = Vec::new();
    for channel in call.rest(2) {
        all.push(Reply::Bulk(channel.clone()));
        all.push(Reply::count(listeners.get(channel).copied().unwrap_or(0)));
    }
    Reply::Array(all)
}
