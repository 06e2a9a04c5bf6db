//! What the network of a world consists of, and the queue of what happens next.
//!
//! It owns the bytes in flight and their order. It does not own the clock:
//! [`driver`](super::driver) moves that.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::Waker,
    time::Duration,
};

use super::connection::{
    Backlog, CLIENT, Connection, ConnectionId, Handshake, HostId, Parcel, SERVER,
};
use crate::engine::{HostMain, task::Tasks};

pub(super) enum Happening {
    Deliver(ConnectionId, Parcel),
    Timer,
}

struct Scheduled {
    at: u64,
    /// Breaks ties: what was scheduled first happens first. Also names a timer.
    sequence: u64,
    what: Happening,
}

impl Ord for Scheduled {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.sequence).cmp(&(other.at, other.sequence))
    }
}
impl PartialOrd for Scheduled {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl PartialEq for Scheduled {
    fn eq(&self, other: &Self) -> bool {
        self.sequence == other.sequence
    }
}
impl Eq for Scheduled {}

#[derive(Default)]
pub(super) struct Link {
    pub held: bool,
    pub kept: VecDeque<(ConnectionId, Parcel)>,
}

pub(super) struct HostState {
    pub name: Arc<str>,
    pub up: bool,
    pub main: Option<HostMain>,
    pub tasks: Tasks,
}

pub(super) struct State {
    /// Nanoseconds since the world began.
    now: u64,
    /// The same, for those who only want to know the time: they take no lock.
    shown: Arc<AtomicU64>,
    sequence: u64,
    queue: BinaryHeap<Reverse<Scheduled>>,
    pub(super) timers: BTreeMap<u64, Option<Waker>>,
    pub(super) latency: u64,
    pub hosts: Vec<HostState>,
    pub listeners: BTreeMap<(HostId, u16), Backlog>,
    links: BTreeMap<(HostId, HostId), Link>,
    pub(super) connections: Vec<Option<Connection>>,
    pub(super) free: Vec<ConnectionId>,
    pub(super) closed: bool,
    /// What has happened at the present instant.
    at_this_instant: u32,
    /// Why the harness has failed, if it has.
    pub(super) failure: Option<String>,
    pub(super) failure_waker: Option<Waker>,
}

/// So much at one instant is no story but a loop that never waits.
const MOST_AT_ONE_INSTANT: u32 = 2_000_000;

impl State {
    /// A network without hosts, which keeps `shown` at the nanoseconds since the world began.
    pub fn new(latency: Duration, shown: Arc<AtomicU64>) -> Self {
        Self {
            now: 0,
            shown,
            sequence: 0,
            queue: BinaryHeap::new(),
            timers: BTreeMap::new(),
            latency: nanoseconds(latency),
            hosts: Vec::new(),
            listeners: BTreeMap::new(),
            links: BTreeMap::new(),
            connections: Vec::new(),
            free: Vec::new(),
            closed: false,
            at_this_instant: 0,
            failure: None,
            failure_waker: None,
        }
    }

    pub fn set_now(&mut self, now: u64) {
        if now != self.now {
            self.at_this_instant = 0;
        }
        self.now = now;
        self.shown.store(now, Ordering::Release);
    }

    pub fn connection(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        self.connections.get_mut(id)?.as_mut()
    }

    pub(super) fn link_between(&mut self, one: &str, other: &str) -> Option<&mut Link> {
        let find = |name: &str| self.hosts.iter().position(|host| &*host.name == name);
        let (one, other) = (find(one)?, find(other)?);
        Some(
            self.links
                .entry((one.min(other), one.max(other)))
                .or_default(),
        )
    }

    fn schedule(&mut self, at: u64, what: Happening) -> u64 {
        self.sequence += 1;
        let sequence = self.sequence;
        self.queue.push(Reverse(Scheduled { at, sequence, what }));
        sequence
    }

    pub(super) fn schedule_in(&mut self, delay: u64, what: Happening) -> u64 {
        self.schedule(self.now.saturating_add(delay), what)
    }

    /// Sends a parcel from one end of a connection; parcels of one direction stay in order.
    pub fn send(&mut self, id: ConnectionId, from: usize, parcel: Parcel) {
        if self.closed {
            return;
        }
        let (now, latency) = (self.now, self.latency);
        let Some(connection) = self.connection(id) else {
            return;
        };
        connection.under_way += 1;
        let hosts = (connection.ends[CLIENT].host, connection.ends[SERVER].host);
        let end = &mut connection.ends[from];
        let at = now.saturating_add(latency).max(end.last_arrival);
        end.last_arrival = at;
        let link = (hosts.0.min(hosts.1), hosts.0.max(hosts.1));
        if let Some(link) = self.links.get_mut(&link)
            && link.held
        {
            link.kept.push_back((id, parcel));
            return;
        }
        self.schedule(at, Happening::Deliver(id, parcel));
    }

