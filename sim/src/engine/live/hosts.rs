//! The hosts of a live world: their listeners, their tasks, and which are behind a closed gate.

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use tokio::{sync::Notify, task::AbortHandle};

use super::{
    gate::Gate,
    socket::{self, Crashes, LiveListener, dial, listen},
};
use crate::engine::{
    BoxFuture, Control, Host, HostMain, Listener, Network, Runtime, Stream, Work,
    task::{self, Tasks},
};

/// All hosts of a world. Clones are the same world.
#[derive(Clone)]
pub(super) struct Hosts(Arc<Shared>);

struct Shared {
    /// The driving host, from which all connections come.
    driver: Arc<str>,
    state: Mutex<State>,
    /// Rings at the first failure.
    alarm: Notify,
    /// Rings at a signal.
    bell: Notify,
}

struct State {
    began: Instant,
    hosts: BTreeMap<String, HostState>,
    /// The first panic in the code of a host.
    failure: Option<String>,
    /// The signal that ends the process.
    signal: Option<u8>,
}

#[derive(Default)]
struct HostState {
    main: Option<HostMain>,
    /// Closed while the link to it is held.
    gate: Gate,
    /// Closed while it is down: a host that is down says nothing at all.
    up: Gate,
    /// How often it went down: the connections of before then are reset.
    crashes: Crashes,
    /// The loopback port behind each port that it has ever listened on, so that a restarted host
    /// is found where it was.
    ports: BTreeMap<u16, u16>,
    tasks: Tasks,
}

#[expect(
    clippy::disallowed_methods,
    reason = "the engine is what time is made of"
)]
fn instant() -> Instant {
    Instant::now()
}

impl Hosts {
    pub fn new(driver: &str) -> Self {
        let state = State {
            began: instant(),
            hosts: BTreeMap::from([(driver.to_owned(), HostState::default())]),
            failure: None,
            signal: None,
        };
        Self(Arc::new(Shared {
            driver: driver.into(),
            state: Mutex::new(state),
            alarm: Notify::new(),
            bell: Notify::new(),
        }))
    }

    /// Adds a host and starts its code.
    pub fn start(&self, name: &str, main: HostMain) {
        let host = HostState {
            main: Some(main),
            ..HostState::default()
        };
        self.state().hosts.insert(name.to_owned(), host);
        self.boot(name);
    }

    fn boot(&self, name: &str) {
        let main = self
            .state()
            .hosts
            .get(name)
            .and_then(|host| host.main.clone());
        let Some(main) = main else { return };
        if let Some(host) = self.state().hosts.get(name) {
            host.up.open();
        }
        let place = Arc::new(Place::new(self, name));
        let host = Host {
            name: name.into(),
            network: place.clone(),
            runtime: place.clone(),
        };
        place.spawn(main(host)).detach();
    }

    /// Ends all that runs on a host; its connections are reset, and new ones are refused.
    fn stop(&self, name: &str) {
        let mut state = self.state();
        if let Some(host) = state.hosts.get_mut(name) {
            host.up.close();
            host.crashes.add();
            host.tasks.take().iter().for_each(AbortHandle::abort);
        }
    }

    pub fn stop_all(&self) {
        for host in self.state().hosts.values_mut() {
            host.tasks.take().iter().for_each(AbortHandle::abort);
        }
    }

    fn gate(&self, name: &str) -> Option<Gate> {
        self.state().hosts.get(name).map(|host| host.gate.clone())
    }

    /// Completes when packets get to a host; none if there is no such host.
    async fn pass(&self, name: &str) -> Option<Gate> {
        let (gate, up) = {
            let state = self.state();
            let host = state.hosts.get(name)?;
            (host.gate.clone(), host.up.clone())
        };
        loop {
            up.pass().await;
            gate.pass().await;
            if up.is_open() {
                return Some(gate);
            }
        }
    }

    pub fn fail(&self, why: String) {
        self.state().failure.get_or_insert(why);
        self.0.alarm.notify_one();
    }

    pub fn failure(&self) -> Option<String> {
        self.state().failure.clone()
    }

    pub fn interrupt(&self, number: u8) {
        self.state().signal = Some(number);
        self.0.bell.notify_waiters();
    }

