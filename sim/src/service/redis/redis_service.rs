//! What the connections of one Redis share: the server, and a notification for each of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use tokio::sync::Notify;

use super::server::{
    Client, ClientId, Config, Ending, Server, Version,
    cluster::{Cluster, Node, shares},
};
use super::{REDIS_HOST, REDIS_PORT};
use super::{Redis, RedisVersion};
use crate::{
    backend::Backend,
    trace::{Kind, RedisEnd, RedisEvent},
};

/// One Redis, single or a cluster.
pub struct RedisService {
    state: Mutex<State>,
    /// The hosts of all nodes, by number; replicas come after the masters.
    hosts: Vec<String>,
}

/// The server and what wakes its tasks, behind one lock.
pub struct State {
    /// The server.
    pub server: Server,
    /// Wakes the task of a connection.
    connections: BTreeMap<ClientId, Arc<Notify>>,
    /// Wakes a node's listener when the node goes down.
    nodes: BTreeMap<usize, Arc<Notify>>,
}

impl RedisService {
    /// The Redis that a world describes, empty.
    pub fn new(redis: &Redis) -> Self {
        let version = match redis.version {
            RedisVersion::V7_0 => Version::V7_0,
            RedisVersion::V7_4 => Version::V7_4,
        };
        let config = Config {
            version,
            desync: redis.loses_failed_auth,
            ..Config::default()
        };
        let cluster = (redis.nodes > 1).then(|| cluster(redis.nodes as usize));
        let hosts = match &cluster {
            Some(cluster) => cluster.nodes.iter().map(|node| node.host.clone()).collect(),
            None => vec![REDIS_HOST.to_owned()],
        };
        let state = State {
            server: Server::new(config, cluster),
            connections: BTreeMap::new(),
            nodes: BTreeMap::new(),
        };
        Self {
            state: Mutex::new(state),
            hosts,
        }
    }

    /// The hosts of all nodes, replicas too.
    pub fn hosts(&self) -> &[String] {
        &self.hosts
    }

    /// Tells clients of a cluster another address of a host, by which they reach it.
    pub fn announce(&self, host: &str, address: &str, port: u16) {
        let number = self.hosts.iter().position(|known| known == host);
        let mut state = self.state();
        let cluster = state.server.cluster.as_mut();
        let node = number
            .zip(cluster)
            .and_then(|(number, cluster)| cluster.nodes.get_mut(number));
        if let Some(node) = node {
            address.clone_into(&mut node.host);
            node.port = port;
        }
    }

    /// The server and its connections.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends connections, all or those that `wanted` means. They end themselves as soon as they run.
    pub fn kill(&self, ending: &Ending, wanted: impl Fn(&Client) -> bool) {
        let mut state = self.state();
        let ids: Vec<ClientId> = state.connections.keys().copied().collect();
        for id in ids {
            if let Some(client) = state.server.client_mut(id)
                && wanted(client)
            {
                client.cut_off();
                client.closing = Some(ending.clone());
                state.notify(id);
            }
        }
    }

    /// Closes the connection of this number, counted from 1 in the order of connecting, or all.
    pub fn close_connection(&self, number: Option<u64>) {
        let ending = broken("the server closed it".to_owned(), false);
        self.kill(&ending, |client| number.is_none_or(|id| id == client.id));
    }

    /// Closes the connections that are signed in as `object_id`.
    pub fn close_connections_of(&self, object_id: &str) {
        let ending = broken(format!("{object_id} may no longer sign in"), false);
        self.kill(&ending, |client| client.user.as_deref() == Some(object_id));
    }

    /// The process of every node ends, and with it all keys and connections.
    pub fn crash(&self, backend: &Backend, at: Duration) {
        let lost = {
            let mut state = self.state();
            state.connections.clear();
            state.server.lose_all()
        };
        let ending = broken("the server's host went down".to_owned(), true);
        for client in lost {
            record_end(backend, at, &client, &ending);
        }
    }