    /// When the next event is due. Drops timers that no task waits for any more.
    pub fn next_at(&mut self) -> Option<u64> {
        while let Some(Reverse(head)) = self.queue.peek() {
            let stale =
                matches!(head.what, Happening::Timer) && !self.timers.contains_key(&head.sequence);
            if !stale {
                return Some(head.at);
            }
            self.queue.pop();
        }
        None
    }

    /// Ends the world with a failure of the harness, and returns the task to wake for it.
    pub fn fail(&mut self, why: String) -> Option<Waker> {
        if self.failure.is_none() {
            self.failure = Some(why);
        }
        self.failure_waker.take()
    }

    /// Runs everything that is due, and returns the tasks to wake.
    pub fn deliver_due(&mut self) -> Vec<Waker> {
        let mut wakers = Vec::new();
        while let Some(Reverse(head)) = self.queue.peek() {
            if head.at > self.now {
                break;
            }
            self.at_this_instant += 1;
            let Some(Reverse(Scheduled { sequence, what, .. })) = self.queue.pop() else {
                break;
            };
            match what {
                Happening::Timer => {
                    if let Some(waker) = self.timers.remove(&sequence) {
                        wakers.extend(waker);
                    }
                }
                Happening::Deliver(id, parcel) => {
                    self.deliver(id, parcel, &mut wakers);
                    self.forget_if_over(id);
                }
            }
        }
        if self.at_this_instant > MOST_AT_ONE_INSTANT {
            let why = format!(
                "time stands still at {:?}: something repeats itself without waiting",
                Duration::from_nanos(self.now)
            );
            wakers.extend(self.fail(why));
        }
        wakers
    }

    fn deliver(&mut self, id: ConnectionId, parcel: Parcel, wakers: &mut Vec<Waker>) {
        let Some(connection) = self.connection(id) else {
            return;
        };
        connection.under_way -= 1;
        match parcel {
            Parcel::Syn => {
                let (host, port) = (connection.ends[SERVER].host, connection.port);
                if !self.hosts[host].up {
                    // A host that is down says nothing at all.
                } else if let Some(backlog) = self.listeners.get_mut(&(host, port)) {
                    backlog.waiting.push_back(id);
                    wakers.extend(backlog.acceptor.take());
                    if let Some(connection) = self.connection(id) {
                        connection.holders += 1;
                    }
                    self.send(id, SERVER, Parcel::Accepted);
                } else {
                    self.send(id, SERVER, Parcel::Reset(CLIENT));
                }
            }
            Parcel::Accepted => {
                connection.handshake = Handshake::Established;
                wakers.extend(connection.ends[CLIENT].reader.take());
            }
            Parcel::Data(to, bytes) => {
                if connection.ends[to].dropped {
                    // The receiving socket is closed: the kernel answers with a reset.
                    self.send(id, to, Parcel::Reset(1 - to));
                } else {
                    let end = &mut connection.ends[to];
                    end.received.push_back(bytes);
                    wakers.extend(end.reader.take());
                }
            }
            Parcel::Fin(to) => {
                let end = &mut connection.ends[to];
                end.finished = true;
                wakers.extend(end.reader.take());
            }
            Parcel::Reset(to) => {
                if connection.handshake == Handshake::Pending {
                    connection.handshake = Handshake::Refused;
                }
                let end = &mut connection.ends[to];
                end.reset = true;
                wakers.extend(end.reader.take());
                wakers.extend(end.writer.take());
            }
        }
    }

    /// The program lets go of its end: what it wrote still arrives, then the peer reads the end.
    pub fn let_go(&mut self, id: ConnectionId, mine: usize, how: Parcel) {
        let Some(connection) = self.connection(id) else {
            return;
        };
        let end = &mut connection.ends[mine];
        let silent =
            end.dropped || end.reset || (end.write_closed && matches!(how, Parcel::Fin(_)));
        end.dropped = true;
        end.write_closed = true;
        end.received.clear();
        connection.holders -= 1;
        if !silent {
            self.send(id, mine, how);
        }
        self.forget_if_over(id);
    }

    /// Closes the listener of this port: pending connections are reset.
    pub fn unlisten(&mut self, host: HostId, port: u16) {
        let Some(backlog) = self.listeners.remove(&(host, port)) else {
            return;
        };
        for id in backlog.waiting {
            self.let_go(id, SERVER, Parcel::Reset(CLIENT));
        }
    }

    /// A connection's slot is reused once no end holds it and no bytes are under way.
    fn forget_if_over(&mut self, id: ConnectionId) {
        let over = self
            .connection(id)
            .is_some_and(|c| c.holders == 0 && c.under_way == 0);
        if over {
            self.connections[id] = None;
            self.free.push(id);
        }
    }
}

pub(super) fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
