//! A Redis without sockets and without a clock: requests go in, bytes for clients come out.

mod blocked;
pub mod call;
mod client;
pub mod cluster;
mod execute;
mod pubsub;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;

pub use blocked::{Blocked, Then};
pub use call::{Call, Done};
pub use client::{Client, Ending, Transaction};

use super::store::{Database, Value};
use cluster::Cluster;

/// Microseconds since 1970.
pub type Micros = i64;

/// Which connection.
pub type ClientId = u64;

/// Whose texts and habits the server has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Version {
    /// 7.0.15.
    V7_0,
    /// 7.4.1.
    #[default]
    V7_4,
}

impl Version {
    /// As HELLO and INFO say it.
    pub fn number(self) -> &'static str {
        match self {
            Self::V7_0 => "7.0.15",
            Self::V7_4 => "7.4.1",
        }
    }
}

/// What does not change while a server runs.
#[derive(Clone, Debug)]
pub struct Config {
    /// Whose texts and habits it has.
    pub version: Version,
    /// How many databases there are.
    pub databases: usize,
    /// Whether a failing AUTH or HELLO says nothing when other replies wait to be sent (RS-22).
    pub desync: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            version: Version::default(),
            databases: 16,
            desync: false,
        }
    }
}

/// Which logins are accepted.
pub trait Gate {
    /// Judges a user name and a password. The client learns nothing but whether they are good.
    fn check(&mut self, user: &[u8], password: &[u8]) -> Option<Login>;

    /// Whether there is such a user.
    fn knows(&self, user: &[u8]) -> bool;

    /// Whether clients need not log in: the default user is on, without a password.
    fn is_open(&self) -> bool {
        false
    }
}

/// A login that a gate takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The user name with which it is logged in.
    pub user: String,
    /// When the connection must end, unless it logs in again before.
    pub until: Option<Micros>,
}

/// A Redis: its databases and who is connected. With a cluster, all of its nodes, which share
/// their keys and channels as if replication took no time.
#[derive(Debug)]
pub struct Server {
    pub(crate) config: Config,
    pub(crate) cluster: Option<Cluster>,
    databases: BTreeMap<usize, Database>,
    pub(crate) clients: BTreeMap<ClientId, Client>,
    /// Clients that have new output, whichever connection caused it.
    touched: BTreeSet<ClientId>,
    /// Lists that grew, in that order.
    ready: VecDeque<(usize, Bytes)>,
    last_client: ClientId,
    last_block: u64,
    /// The earliest time at which a waiting client gives up. Before it the clients are not scanned.
    first_late: Option<Micros>,
    /// What one connected client and one command count.
    pub(crate) connections: u64,
    pub(crate) commands: u64,
}

impl Server {
    /// An empty one.
    pub fn new(config: Config, cluster: Option<Cluster>) -> Self {
        Self {
            config,
            cluster,
            databases: BTreeMap::new(),
            clients: BTreeMap::new(),
            touched: BTreeSet::new(),
            ready: VecDeque::new(),
            last_client: 0,
            last_block: 0,
            first_late: None,
            connections: 0,
            commands: 0,
        }
    }

    /// Adds a client that connects to a node.
    pub fn connect(&mut self, node: usize, address: &str, now: Micros) -> ClientId {
        self.last_client += 1;
        self.connections += 1;
        let client = Client::new(self.last_client, node, address, now);
        self.clients.insert(self.last_client, client);
        self.last_client
    }

    /// The next connection gets this number.
    #[cfg(test)]
    pub fn number_next(&mut self, id: ClientId) {
        self.last_client = id.saturating_sub(1);
    }

    /// A connection is gone, with its subscriptions, its watches and its transaction.
    pub fn disconnect(&mut self, id: ClientId) -> Option<Client> {
        self.touched.remove(&id);
        self.clients.remove(&id)
    }

    /// A connection.
    pub fn client(&self, id: ClientId) -> Option<&Client> {
        self.clients.get(&id)
    }

    /// A connection, to change it.
    pub fn client_mut(&mut self, id: ClientId) -> Option<&mut Client> {
        self.clients.get_mut(&id)
    }

    /// How many are connected to a node.
    pub fn connected_to(&self, node: usize) -> usize {
        let clients = self.clients.values();
        clients.filter(|client| client.node == node).count()
    }

    /// The clients that have new output since the last call, in their order.
    pub fn take_touched(&mut self) -> BTreeSet<ClientId> {
        std::mem::take(&mut self.touched)
    }

    pub(crate) fn touch(&mut self, id: ClientId) {
        self.touched.insert(id);
    }

    /// What waits to be sent to a client.
    pub fn take_output(&mut self, id: ClientId) -> Vec<u8> {
        let Some(client) = self.clients.get_mut(&id) else {
            return Vec::new();
        };
        client.sending = client.out.len();
        std::mem::take(&mut client.out)
    }

    pub(crate) fn database(&mut self, index: usize) -> &mut Database {
        self.databases.entry(index).or_default()
    }

    /// The databases that were used.
    pub(crate) fn databases(&self) -> impl Iterator<Item = (usize, &Database)> {
        self.databases
            .iter()
            .map(|(index, database)| (*index, database))
    }

    /// The process ends and takes everything with it: its keys and its clients.
    pub fn lose_all(&mut self) -> Vec<Client> {
        self.databases.clear();
        self.ready.clear();
        self.touched.clear();
        std::mem::take(&mut self.clients).into_values().collect()
    }

    pub(crate) fn clear(&mut self, index: Option<usize>) -> Vec<(usize, Bytes)> {
        let mut gone = Vec::new();
        for (number, database) in &mut self.databases {
            if index.is_none_or(|index| index == *number) {
                gone.extend(database.keys().map(|key| (*number, key.clone())));
                *database = Database::default();
            }
        }
        gone
    }

    /// Takes out what has ended by `now`.
    pub(crate) fn purge(&mut self, now: Micros) -> Vec<(usize, Bytes)> {
        let mut gone = Vec::new();
        for (number, database) in &mut self.databases {
            let keys = database.purge(now.div_euclid(1000)).into_iter();
            gone.extend(keys.map(|key| (*number, key)));
        }
        gone
    }

    /// A list grew: the clients that wait for it are served after the command.
    pub(crate) fn grew(&mut self, index: usize, key: &Bytes) {
        if matches!(self.database(index).get(key), Some(Value::List(_))) {
            self.ready.push_back((index, key.clone()));
        }
    }

    pub(crate) fn next_block(&mut self) -> u64 {
        self.last_block += 1;
        self.last_block
    }
}