    /// A node goes down, and its replica takes its slots; the host of the one and of the other.
    pub fn fail_over(&self, node: usize) -> Option<(String, String)> {
        let mut state = self.state();
        let cluster = state.server.cluster.as_mut()?;
        let to = cluster.fail_over(node)?;
        let down = cluster.nodes.get_mut(node)?;
        down.down = true;
        let (from, to) = (self.hosts.get(node)?.clone(), self.hosts.get(to)?.clone());
        if let Some(listener) = state.nodes.get(&node) {
            listener.notify_one();
        }
        drop(state);
        let ending = broken(format!("{from} went down"), true);
        self.kill(&ending, |client| client.node == node);
        Some((from, to))
    }
}

impl State {
    /// A client connects to a node. Returns its number, and what wakes its task when the server
    /// changed its state or has output for it.
    pub fn connect(&mut self, node: usize, peer: &str, now: i64) -> (ClientId, Arc<Notify>) {
        let address = format!("{peer}:{}", 40_000 + self.server.connections % 20_000);
        let id = self.server.connect(node, &address, now);
        let notify = Arc::new(Notify::new());
        self.connections.insert(id, notify.clone());
        (id, notify)
    }

    /// Removes a connection; `None` if it was removed before.
    pub fn disconnect(&mut self, id: ClientId) -> Option<Client> {
        self.connections.remove(&id);
        self.server.disconnect(id)
    }

    /// Wakes the tasks of all connections that a command has touched, but not of the one that sent
    /// it.
    pub fn notify_touched(&mut self, but: ClientId) {
        let touched: BTreeSet<ClientId> = self.server.take_touched();
        touched
            .into_iter()
            .filter(|id| *id != but)
            .for_each(|id| self.notify(id));
    }

    fn notify(&self, id: ClientId) {
        if let Some(connection) = self.connections.get(&id) {
            connection.notify_one();
        }
    }

    /// A node's process begins. Returns what wakes its listener when the node goes down. One that
    /// was down is a replica now.
    pub fn start(&mut self, node: usize) -> Arc<Notify> {
        let cluster = self.server.cluster.as_mut();
        if let Some(node) = cluster.and_then(|cluster| cluster.nodes.get_mut(node)) {
            node.down = false;
        }
        let notify = Arc::new(Notify::new());
        self.nodes.insert(node, notify.clone());
        notify
    }
}

/// The end of a connection in the trace.
pub fn record_end(backend: &Backend, at: Duration, client: &Client, ending: &Ending) {
    let event = RedisEvent::Closed {
        connection: client.id,
        because: ending.because,
        why: ending.why.clone(),
        transaction: client.transaction.as_ref().map(|open| open.number),
    };
    backend.journal().record(at, Kind::Redis(event));
}

/// The timeline breaks a connection.
fn broken(why: String, resets: bool) -> Ending {
    Ending {
        because: RedisEnd::Broken,
        why,
        resets,
    }
}

/// So many masters with a replica each.
fn cluster(masters: usize) -> Cluster {
    let node = |host: String, replica_of: Option<usize>, slots| Node {
        id: node_id(&host),
        host,
        port: REDIS_PORT,
        slots,
        replica_of,
        down: false,
    };
    let shares = shares(masters);
    let mut nodes: Vec<Node> = (1..)
        .zip(shares)
        .map(|(number, share)| node(format!("redis-{number}.contoso.example"), None, vec![share]))
        .collect();
    nodes.extend((0..masters).map(|master| {
        let host = format!("redis-{}-replica.contoso.example", master + 1);
        node(host, Some(master), Vec::new())
    }));
    Cluster { nodes, epoch: 1 }
}

/// Forty digits that follow from the name.
fn node_id(host: &str) -> String {
    let digest = digest(&SHA1_FOR_LEGACY_USE_ONLY, host.as_bytes());
    digest
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
