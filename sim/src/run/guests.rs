//! Who comes into a served world from outside.

use credsim_identity::{Error, ErrorKind};

use crate::{
    backend::Witness,
    engine::BoxFuture,
    live::Door,
    scenario,
    subject::{Built, Lent, Subject},
};

/// Processes outside that this harness knows nothing of but what they do.
pub struct Guests {
    /// The port of the proxy; any free one if there is none.
    pub port: Option<u16>,
    /// Who they are, as `[[known-failure]]` names a subject: `node-redis 6.3.1`. Strangers, of whom
    /// nothing is known, if there is none.
    pub subject: Option<String>,
    /// Variables of their environment that the user sets.
    pub variables: Vec<(String, String)>,
    /// Hears of everything that they send.
    pub witness: Option<Witness>,
    /// Lets them in; completes when they are gone.
    pub visit: Visit,
}

/// What guests do behind a door, until they are gone or somebody ends this process: the second
/// argument completes with the signal's number then.
pub type Visit = Box<dyn FnOnce(&Door, BoxFuture<'static, u8>) -> BoxFuture<'static, ()> + Send>;

/// The subject of a world in which nobody here calls.
pub(super) struct Nobody {
    /// Who comes from outside.
    name: String,
}

impl Nobody {
    pub fn but(guests: &Guests) -> Self {
        let name = guests.subject.as_deref().unwrap_or("outside");
        Self {
            name: name.to_owned(),
        }
    }
}

impl Subject for Nobody {
    fn name(&self) -> &str {
        &self.name
    }

    fn log_targets(&self) -> &[&str] {
        &[]
    }

    fn build(&self, _: &scenario::Credential, _: &Lent) -> Result<Built, Error> {
        Err(Error::new(
            ErrorKind::Configuration,
            "credsim",
            "nobody here calls",
        ))
    }
}
