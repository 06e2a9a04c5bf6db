//! How processes outside get into a live world: a proxy for its hosts, executables for its
//! commands, and an environment that leads to both and to nothing else.
//!
//! All of it is on loopback and in a folder that only this user can read, and is gone with the
//! world.

mod bypass;
mod certificates;
mod chunked;
mod client;
pub mod command_links;
mod environment;
mod forward;
mod handshake;
mod head;
mod machine;
mod proxy;
mod relay;

use std::{
    collections::BTreeMap,
    fs, io,
    net::SocketAddr,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicUsize},
};

use jiff::tz::TimeZone;
use tempfile::TempDir;
use tokio::net::{TcpListener, UnixListener};

pub use bypass::Shown as Bypass;
pub use environment::Environment;

use crate::{
    backend::Backend,
    engine::{self, Host, Work},
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
    /// The services that clients reach past the proxy.
    pub bypasses: Vec<Bypass>,
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
        let serves: BTreeMap<String, u16> = plan.backend.ports();
        let with_tls: Vec<String> = serves
            .iter()
            .filter(|(_, port)| **port == 443)
            .map(|(host, _)| host.clone())
            .collect();
        let certificates = Certificates::new(&with_tls)?;
        let folder = RunFolder::new(&certificates.authority)?;
        let socket = folder.within("world.sock");
        let shims = listen_on_socket(&socket)?;
        let (listener, proxy) = listen(plan.port).await?;
        let bypass = bypass::open(plan.world, plan.backend).await?;
        let environment = Environment::new(&environment::Ways {
            bypass: &bypass.variables,
            proxy: format!("http://{proxy}"),
            certificate: &folder.certificate,
            commands: &folder.commands,
            socket: &socket,
            home: &folder.home,
            time_zone: plan.world.host.time_zone.as_deref(),
            scenario: &plan.world.host_environment(),
            user: plan.variables,
            seed: plan.seed,
        });
        let proxying = Arc::new(proxy::Proxy {
            host: plan.host.clone(),
            serves,
            certificates,
            beside: bypass.ports(),
            recorder: plan.recorder.clone(),
            trust_help: trust_help(&folder.certificate),
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
        for (place, listener) in bypass.listeners {
            work.push(spawn(Box::pin(proxying.clone().serve_as(listener, place))));
        }
        Ok(Self {
            environment,
            proxy,
            bypasses: bypass.shown,
            proxying,
            _folder: folder.root,
            _work: work,
        })
    }

    /// Completes when what clients left behind that are gone is in the trace, or soon after.
    pub(crate) async fn settle(&self) {
        self.proxying.settle().await;
    }
}

/// The folder of a run, which only this user can read.
struct RunFolder {
    root: TempDir,
    /// The certificate of the run's authority.
    certificate: PathBuf,
    /// The home of processes outside: empty.
    home: PathBuf,
    /// The simulated commands.
    commands: PathBuf,
}

impl RunFolder {
    /// Makes it, with `authority` as the run's certificate.
    #[expect(clippy::disallowed_methods, reason = "files of this machine")]
    fn new(authority: &str) -> Result<Self, String> {
        let root = tempfile::Builder::new()
            .prefix("credsim-")
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir()
            .map_err(|error| format!("no folder for the run: {error}"))?;
        let within = |name: &str| root.path().join(name);
        let (certificate, home, commands) = (within("ca.pem"), within("home"), within("bin"));
        fs::write(&certificate, authority).map_err(cannot_be_filled)?;
        fs::create_dir_all(home.join(".azure")).map_err(cannot_be_filled)?;
        let executable = command_links::executable().map_err(cannot_be_filled)?;
        command_links::install(&executable, &commands).map_err(cannot_be_filled)?;
        Ok(Self {
            root,
            certificate,
            home,
            commands,
        })
    }

    fn within(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }
}

fn cannot_be_filled(error: io::Error) -> String {
    format!("the run's folder cannot be filled: {error}")
}

/// Listens on a socket that only this user can use.
fn listen_on_socket(path: &Path) -> Result<UnixListener, String> {
    let shims = UnixListener::bind(path).map_err(|error| no_socket(path, &error))?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(cannot_be_filled)?;
    Ok(shims)
}

async fn listen(port: Option<u16>) -> Result<(TcpListener, SocketAddr), String> {
    let port = port.unwrap_or(0);
    let listener = engine::live::listen(port).await.map_err(|error| {
        if error.kind() == io::ErrorKind::AddrInUse {
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
fn no_socket(path: &Path, error: &io::Error) -> String {
    let path = path.display();
    if error.kind() == io::ErrorKind::InvalidInput {
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
