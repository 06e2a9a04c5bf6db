//! Services that processes outside reach past the proxy, each at an address of this machine.

use std::{collections::BTreeSet, net::SocketAddr};

use tokio::net::TcpListener;

use super::{head::Place, listen, own_port::OwnPort};
use crate::{
    backend::Backend,
    world::{Service, World},
};

/// How clients of a served world find IMDS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ImdsBy {
    /// At its address, through the proxy
    #[default]
    Proxy,
    /// By AZURE_POD_IDENTITY_AUTHORITY_HOST, at a port of its own that is closed or full when the
    /// world says so; SDKs send no probe then
    Variable,
}

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
    /// IMDS's own port, if clients are led to it by its variable.
    pub imds: Option<(Place, OwnPort)>,
    /// The variables that lead to these addresses.
    pub variables: Vec<(&'static str, String)>,
    /// The same of services that are reached through the proxy as well: a client has to be told of
    /// them only if it ignores the proxy.
    pub alternatives: Vec<(&'static str, String)>,
    /// What to say of each service.
    pub shown: Vec<Shown>,
}

impl Bypasses {
    /// The ports of this machine that lead into the world.
    pub fn ports(&self) -> BTreeSet<u16> {
        let addresses = self.listeners.iter();
        let addresses = addresses.filter_map(|(_, listener)| listener.local_addr().ok());
        let imds = self.imds.iter().map(|(_, port)| port.address);
        addresses
            .chain(imds)
            .map(|address| address.port())
            .collect()
    }
}

/// Listens for each host of `world` that clients reach past the proxy.
///
/// # Errors
/// What failed and what to do, in words.
pub(super) async fn open(
    world: &World,
    backend: &Backend,
    imds: ImdsBy,
) -> Result<Bypasses, String> {
    let mut all = Bypasses {
        listeners: Vec::new(),
        imds: None,
        variables: Vec::new(),
        alternatives: Vec::new(),
        shown: Vec::new(),
    };
    for service in world.services() {
        let Some(bypass) = service.bypass() else {
            continue;
        };
        let mut first: Option<SocketAddr> = None;
        let by_variable = imds == ImdsBy::Variable && service.key() == Service::Imds.name();
        for (host, port) in bypass.hosts {
            if by_variable {
                let own = OwnPort::new()
                    .map_err(|error| format!("there is no port for {host}: {error}"))?;
                first.get_or_insert(own.address);
                all.imds = Some((Place { host, port }, own));
                continue;
            }
            let (listener, address) = listen(None).await?;
            service.reached_at(backend, &host, address);
            first.get_or_insert(address);
            all.listeners.push((Place { host, port }, listener));
        }
        let Some(at) = first else { continue };
        let variables = (bypass.variables)(at);
        let text = if by_variable {
            let names: Vec<&str> = variables.iter().map(|(name, _)| *name).collect();
            format!(
                "{} leads to a port of IMDS's own at {at}, and SDKs send no probe; attempts at it while \
                 it is closed cannot be seen",
                names.join(", ")
            )
        } else {
            (bypass.describe)(at)
        };
        all.variables.extend(variables);
        all.shown.push(Shown {
            is_only_way: bypass.is_only_way || by_variable,
            text,
        });
    }
    // Clients of a service without a proxy ask for their tokens past it too (the Redis clients for
    // JavaScript do): without the variables of the others they would ask the IMDS of this machine.
    // Where all clients can use the proxy, no variable changes how they behave.
    if !all.shown.iter().any(|shown| shown.is_only_way) {
        all.alternatives = std::mem::take(&mut all.variables);
    }
    Ok(all)
}
