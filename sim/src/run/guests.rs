//! Who comes into a served world from outside.

use credsim_identity::{Error, ErrorKind};

use crate::{
    door::Door,
    endpoint::Witness,
    engine::BoxFuture,
    scenario,
    subject::{Built, Lent, Subject},
};

/// Processes outside that this harness knows nothing of but what they do.
pub struct Guests {
    /// The port of the proxy; any free one if there is none.
    pub port: Option<u16>,
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
pub(super) struct Nobody;

impl Subject for Nobody {
    fn name(&self) -> &str {
        "outside"
    }

    fn build(&self, _: &scenario::Credential, _: &Lent) -> Result<Built, Error> {
        Err(Error::new(
            ErrorKind::Configuration,
            "credsim",
            "nobody here calls",
        ))
    }
}
