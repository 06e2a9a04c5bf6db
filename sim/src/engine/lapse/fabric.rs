//! The in-memory network as hosts, streams and the timeline use it.

use std::{
    future::poll_fn,
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Poll, Waker},
    time::Duration,
};

use tokio::task::AbortHandle;

use crate::limits::Budget;

use super::{
    connection::{CLIENT, Connection, ConnectionId, End, Handshake, HostId, Parcel, SERVER},
    state::{Happening, State, nanoseconds},
};

/// The network of one world. Clones are the same network.
#[derive(Clone)]
pub(super) struct Fabric {
    state: Arc<Mutex<State>>,
    /// Nanoseconds since the world began, as the state shows them.
    now: Arc<AtomicU64>,
    budget: Budget,
}

impl Fabric {
    pub fn new(latency: Duration, budget: Budget) -> Self {
        let now = Arc::<AtomicU64>::default();
        Self {
            state: Arc::new(Mutex::new(State::new(latency, now.clone()))),
            now,
            budget,
        }
    }

    /// What the world may take.
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Ends the world if a limit was reached. Returns whether it was.
    pub fn ends_at_a_limit(&self) -> bool {
        let is_over = self.budget.is_over();
        if is_over {
            // The watchdog knows which.
            self.fail("a limit was reached".to_owned());
        }
        is_over
    }

    /// Drops every waker, after the runtime is gone; returns a failure that nothing has taken.
    pub fn forget_wakers(&self) -> Option<String> {
        let forgotten = {
            let mut state = self.lock();
            (
                std::mem::take(&mut state.timers),
                std::mem::take(&mut state.connections),
                std::mem::take(&mut state.listeners),
                state.failure_waker.take(),
            )
        };
        // Outside the lock: what goes with a waker may use the fabric.
        drop(forgotten);
        self.lock().failure.take()
    }

    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Time since the world began.
    pub fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.now.load(Ordering::Acquire))
    }

    /// The world is over: tasks that are dropped after it must not schedule anything.
    pub fn close(&self) {
        let tasks: Vec<_> = {
            let mut state = self.lock();
            state.closed = true;
            state
                .hosts
                .iter_mut()
                .flat_map(|host| host.tasks.take())
                .collect()
        };
        tasks.iter().for_each(AbortHandle::abort);
    }

    /// Ends the world with a failure of the harness; the first one counts.
    pub fn fail(&self, why: String) {
        let waker = self.lock().fail(why);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Completes when the harness has failed, with the reason.
    pub fn failure(&self) -> impl Future<Output = String> + use<> {
        let fabric = self.clone();
        poll_fn(move |cx| {
            let mut state = fabric.lock();
            match state.failure.take() {
                Some(why) => Poll::Ready(why),
                None => {
                    state.failure_waker = Some(cx.waker().clone());
                    Poll::Pending
                }
            }
        })
    }

    /// Completes after exactly `duration`, in order with everything else that happens.
    pub fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + use<> {
        let mut timer = Timer {
            fabric: self.clone(),
            id: None,
        };
        let length = nanoseconds(duration);
        poll_fn(move |cx| {
            let mut state = timer.fabric.lock();
            let Some(id) = timer.id else {
                let id = state.schedule_in(length, Happening::Timer);
                state.timers.insert(id, Some(cx.waker().clone()));
                drop(state);
                timer.id = Some(id);
                return Poll::Pending;
            };
            match state.timers.get_mut(&id) {
                Some(waker) => {
                    *waker = Some(cx.waker().clone());
                    Poll::Pending
                }
                None => Poll::Ready(()),
            }
        })
    }

    /// Begins to connect; the caller waits for the handshake.
    pub fn open(&self, from: HostId, name: &str, port: u16) -> io::Result<ConnectionId> {
        let mut state = self.lock();
        let Some(to) = state.hosts.iter().position(|host| &*host.name == name) else {
            return Err(io::Error::new(
                io::ErrorKind::NotFound,
                format!("no host is called {name}"),
            ));
        };
        let connection = Connection {
            ends: [End::new(from), End::new(to)],
            handshake: Handshake::Pending,
            port,
            under_way: 0,
            holders: 1,
        };
        let id = match state.free.pop() {
            Some(id) => {
                state.connections[id] = Some(connection);
                id
            }
            None => {
                state.connections.push(Some(connection));
                state.connections.len() - 1
            }
        };
        self.budget
            .connections(state.connections.len() - state.free.len());
        state.send(id, CLIENT, Parcel::Syn);
        Ok(id)
    }

    /// Nothing travels between two hosts until [`release`](Self::release).
    pub fn hold(&self, one: &str, other: &str) {
        let mut state = self.lock();
        if let Some(link) = state.link_between(one, other) {
            link.held = true;
        }
    }

    pub fn release(&self, one: &str, other: &str) {
        let mut state = self.lock();
        let Some(link) = state.link_between(one, other) else {
            return;
        };
        link.held = false;
        for (id, parcel) in std::mem::take(&mut link.kept) {
            let latency = state.latency;
            state.schedule_in(latency, Happening::Deliver(id, parcel));
        }
    }

    /// Stops a host: its tasks end, its listeners vanish, its connections are reset.
    pub fn crash(&self, name: &str) {
        let (tasks, wakers) = {
            let mut state = self.lock();
            let Some(host) = state.hosts.iter().position(|h| &*h.name == name) else {
                return;
            };
            state.hosts[host].up = false;
            let tasks = state.hosts[host].tasks.take();
            let ports: Vec<u16> = state
                .listeners
                .keys()
                .filter(|key| key.0 == host)
                .map(|key| key.1)
                .collect();
            ports
                .into_iter()
                .for_each(|port| state.unlisten(host, port));
            let mut wakers = Vec::new();
            for id in 0..state.connections.len() {
                let Some(connection) = &mut state.connections[id] else {
                    continue;
                };
                for mine in [CLIENT, SERVER] {
                    let end = &mut connection.ends[mine];
                    if end.host != host || end.dropped || end.reset {
                        continue;
                    }
                    end.reset = true;
                    wakers.extend(end.reader.take());
                    wakers.extend(end.writer.take());
                    state.send(id, mine, Parcel::Reset(1 - mine));
                    break;
                }
            }
            (tasks, wakers)
        };
        tasks.iter().for_each(AbortHandle::abort);
        wakers.into_iter().for_each(Waker::wake);
    }
}

/// A pending timer; dropping it cancels it.
struct Timer {
    fabric: Fabric,
    id: Option<u64>,
}

impl Drop for Timer {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            self.fabric.lock().timers.remove(&id);
        }
    }
}
