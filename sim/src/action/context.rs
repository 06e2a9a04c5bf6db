//! What an action gets to change the running world with.

use std::time::Duration;

use crate::{backend::Backend, engine::Control, host::HostState, trace::Kind, world::Service};

/// The running world as an action sees it.
pub(crate) struct ActionContext<'a> {
    /// The time since the world's start at which the action happens.
    pub at: Duration,
    /// What the services share: their state, the fault book, the journal.
    pub backend: &'a Backend,
    /// The host on which the subject runs: its clock, its variables, which services it reaches.
    pub host: &'a HostState,
    /// The network and the hosts of the engine.
    pub control: &'a dyn Control,
    /// The shared credential, if one was built.
    pub shared: Option<&'a dyn SharedCredential>,
}

/// The credential that the callers of a run share, as far as actions may touch it.
pub(crate) trait SharedCredential {
    /// Its number in the trace.
    fn instance(&self) -> u32;

    /// Disposes it. Callers that use it later get an error.
    fn dispose(&self);
}

impl ActionContext<'_> {
    /// Records a change of the world.
    pub fn record_change(&self, what: impl Into<String>) {
        self.record(Kind::World { what: what.into() });
    }

    /// Records an event.
    pub fn record(&self, kind: Kind) {
        self.backend.journal().record(self.at, kind);
    }

    /// The hosts of a service.
    pub fn hosts_of(&self, service: Service) -> Vec<String> {
        self.backend.hosts_of(service)
    }
}
