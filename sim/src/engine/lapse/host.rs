//! Hosts of the fabric: what the engine lends to the code that runs on them.

use std::{io, sync::Arc, time::Duration};

use super::{
    connection::HostId,
    fabric::Fabric,
    outside,
    state::HostState,
    stream::{LapseListener, LapseStream},
};
use crate::engine::{
    BoxFuture, Control, Host, HostMain, Listener, Network, Runtime, Stream, Work,
    task::{self, Tasks},
};

/// Adds a host and starts its code.
pub(super) fn start(fabric: &Fabric, name: &str, main: Option<HostMain>) -> Host {
    let id = {
        let mut state = fabric.lock();
        let host = HostState {
            name: name.into(),
            up: true,
            main,
            tasks: Tasks::default(),
        };
        state.hosts.push(host);
        state.hosts.len() - 1
    };
    boot(fabric, id)
}

/// Runs the code of a host from its beginning.
fn boot(fabric: &Fabric, id: HostId) -> Host {
    let place = Arc::new(Place {
        fabric: fabric.clone(),
        id,
    });
    let (name, main) = {
        let state = fabric.lock();
        (state.hosts[id].name.clone(), state.hosts[id].main.clone())
    };
    let host = Host {
        name,
        network: place.clone(),
        runtime: place.clone(),
    };
    if let Some(main) = main {
        place.spawn(main(host.clone())).detach();
    }
    host
}

/// One host's place in the fabric.
struct Place {
    fabric: Fabric,
    id: HostId,
}

impl Network for Place {
    fn connect(&self, host: &str, port: u16) -> BoxFuture<'static, io::Result<Stream>> {
        let (fabric, id, host) = (self.fabric.clone(), self.id, host.to_owned());
        Box::pin(async move {
            let stream = LapseStream::connect(fabric, id, &host, port).await?;
            Ok(Box::new(stream) as Stream)
        })
    }

    fn bind(&self, port: u16) -> BoxFuture<'static, io::Result<Box<dyn Listener>>> {
        let bound = LapseListener::bind(self.fabric.clone(), self.id, port);
        Box::pin(async move { Ok(Box::new(bound?) as Box<dyn Listener>) })
    }
}

impl Runtime for Place {
    fn elapsed(&self) -> Duration {
        self.fabric.elapsed()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(self.fabric.sleep(duration))
    }

    fn spawn(&self, work: BoxFuture<'static, ()>) -> Work {
        let fabric = self.fabric.clone();
        let task = task::spawn(outside::watched(&fabric, work), move |why| fabric.fail(why));
        let mut state = self.fabric.lock();
        state.hosts[self.id].tasks.add(task.clone());
        Work::new(task)
    }
}

/// The timeline's hand on the fabric.
pub(super) struct LapseControl(Fabric);

impl LapseControl {
    pub fn new(fabric: Fabric) -> Self {
        Self(fabric)
    }
}

impl Control for LapseControl {
    fn hold(&self, one: &str, other: &str) {
        self.0.hold(one, other);
    }

    fn release(&self, one: &str, other: &str) {
        self.0.release(one, other);
    }

    fn crash(&self, host: &str) {
        self.0.crash(host);
    }

    fn restart(&self, host: &str) {
        let id = {
            let mut state = self.0.lock();
            let Some(id) = state.hosts.iter().position(|h| &*h.name == host) else {
                return;
            };
            state.hosts[id].up = true;
            id
        };
        boot(&self.0, id);
    }
}
