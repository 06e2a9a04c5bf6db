//! The parameters of the connections to clusters.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::options::ConnectionOptions;
use crate::redis::EntraIdCredentialsProvider;

/// The parameters of the connections to one cluster. The `redis` crate makes connections by a
/// static function that gets only host, port and user name, so the user name identifies the
/// cluster.
#[derive(Clone)]
pub(super) struct Registered {
    pub provider: EntraIdCredentialsProvider,
    pub options: ConnectionOptions,
    pub tls: bool,
}

#[derive(Default)]
struct Registry {
    last: u64,
    clusters: BTreeMap<u64, Registered>,
}

fn registry() -> MutexGuard<'static, Registry> {
    static REGISTRY: Mutex<Registry> = Mutex::new(Registry {
        last: 0,
        clusters: BTreeMap::new(),
    });
    REGISTRY.lock().unwrap_or_else(PoisonError::into_inner)
}

const MARKER: &str = "entra-cluster-";

/// An entry in the registry. Dropping it removes the entry.
pub(super) struct Registration(u64);

impl Registration {
    pub fn new(registered: Registered) -> Self {
        let mut registry = registry();
        registry.last += 1;
        let number = registry.last;
        registry.clusters.insert(number, registered);
        Self(number)
    }

    pub fn marker(&self) -> String {
        format!("{MARKER}{}", self.0)
    }

    pub fn find(marker: Option<&str>) -> Option<Registered> {
        let number = marker?.strip_prefix(MARKER)?.parse().ok()?;
        registry().clusters.get(&number).cloned()
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let removed = registry().clusters.remove(&self.0);
        // Dropped without the lock: it may be the last owner of its provider.
        drop(removed);
    }
}
