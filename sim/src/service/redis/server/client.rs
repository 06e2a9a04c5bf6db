//! What a server knows of one connection.

use std::collections::BTreeSet;

use bytes::Bytes;

use super::super::resp::{Protocol, Reply};
use super::{ClientId, Micros, blocked::Blocked};
use crate::trace::RedisEnd;

/// The most bytes that may wait for a subscriber: its connection is closed at once beyond it
/// (RS-50).
const HARD_LIMIT: usize = 32 << 20;
/// The most bytes that may wait for a subscriber for longer than [`SOFT_TIME`] (RS-50).
const SOFT_LIMIT: usize = 8 << 20;
/// One minute, in microseconds.
const SOFT_TIME: Micros = 60_000_000;

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
    /// How many bytes have left `out` and are not yet sent.
    pub sending: usize,
    /// Since when more than [`SOFT_LIMIT`] waits for it, if it subscribes.
    pub slow_since: Option<Micros>,
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
            sending: 0,
            slow_since: None,
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

    /// A message was added to what waits for it. It is cut off if it does not read what it gets
    /// (RS-50).
    pub fn limit_output(&mut self, now: Micros) {
        let waiting = self.sending + self.out.len();
        if waiting <= SOFT_LIMIT {
            self.slow_since = None;
            return;
        }
        self.slow_since.get_or_insert(now);
        if waiting > HARD_LIMIT {
            self.cut_off();
            self.closing = Some(Self::too_slow());
        }
    }

    /// When it is closed if it reads no more.
    pub fn slow_until(&self) -> Option<Micros> {
        self.slow_since.map(|since| since + SOFT_TIME)
    }

    /// How a subscriber ends that does not read.
    pub fn too_slow() -> Ending {
        Ending::by_server(
            "it does not read its messages (client-output-buffer-limit pubsub 32mb 8mb 60)",
        )
    }

    /// So many bytes of what has left `out` are still to be sent.
    pub fn sends(&mut self, bytes: usize) {
        self.sending = bytes;
        if self.sending + self.out.len() <= SOFT_LIMIT {
            self.slow_since = None;
        }
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
        self.sending = old.sending;
        self.slow_since = old.slow_since;
        self.later = old.later;
        self.last_command = old.last_command;
    }
}
