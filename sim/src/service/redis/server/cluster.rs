//! The nodes of a cluster, and which of them serves a key.

use std::ops::RangeInclusive;

use bytes::Bytes;

use super::super::store::slot;

/// Keys of several slots in one request.
pub const CROSS_SLOT: &str = "CROSSSLOT Keys in request don't hash to the same slot";

/// One node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Forty hexadecimal digits.
    pub id: String,
    /// Its host name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The slots that it serves, in their order.
    pub slots: Vec<RangeInclusive<u16>>,
    /// The node that it is a replica of.
    pub replica_of: Option<usize>,
    /// Whether it is known to be down.
    pub down: bool,
}

/// All nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cluster {
    /// By number.
    pub nodes: Vec<Node>,
    /// Raised with each change.
    pub epoch: u64,
}

/// Where a request belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// To the node that got it.
    Here,
    /// To another.
    Moved {
        /// The slot.
        slot: u16,
        /// Host and port.
        to: String,
    },
    /// Its keys are in several slots.
    CrossSlot,
    /// No node serves its slot.
    Down,
}

impl Cluster {
    /// The node that serves a slot.
    pub fn owner(&self, slot: u16) -> Option<(usize, &Node)> {
        let serves = |node: &Node| node.slots.iter().any(|range| range.contains(&slot));
        self.nodes.iter().enumerate().find(|(_, node)| serves(node))
    }

    /// Where a request with these keys belongs that reached node `here`.
    pub fn route<'a>(
        &self,
        here: usize,
        keys: impl Iterator<Item = &'a Bytes>,
        reads_here: bool,
    ) -> Route {
        let mut wanted = None;
        for key in keys {
            let slot = slot::of(key);
            if *wanted.get_or_insert(slot) != slot {
                return Route::CrossSlot;
            }
        }
        let Some(slot) = wanted else {
            return Route::Here;
        };
        match self.owner(slot) {
            None => Route::Down,
            Some((owner, _)) if owner == here => Route::Here,
            Some((owner, _)) if reads_here && self.master_of(here) == Some(owner) => Route::Here,
            Some((_, node)) => Route::Moved {
                slot,
                to: format!("{}:{}", node.host, node.port),
            },
        }
    }

    fn master_of(&self, node: usize) -> Option<usize> {
        self.nodes.get(node)?.replica_of
    }

    /// The slots of one node go to another: to its replica, which becomes a master, or to the
    /// next master. None if it has none, or no node is there to take them.
    pub fn fail_over(&mut self, from: usize) -> Option<usize> {
        if self.nodes.get(from)?.slots.is_empty() {
            // It is down already, or a replica since it was.
            return None;
        }
        let is_up = |node: &Node| !node.down;
        let replica = self
            .nodes
            .iter()
            .position(|node| node.replica_of == Some(from) && is_up(node));
        let next = || {
            let others = self.nodes.iter().enumerate();
            let masters =
                others.filter(|(at, node)| *at != from && node.replica_of.is_none() && is_up(node));
            masters.map(|(at, _)| at).min_by_key(|at| (*at < from, *at))
        };
        let to = replica.or_else(next)?;
        let slots = std::mem::take(&mut self.nodes.get_mut(from)?.slots);
        self.nodes.get_mut(from)?.replica_of = Some(to);
        for node in &mut self.nodes {
            if node.replica_of == Some(from) {
                node.replica_of = Some(to);
            }
        }
        let node = self.nodes.get_mut(to)?;
        node.replica_of = None;
        node.slots.extend(slots);
        node.slots.sort_by_key(|range| *range.start());
        self.epoch += 1;
        Some(to)
    }
}

/// The slots of `masters` nodes, shared as redis-cli does it.
pub fn shares(masters: usize) -> Vec<RangeInclusive<u16>> {
    let per = f64::from(slot::SLOTS) / masters.max(1) as f64;
    let mut first = 0.0_f64;
    let mut from: u16 = 0;
    (0..masters)
        .map(|number| {
            let last = if number + 1 == masters {
                slot::SLOTS - 1
            } else {
                (first + per - 1.0).round() as u16
            };
            let share = from..=last;
            from = last.saturating_add(1);
            first += per;
            share
        })
        .collect()
}
