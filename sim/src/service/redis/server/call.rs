//! A command: its name, its arguments and its keys; while it runs, what it may look at and change;
//! and what became of it.

use std::iter;

use bytes::Bytes;

use super::super::{resp::Reply, store::Database};
use super::{Client, Config, Gate, Micros, Server, Version};

/// What became of a request, for the trace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// The command's full name: `get`, `client|id`; or what was sent instead of one.
    pub command: String,
    /// The reply, in short.
    pub reply: String,
    /// Whether the reply is an error.
    pub failed: bool,
    /// Whether the client now waits for a list.
    pub blocked: bool,
    /// The transaction that it belongs to.
    pub transaction: Option<u64>,
    /// Channel and message of what it published, within EXEC too; sharded channels left out.
    pub published: Vec<(Bytes, Bytes)>,
}

/// A running command: what it may look at and change.
pub struct Call<'a> {
    /// The server; its list of clients is without the one that asks.
    pub server: &'a mut Server,
    /// The client that sends the command.
    pub client: &'a mut Client,
    /// The request; for subcommands, with both names.
    pub args: &'a [Bytes],
    /// The command.
    pub spec: &'static Spec,
    /// The time.
    pub now: Micros,
    /// Which logins are accepted.
    pub gate: &'a mut dyn Gate,
    /// Whether EXEC runs it.
    pub in_exec: bool,
    /// For the trace.
    pub done: &'a mut Done,
}

impl Call<'_> {
    /// Runs the command.
    pub fn run(&mut self) -> Reply {
        let answer: Answer = (self.spec.run)(self);
        answer.unwrap_or_else(|error| error)
    }

    /// An argument, by number; 0 is the command. Empty if there is none.
    pub fn arg(&self, number: usize) -> &Bytes {
        static NONE: Bytes = Bytes::new();
        self.args.get(number).unwrap_or(&NONE)
    }

    /// The arguments from this one on.
    pub fn rest(&self, number: usize) -> &[Bytes] {
        self.args.get(number..).unwrap_or_default()
    }

    /// What does not change.
    pub fn config(&self) -> &Config {
        &self.server.config
    }

    /// The client's database.
    pub fn database(&mut self) -> &mut Database {
        self.server.database(self.client.database)
    }

    /// All clients, in their order.
    pub fn everybody(&mut self) -> Vec<&mut Client> {
        let others = self.server.clients.values_mut();
        let mut all: Vec<_> = others.chain(iter::once(&mut *self.client)).collect();
        all.sort_by_key(|client| client.id);
        all
    }

    /// A key has changed: who watches it learns of it.
    pub fn changed(&mut self, key: &Bytes) {
        let index = self.client.database;
        for client in self.everybody() {
            client.note(index, key);
        }
    }

    /// A list may have grown.
    pub fn grew(&mut self, key: &Bytes) {
        self.server.grew(self.client.database, key);
    }

    /// The time in milliseconds.
    pub fn millis(&self) -> i64 {
        self.now.div_euclid(1000)
    }
}

impl Client {
    /// A key has changed.
    pub fn note(&mut self, index: usize, key: &Bytes) {
        let is_it = |(number, watched): &(usize, Bytes)| *number == index && watched == key;
        if !self.dirty && self.watched.iter().any(is_it) {
            self.dirty = true;
        }
    }
}

/// A reply; an error on the other side, so that `?` works.
pub type Answer = Result<Reply, Reply>;

/// It may be sent before logging in.
pub const NO_LOGIN: u8 = 1;
/// It may be sent by a subscriber of RESP2.
pub const SUBSCRIBED: u8 = 2;
/// It is not queued between MULTI and EXEC.
pub const AT_ONCE: u8 = 4;
/// It changes keys.
pub const WRITES: u8 = 8;
/// A container: without a subcommand it does nothing.
pub const CONTAINER: u8 = 16;

/// Redis has it since 7.2: 7.0 does not know it.
pub const SINCE_7_2: u8 = 32;

/// Where the keys are among the arguments: first, last (from the end if negative), step.
pub type Keys = (usize, isize, usize);
/// There is none.
pub const NO_KEYS: Keys = (0, 0, 0);
/// The first argument.
pub const ONE_KEY: Keys = (1, 1, 1);
/// All arguments.
pub const ALL_KEYS: Keys = (1, -1, 1);

/// A command.
pub struct Spec {
    /// Its full name in lower case: `get`, `client|id`.
    pub name: &'static str,
    /// How many arguments it takes, its name included; at least so many if negative.
    arity: isize,
    keys: Keys,
    flags: u8,
    /// What it does.
    pub run: fn(&mut Call<'_>) -> Answer,
}

/// Makes the entry of a command.
pub const fn spec(
    name: &'static str,
    arity: isize,
    keys: Keys,
    flags: u8,
    run: fn(&mut Call<'_>) -> Answer,
) -> Spec {
    Spec {
        name,
        arity,
        keys,
        flags,
        run,
    }
}

impl Spec {
    /// Whether it has a flag.
    pub fn is(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// Whether servers of this version have it.
    pub fn exists_in(&self, version: Version) -> bool {
        match version {
            Version::V7_0 => !self.is(SINCE_7_2),
            Version::V7_4 => true,
        }
    }

    /// How many arguments it takes, as `COMMAND` says it.
    pub fn arity(&self) -> isize {
        self.arity
    }

    /// Where its keys are.
    pub fn keys(&self) -> Keys {
        self.keys
    }

    /// Whether it takes a request of so many arguments.
    pub fn accepts(&self, arguments: usize) -> bool {
        let wanted = self.arity.unsigned_abs();
        if self.arity < 0 {
            arguments >= wanted
        } else {
            arguments == wanted
        }
    }

    /// The keys in a request.
    pub fn keys_of<'a>(&self, args: &'a [Bytes]) -> impl Iterator<Item = &'a Bytes> + use<'a> {
        let (first, last, step) = self.keys;
        let end = match usize::try_from(last) {
            Ok(last) => (last + 1).min(args.len()),
            Err(_) => (args.len() + 1).saturating_sub(last.unsigned_abs()),
        };
        let keys = args
            .get(first..end)
            .filter(|_| step > 0)
            .unwrap_or_default();
        keys.iter().step_by(step.max(1))
    }
}
