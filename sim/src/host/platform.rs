//! The platform of a simulated host.

use std::{io, path::Path, sync::Arc};

use credsim_identity::{
    Observer, Platform,
    platform::{Files, Parts},
};

use super::{
    http::SimHttp,
    instance::{Instance, Leftovers},
    state::HostState,
};

/// Lends a host to one credential instance.
pub struct Lender;

impl Lender {
    /// The platform of `instance`, and the account of what it has under way.
    pub fn lend(
        state: &Arc<HostState>,
        number: u32,
    ) -> (Platform, Arc<dyn Observer>, Arc<Leftovers>) {
        let leftovers = Arc::new(Leftovers::default());
        let instance = Instance {
            state: state.clone(),
            number,
            leftovers: leftovers.clone(),
        };
        let shared = Arc::new(instance.clone());
        let platform = Platform::new(Parts {
            clock: shared.clone(),
            http: Arc::new(SimHttp { instance }),
            commands: shared.clone(),
            environment: shared.clone(),
            files: Arc::new(NoFiles),
            random: shared.clone(),
            spawner: shared.clone(),
            streams: shared.clone(),
        });
        (platform, shared, leftovers)
    }
}

/// A simulated host has no files yet: no scenario needs one.
struct NoFiles;

impl Files for NoFiles {
    fn exists(&self, _: &Path) -> bool {
        false
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        Err(io::Error::new(
            io::ErrorKind::NotFound,
            format!("no file {}", path.display()),
        ))
    }
}
