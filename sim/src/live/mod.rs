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
mod folder;
mod forward;
mod handshake;
mod head;
mod machine;
mod own_port;
mod proxy;
mod relay;
mod stale;

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize},
    },
};

use jiff::tz::TimeZone;
use tokio::{net::TcpListener, sync::Notify};

pub use bypass::{ImdsBy, Shown as Bypass};
#[doc(hidden)]
pub use chunked::survives as chunked_survives;
pub use environment::Environment;
#[doc(hidden)]
pub use head::survives as head_survives;
pub use machine::{IMDS as MACHINE_IMDS, has_own_imds};
pub(crate) use own_port::Reached;

use crate::{
    backend::Backend,
    command::Program,
    engine::{self, Host, Work},
    host::FilesOutside,
    trace::Recorder,
};
use certificates::Certificates;
use folder::{Copies, RunFolder, cannot_be_filled, listen_on_socket};

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
    /// The commands that are there, or come within the run.
    pub commands: BTreeSet<Program>,
    /// Its time zone.
    pub zone: TimeZone,
    /// The proxy's port; any free one if there is none.
    pub port: Option<u16>,
    /// How clients find IMDS.
    pub imds: ImdsBy,
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
    /// The commands of this machine that the world does not have: links that are not found stand
    /// before them in the PATH.
    pub covered: Vec<PathBuf>,
    /// IMDS's own port, until it is served.
    imds: Option<(head::Place, own_port::OwnPort)>,
    proxying: Arc<proxy::Proxy>,
    folder: RunFolder,
    work: Vec<Work>,
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
        let bypass = bypass::open(plan.world, plan.backend, plan.imds).await?;
        let environment = Environment::new(&environment::Ways {
            bypass: &bypass.variables,
            alternatives: &bypass.alternatives,
            proxy: format!("http://{proxy}"),
            certificate: &folder.certificate,
            commands: &folder.commands,
            socket: &socket,
            home: &folder.home,
            time_zone: plan.world.host.time_zone.as_deref(),
            scenario: &variables(plan.world, &folder.files),
            user: plan.variables,
            seed: plan.seed,
        });
        let covered = install_commands(&folder, &environment, &plan.commands)?;
        let proxying = Arc::new(proxy::Proxy {
            host: plan.host.clone(),
            serves,
            certificates,
            beside: bypass.ports(),
            recorder: plan.recorder.clone(),
            trust_help: trust_help(&folder.certificate),
            open: AtomicUsize::new(0),
            spoke: AtomicBool::new(false),
            is_short: AtomicBool::new(false),
            ending: Notify::new(),
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
            covered,
            imds: bypass.imds,
            proxying,
            folder,
            work,
        })
    }

    /// From now on IMDS's own port, if it has one, behaves as `reached` says. Completes when it
    /// does.
    pub(crate) async fn follow(&mut self, reached: Reached) {
        if let Some((place, port)) = self.imds.take() {
            let serve = port.serve(self.proxying.clone(), place, reached);
            let work = self.proxying.host.runtime.spawn(Box::pin(serve));
            self.work.push(work);
            // It begins when it is polled for the first time.
            engine::live::breathe().await;
        }
    }

    /// Where processes outside find the files of the host.
    pub(crate) fn files(&self) -> Box<dyn FilesOutside> {
        Box::new(Copies(self.folder.files.clone()))
    }

    /// Completes when what clients left behind that are gone is in the trace, or soon after.
    pub(crate) async fn settle(&self) {
        self.proxying.settle().await;
    }
}

/// The variables of the host; those that hold the path of a file lead to its copy.
fn variables(world: &crate::world::World, files: &Path) -> BTreeMap<String, String> {
    let mut variables = world.host_environment();
    for value in variables.values_mut() {
        if world.files.contains_key(value) {
            *value = folder::copy_of(files, value).display().to_string();
        }
    }
    variables
}

/// Puts links into the run's folder: for each command that the world has, and for each that it does
/// not have and this machine has, so that the real one is never run. Returns the real ones. One
/// that neither has is left out: clients that look for the file find none.
///
/// # Errors
/// They cannot be put there.
fn install_commands(
    folder: &RunFolder,
    environment: &Environment,
    has: &BTreeSet<Program>,
) -> Result<Vec<PathBuf>, String> {
    let mut covered = Vec::new();
    let mut links = has.clone();
    for program in Program::ALL.iter().filter(|program| !has.contains(program)) {
        if let Some(real) = environment.beyond(&folder.commands, program.name()) {
            links.insert(*program);
            covered.push(real);
        }
    }
    let executable = command_links::executable().map_err(cannot_be_filled)?;
    command_links::install(&executable, &folder.commands, links).map_err(cannot_be_filled)?;
    Ok(covered)
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

/// What a client that does not trust the authority has to be told.
fn trust_help(certificate: &Path) -> String {
    let path = certificate.display();
    format!(
        "it has to be told of {path}: NODE_EXTRA_CA_CERTS for Node.js, REQUESTS_CA_BUNDLE for \
         Python, SSL_CERT_FILE for Go, Rust and OpenSSL"
    )
}
