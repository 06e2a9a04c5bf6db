//! Clients in processes outside, which use a served world over its proxy.

use credsim_identity::{Error, ErrorKind};

use crate::{
    backend::CaptureSink,
    engine::BoxFuture,
    live::{Door, ImdsBy},
    subject::{Built, Lent, Subject},
};

/// Processes outside that the harness neither builds nor calls: it sees only their requests.
pub struct ExternalClients {
    /// The port of the proxy. Default: any free one.
    pub port: Option<u16>,
    /// Their name, as `[[known-failure]]` names a subject: `node-redis 6.3.1`. Without it they have
    /// no known failures.
    pub subject: Option<String>,
    /// How they find IMDS.
    pub imds: ImdsBy,
    /// Variables that the user adds to their environment.
    pub variables: Vec<(String, String)>,
    /// Is called with every request that arrives.
    pub capture: Option<CaptureSink>,
    /// Lets them in, and completes when they are done.
    pub visit: Visit,
}

/// Serves external clients until they are done or this process is told to end. The future that is
/// the second argument completes with the number of the signal that says so.
pub type Visit = Box<dyn FnOnce(&Door, BoxFuture<'static, u8>) -> BoxFuture<'static, ()> + Send>;

/// The subject of a world that is served to external clients: a name, and nothing that can be
/// built.
pub(super) struct ExternalSubject {
    name: String,
}

impl ExternalSubject {
    pub fn of(clients: &ExternalClients) -> Self {
        let name = clients.subject.as_deref().unwrap_or("outside");
        Self {
            name: name.to_owned(),
        }
    }
}

impl Subject for ExternalSubject {
    fn name(&self) -> &str {
        &self.name
    }

    fn log_targets(&self) -> &[&str] {
        &[]
    }

    fn build(&self, _: &crate::credential::Credential, _: &Lent) -> Result<Built, Error> {
        Err(Error::new(
            ErrorKind::Configuration,
            "credsim",
            "calls come from processes outside, not from a credential of this world",
        ))
    }
}
