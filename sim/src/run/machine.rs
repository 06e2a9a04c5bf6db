//! The machine as a world shows it to a subject that asks the machine for the time.

use std::{
    any::Any,
    sync::{Arc, OnceLock},
    time::Duration,
};

use jiff::Timestamp;

use crate::{
    engine::{EngineError, Surroundings},
    host::HostState,
    subject::MachineClock,
};

/// The clock of the host on which the subject runs, once there is one.
pub(super) type HostOfSubject = Arc<OnceLock<Arc<HostState>>>;

/// Shows the host's clock as the machine's.
pub(super) struct Machine {
    pub clock: Arc<dyn MachineClock>,
    /// What the host's clock shows when the world begins.
    pub start: Timestamp,
    pub seed: u64,
    pub host: HostOfSubject,
}

impl Surroundings for Machine {
    fn enter(&self) -> Result<Box<dyn Any>, EngineError> {
        let entered = self.clock.enter(self.start, self.seed);
        entered.map_err(EngineError)
    }

    fn moved(&self, elapsed: Duration) {
        let wall = match self.host.get() {
            Some(host) => host.clock.shows(elapsed),
            None => self.start,
        };
        self.clock.show(wall, elapsed);
    }
}
