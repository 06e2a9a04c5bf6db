//! Services that processes outside reach past the proxy, each at an address of this machine.

use std::{collections::BTreeSet, net::SocketAddr};

use tokio::net::TcpListener;

use super::{head::Place, listen};
use crate::{backend::Backend, world::World};

/// What `serve` says of a service that is reached past the proxy.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Whether no client can use the proxy.
    pub is_only_way: bool,
    /// Where the service is, and by which variable clients find it.
    pub text: String,
}

/// The addresses that lead past the proxy.
pub(super) struct Bypasses {
    /// What listens there, and for which host.
    pub listeners: Vec<(Place, TcpListener)>,
    /// The variables that lead to these addresses.
    pub variables: Vec<(&'static str, String)>,
    /// What to say of each service.
    pub shown: Vec<Shown>,
}

impl Bypasses {
    /// The ports of this machine that lead into the world.
    pub fn ports(&self) -> BTreeSet<u16> {
        let addresses = self.listeners.iter();
        let addresses = addresses.filter_map(|(_, listener)| listener.local_addr().ok());
        addresses.map(|address| address.port()).collect()
    }
}

/// Listens for each host of `world` that clients reach past the proxy.
///
/// # Errors
/// What failed and what to do, in words.
pub(super) async fn open(world: &World, backend: &Backend) -> Result<Bypasses, String> {
    let mut all = Bypasses {
        listeners: Vec::new(),
        variables: Vec::new(),
        shown: Vec::new(),
    };
    for service in world.services() {
        let Some(bypass) = service.bypass() else {
            continue;
        };
        let mut first: Option<SocketAddr> = None;
        for (host, port) in bypass.hosts {
            let (listener, address) = listen(None).await?;
            service.reached_at(backend, &host, address);
            first.get_or_insert(address);
            all.listeners.push((Place { host, port }, listener));
        }
        let Some(at) = first else { continue };
        all.variables.extend((bypass.variables)(at));
        all.shown.push(Shown {
            is_only_way: bypass.is_only_way,
            text: (bypass.describe)(at),
        });
    }
    // Clients of a service without a proxy ask for their tokens past it too (the Redis clients for
    // JavaScript do): without the variables of the others they would ask the IMDS of this machine.
    // Where all clients can use the proxy, no variable changes how they behave.
    if !all.shown.iter().any(|shown| shown.is_only_way) {
        all.variables.clear();
    }
    Ok(all)
}
