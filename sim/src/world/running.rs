//! How a world begins: each service and command installs its part, and the services give their
//! servers.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::registry::{Service, World};
use crate::{
    backend::{Backend, Beginning},
    engine::{HostMain, Server},
    trace::Recorder,
};

/// The world as its scenario states it. Private, so that other rooms read the parts, which the
/// timeline changes.
#[derive(Clone)]
struct AtStart(Arc<World>);

impl Backend {
    /// The services and commands of `world`, before anything happened.
    pub fn new(world: &World, seed: u64, recorder: Recorder) -> Self {
        let backend = Self::begin_with(
            Beginning {
                start: world.start.0,
                stated: world.host_environment().into_values().collect(),
            },
            seed,
            recorder,
        );
        for service in world.services() {
            service.install(&backend);
        }
        for command in world.commands() {
            command.install(&backend);
        }
        let mut state = backend.state();
        state.parts.insert(world.accounts.clone());
        state.parts.insert(AtStart(Arc::new(world.clone())));
        drop(state);
        backend
    }

    /// The servers to play, by host name. Entra and the resources speak plain HTTP on port 443:
    /// the engines carry no TLS.
    pub fn hosts(&self) -> Vec<(String, HostMain)> {
        let servers = self.servers().into_iter();
        servers.map(|server| (server.host, server.main)).collect()
    }

    /// The hosts and the port on which each serves: 443 where the real one speaks TLS, but for
    /// Redis.
    pub fn ports(&self) -> BTreeMap<String, u16> {
        let servers = self.servers().into_iter();
        servers.map(|server| (server.host, server.port)).collect()
    }

    fn servers(&self) -> Vec<Server> {
        let world = self.at_start();
        let services = world.iter().flat_map(|world| world.services());
        services.flat_map(|service| service.servers(self)).collect()
    }

    /// The hosts of a service; none if this world lacks it.
    pub(crate) fn hosts_of(&self, service: Service) -> Vec<String> {
        let world = self.at_start();
        let service = world.as_ref().and_then(|world| service.of(world));
        let hosts = service.into_iter().flat_map(|service| service.hosts());
        hosts.map(|(host, _)| host).collect()
    }

    /// Ends the requests and connections that `service` has under way, because its hosts go down
    /// at `at`, and records that. Call it before they do.
    pub(crate) fn crash(&self, service: Service, at: Duration) {
        let why = "the service's host went down";
        self.journal().abandon(at, service.name(), why);
        let world = self.at_start();
        if let Some(service) = world.as_ref().and_then(|world| service.of(world)) {
            service.crash(self, at);
        }
    }

    fn at_start(&self) -> Option<Arc<World>> {
        let state = self.state();
        state.parts.get::<AtStart>().map(|world| world.0.clone())
    }
}
