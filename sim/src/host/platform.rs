//! The platform of a simulated host.

use std::sync::Arc;

use credsim_identity::{Observer, Platform, platform::Parts};

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
            files: shared.clone(),
            random: shared.clone(),
            spawner: shared.clone(),
            streams: shared.clone(),
            loopback: shared.clone(),
            browser: Arc::new(state.browser.clone()),
            processes: shared.clone(),
            secrets: Arc::new(state.keyring.clone()),
        });
        (platform, shared, leftovers)
    }
}