    /// Completes with the signal that ends the process.
    async fn interrupted(self) -> u8 {
        loop {
            // Before the look, so that none is missed between the two.
            let rings = self.0.bell.notified();
            if let Some(number) = self.state().signal {
                return number;
            }
            rings.await;
        }
    }

    /// Completes with the first failure.
    pub async fn failed(&self) -> String {
        loop {
            if let Some(why) = self.failure() {
                return why;
            }
            self.0.alarm.notified().await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One host's place on this machine.
pub(super) struct Place {
    hosts: Hosts,
    name: String,
}

impl Place {
    pub fn new(hosts: &Hosts, name: &str) -> Self {
        Self {
            hosts: hosts.clone(),
            name: name.to_owned(),
        }
    }
}

impl Network for Place {
    fn connect(&self, host: &str, port: u16) -> BoxFuture<'static, io::Result<Stream>> {
        let (hosts, host) = (self.hosts.clone(), host.to_owned());
        Box::pin(async move {
            let gate = hosts.pass(&host).await.ok_or_else(|| {
                io::Error::new(io::ErrorKind::NotFound, format!("no host is called {host}"))
            })?;
            let to = hosts
                .state()
                .hosts
                .get(&host)
                .and_then(|host| host.ports.get(&port).copied())
                .ok_or_else(|| {
                    let text = format!("nothing listens on port {port} of {host}");
                    io::Error::new(io::ErrorKind::ConnectionRefused, text)
                })?;
            let tcp = dial(to).await?;
            Ok(Box::new(socket::to(tcp, gate)?) as Stream)
        })
    }

    fn bind(&self, port: u16) -> BoxFuture<'static, io::Result<Box<dyn Listener>>> {
        let (hosts, name) = (self.hosts.clone(), self.name.clone());
        Box::pin(async move {
            let before = hosts
                .state()
                .hosts
                .get(&name)
                .and_then(|host| host.ports.get(&port).copied());
            let tcp = listen(before.unwrap_or(0)).await?;
            let bound = tcp.local_addr()?.port();
            let crashes = match hosts.state().hosts.get_mut(&name) {
                Some(host) => {
                    host.ports.insert(port, bound);
                    host.crashes.clone()
                }
                None => Crashes::default(),
            };
            let listener = LiveListener {
                tcp,
                peer: hosts.0.driver.clone(),
                crashes,
            };
            Ok(Box::new(listener) as Box<dyn Listener>)
        })
    }

    fn is_held(&self, host: &str) -> bool {
        let state = self.hosts.state();
        let host = state.hosts.get(host);
        host.is_some_and(|host| !host.gate.is_open() || !host.up.is_open())
    }
}

impl Runtime for Place {
    fn elapsed(&self) -> Duration {
        instant().saturating_duration_since(self.hosts.state().began)
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        task::sleep(duration)
    }

    fn spawn(&self, work: BoxFuture<'static, ()>) -> Work {
        let hosts = self.hosts.clone();
        let task = task::spawn(work, move |why| hosts.fail(why));
        if let Some(host) = self.hosts.state().hosts.get_mut(&self.name) {
            host.tasks.add(task.clone());
        }
        Work::new(task)
    }
}

/// The timeline's hand on a live world.
pub(super) struct LiveControl(Hosts);

impl LiveControl {
    pub fn new(hosts: &Hosts) -> Self {
        Self(hosts.clone())
    }

    /// The gate between two hosts: the one in front of that which serves.
    fn gate(&self, one: &str, other: &str) -> Option<Gate> {
        let name = if *one == *self.0.0.driver { other } else { one };
        self.0.gate(name)
    }
}

impl Control for LiveControl {
    fn begin(&self) -> Option<Timestamp> {
        self.0.state().began = instant();
        #[expect(clippy::disallowed_methods, reason = "real time is real")]
        Some(Timestamp::now())
    }

    fn interrupted(&self) -> BoxFuture<'static, u8> {
        Box::pin(self.0.clone().interrupted())
    }

    fn hold(&self, one: &str, other: &str) {
        if let Some(gate) = self.gate(one, other) {
            gate.close();
        }
    }

    fn release(&self, one: &str, other: &str) {
        if let Some(gate) = self.gate(one, other) {
            gate.open();
        }
    }

    fn crash(&self, host: &str) {
        self.0.stop(host);
    }

    fn restart(&self, host: &str) {
        self.0.boot(host);
    }
}
