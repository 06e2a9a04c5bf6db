//! What a server knows of one connection.

use std::collections::BTreeSet;

use bytes::Bytes;

use super::super::resp::{Protocol, Reply};
use super::{ClientId, Micros, blocked::Blocked};
use crate::trace::RedisEnd;

/// One connection.
#[derive(Debug)]
pub struct Client {
    /// Its number, as CLIENT ID says it.
    pub id: ClientId,
    /// The node that it is connected to.
    pub node: usize,
    /// Where it comes from.
    pub address: String,
    /// When it connected.
    pub since: Micros,
    /// When it last sent something.
    pub active: Micros,
    /// What it called itself.
    pub name: Bytes,
    /// Its library, as CLIENT SETINFO told.
    pub library: (Bytes, Bytes),
    /// The selected database.
    pub database: usize,
    /// The protocol that it speaks.
    pub protocol: Protocol,
    /// The user name with which it is logged in; none if it is not logged in.
    pub user: Option<String>,
    /// When it must end, if it does not log in again before.
    pub until: Option<Micros>,
    /// The open transaction.
    pub transaction: Option<Transaction>,
    /// The keys it watches.
    pub watched: Vec<(usize, Bytes)>,
    /// Whether one of them was changed.
    pub dirty: bool,
    /// Its channels.
    pub channels: BTreeSet<Bytes>,
    /// Its patterns.
    pub patterns: BTreeSet<Bytes>,
    /// Its sharded channels.
    pub shards: BTreeSet<Bytes>,
    /// What it waits for.
    pub blocked: Option<Blocked>,
    /// What it got when it no longer had to wait, in short.
    pub woken: Option<String>,
    /// What is to be sent.
    pub out: Vec<u8>,
    /// Messages that are sent after the reply to the running command.
    pub later: Vec<u8>,
    /// Whether the connection ends when everything is sent, and why.
    pub closing: Option<Ending>,
    /// How many transactions it has begun.
    pub transactions: u64,
    /// Whether it may read from replicas.
    pub reads_replicas: bool,
    /// Whether the next command follows an ASK.
    pub asking: bool,
    /// CLIENT NO-EVICT.
    pub no_evict: bool,
    /// CLIENT NO-TOUCH.
    pub no_touch: bool,
    /// Its last command.
    pub last_command: String,
}

/// How a connection ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// Which side ends it.
    pub because: RedisEnd,
    /// Why, in words.
    pub why: String,
    /// Whether the peer sees a reset; otherwise the stream's end. A server that closes a connection
    /// by itself, for `CLIENT KILL` or because the user was deleted, does not reset it (RS-48).
    pub resets: bool,
}

impl Ending {
    /// The server ends it.
    pub fn by_server(why: &str) -> Self {
        Self {
            because: RedisEnd::Server,
            why: why.to_owned(),
            resets: false,
        }
    }
}

/// Commands between MULTI and EXEC.
#[derive(Debug)]
pub struct Transaction {
    /// Its number on this connection.
    pub number: u64,
    /// What was queued.
    pub queue: Vec<Vec<Bytes>>,
    /// Whether a command could not be queued.
    pub broken: bool,
}

impl Client {
    /// A client that has just connected.
    pub fn new(id: ClientId, node: usize, address: &str, now: Micros) -> Self {
        Self {
            id,
            node,
            address: address.to_owned(),
            since: now,
            active: now,
            name: Bytes::new(),
            library: (Bytes::new(), Bytes::new()),
            database: 0,
            protocol: Protocol::Resp2,
            user: None,
            until: None,
            transaction: None,
            watched: Vec::new(),
            dirty: false,
            channels: BTreeSet::new(),
            patterns: BTreeSet::new(),
            shards: BTreeSet::new(),
            blocked: None,
            woken: None,
            out: Vec::new(),
            later: Vec::new(),
            closing: None,
            transactions: 0,
            reads_replicas: false,
            asking: false,
            no_evict: false,
            no_touch: false,
            last_command: "NULL".to_owned(),
        }
    }

    /// Appends a reply in its protocol.
    pub fn write(&mut self, reply: &Reply) {
        reply.write(self.protocol, &mut self.out);
    }

    /// What a subscription's confirmation counts.
    pub fn subscriptions(&self) -> usize {
        self.channels.len() + self.patterns.len()
    }

    /// Whether it may only do what subscribers of RESP2 may.
    pub fn is_restricted(&self) -> bool {
        self.protocol == Protocol::Resp2 && self.subscriptions() + self.shards.len() > 0
    }

    /// It gets an error instead of what it asked for, as if the command could not be run.
    pub fn fail(&mut self, args: &[Bytes], error: &Reply) {
        let ends = [b"exec".as_slice(), b"discard", b"reset", b"quit"];
        let name = args.first().map(|name| name.to_ascii_lowercase());
        let is_end = name.is_some_and(|name| ends.contains(&name.as_slice()));
        if is_end {
            self.transaction = None;
            self.unwatch();
        } else if let Some(open) = &mut self.transaction {
            open.broken = true;
        }
        self.write(error);
    }

    /// Stops watching.
    pub fn unwatch(&mut self) {
        self.watched.clear();
        self.dirty = false;
    }

    /// It no longer takes part: nothing more reaches it, and it blocks no other client.
    pub fn cut_off(&mut self) {
        self.out.clear();
        self.channels.clear();
        self.patterns.clear();
        self.shards.clear();
        self.blocked = None;
        self.unwatch();
    }

    /// Everything but the connection itself is forgotten (RS-11).
    pub fn reset(&mut self) {
        let old = std::mem::replace(self, Self::new(self.id, self.node, "", self.since));
        self.address = old.address;
        self.transactions = old.transactions;
        self.active = old.active;
        self.library = old.library;
        self.out = old.out;
        self.later = old.later;
        self.last_command = old.last_command;
    }
}
