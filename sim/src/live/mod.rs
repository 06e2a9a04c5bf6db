//! How processes outside get into a live world: a proxy for its hosts, executables for its
//! commands, and an environment that leads to both and to nothing else.
//!
//! All of it is on loopback and in a folder that only this user can read, and is gone with the
//! world.

mod certificates;
mod client;
pub mod command_links;
mod environment;
mod handshake;
mod head;
mod machine;
mod proxy;
mod relay;

use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    sync::{Arc, atomic::AtomicUsize},
};

use jiff::tz::TimeZone;
use tempfile::TempDir;
use tokio::net::{TcpListener, UnixListener};

pub use environment::Environment;

use crate::{
    backend::Backend,
    engine::{self, Host, Work},
    service::{imds::IMDS_HOST, redis::REDIS_PORT},
    trace::Recorder,
};
use certificates::Certificates;

/// What a door is made of.
pub(crate) struct Plan<'a> {
    /// The host that outside processes are on, as far as the world is concerned.
    pub host: &'a Host,
    /// The services.
    pub backend: &'a Backend,
    /// Where refusals are recorded.
    pub recorder: &'a Recorder,
    /// The world.
    pub world: &'a crate::world::World,
    /// Its time zone.
    pub zone: TimeZone,
    /// The proxy's port; any free one if there is none.
    pub port: Option<u16>,
    /// Variables that the user sets.
    pub variables: &'a [(String, String)],
    /// The run's seed, for clients that let their random numbers follow from it.
    pub seed: u64,
}

/// An open door. Dropping it closes it and removes its folder.
pub struct Door {
    /// The environment of processes outside.
    pub environment: Environment,
    /// Where the proxy listens.
    pub proxy: SocketAddr,
    /// Where IMDS can be reached without the proxy, for clients that ignore it.
    pub imds: Option<SocketAddr>,
    /// Where Redis can be reached, or the first node of its cluster.
    pub redis: Option<SocketAddr>,
    proxying: Arc<proxy::Proxy>,
    _folder: TempDir,
    _work: Vec<Work>,
}

impl Door {
    /// Opens a door.
    ///
    /// # Errors
    /// What failed and what to do, in words.
    pub(crate) async fn open(plan: Plan<'_>) -> Result<Self, String> {
        machine::without_arc(Path::new(machine::ARC_AGENT))?;
        let folder = tempfile::Builder::new()
            .prefix("credsim-")
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir()
            .map_err(|error| format!("no folder for the run: {error}"))?;
        let within = |name: &str| folder.path().join(name);
        let serves: BTreeMap<String, u16> = plan.backend.ports();
        let with_tls: Vec<String> = serves
            .iter()
            .filter(|(_, port)| **port == 443)
            .map(|(host, _)| host.clone())
            .collect();
        let certificates = Certificates::new(&with_tls)?;
        let certificate = within("ca.pem");
        let home = within("home");
        let commands = within("bin");
        let socket = within("world.sock");
        let writes = |error: std::io::Error| format!("the run's folder cannot be filled: {error}");
        fs::write(&certificate, &certificates.authority).map_err(writes)?;
        fs::create_dir_all(home.join(".azure")).map_err(writes)?;
        let executable = command_links::executable().map_err(writes)?;
        command_links::install(&executable, &commands).map_err(writes)?;
        let shims = UnixListener::bind(&socket).map_err(|error| no_socket(&socket, &error))?;
        fs::set_permissions(&socket, fs::Permissions::from_mode(0o600)).map_err(writes)?;
        let (listener, proxy) = listen(plan.port).await?;
        let nodes = redis_nodes(plan.backend).await?;
        let redis = nodes.first().map(|(_, _, address)| *address);
        let metadata = match plan.world.imds {
            Some(_) => Some(listen(None).await?),
            None => None,
        };
        let imds = metadata.as_ref().map(|(_, address)| *address);
        let environment = Environment::new(&environment::Ways {
            redis,
            imds,
            proxy: format!("http://{proxy}"),
            certificate: &certificate,
            commands: &commands,
            socket: &socket,
            home: &home,
            time_zone: plan.world.host.time_zone.as_deref(),
            scenario: &plan.world.host_environment(),
            user: plan.variables,
            seed: plan.seed,
        });
        let proxying = Arc::new(proxy::Proxy {
            host: plan.host.clone(),
            serves,
            certificates,
            recorder: plan.recorder.clone(),
            trust_help: trust_help(&certificate),
            open: AtomicUsize::new(0),
        });
        let place = Arc::new(command_links::Place {
            backend: plan.backend.clone(),
            host: plan.host.clone(),
            zone: plan.zone,
        });
        let spawn = |work| plan.host.runtime.spawn(work);
        let mut work = vec![
            spawn(Box::pin(proxying.clone().serve(listener))),
            spawn(Box::pin(command_links::serve(place, shims))),
        ];
        if let Some((listener, _)) = metadata {
            let place = head::Place {
                host: IMDS_HOST.to_owned(),
                port: 80,
            };
            work.push(spawn(Box::pin(proxying.clone().serve_as(listener, place))));
        }
        for (host, listener, _) in nodes {
            let place = head::Place {
                host,
                port: REDIS_PORT,
            };
            work.push(spawn(Box::pin(proxying.clone().serve_as(listener, place))));
        }
        Ok(Self {
            environment,
            proxy,
            imds,
            redis,
            proxying,
            _folder: folder,
            _work: work,
        })
    }

    /// Completes when what clients left behind that are gone is in the trace, or soon after.
    pub(crate) async fn settle(&self) {
        self.proxying.settle().await;
    }
}

/// A port of this machine for each node of Redis, which its clients speak to as it is: no proxy
/// leads there. The nodes of a cluster name these addresses to their clients.
async fn redis_nodes(backend: &Backend) -> Result<Vec<(String, TcpListener, SocketAddr)>, String> {
    let mut nodes = Vec::new();
    for host in backend.redis_hosts() {
        let (listener, address) = listen(None).await?;
        backend.announce_redis(&host, &address.ip().to_string(), address.port());
        nodes.push((host, listener, address));
    }
    Ok(nodes)
}

async fn listen(port: Option<u16>) -> Result<(TcpListener, SocketAddr), String> {
    let port = port.unwrap_or(0);
    let listener = engine::live::listen(port).await.map_err(|error| {
        if error.kind() == std::io::ErrorKind::AddrInUse {
            format!(
                "port {port} of 127.0.0.1 is in use; choose another one, or leave --port out and \
                 any free one is taken"
            )
        } else {
            format!("the proxy cannot listen on port {port} of 127.0.0.1: {error}")
        }
    })?;
    let bound = listener
        .local_addr()
        .map_err(|error| format!("the proxy does not know its port: {error}"))?;
    Ok((listener, bound))
}

/// Why there is no socket; the path of one may be about a hundred bytes long.
fn no_socket(path: &Path, error: &std::io::Error) -> String {
    let path = path.display();
    if error.kind() == std::io::ErrorKind::InvalidInput {
        format!("{path} is too long for the path of a socket; set TMPDIR to a shorter one")
    } else {
        format!("{path} cannot be a socket: {error}")
    }
}

/// What a client that does not trust the authority has to be told.
fn trust_help(certificate: &Path) -> String {
    let path = certificate.display();
    format!(
        "it has to be told of {path}: NODE_EXTRA_CA_CERTS for Node.js, REQUESTS_CA_BUNDLE for \
         Python, SSL_CERT_FILE for Go, Rust and OpenSSL"
    )
}
