//! The implementation under test, and what the simulated host lends to it.
//!
//! A subject builds real credentials from a scenario's `[subject]`; each instance gets a platform
//! of its own, so that every request and command in the trace names the instance it came from.

mod http;
mod identity;
mod platform;

use std::{ffi::OsString, sync::Arc};

use credsim_identity::{Error, Observer, Platform, TokenCredential};

use crate::scenario;

pub use identity::Identity;
pub use platform::{HostClock, HostState, Leftovers, Lender};

/// Something that builds credentials.
pub trait Subject: Send + Sync + 'static {
    /// Its name on the command line and in `[[known-failure]]`.
    fn name(&self) -> &str;

    /// Whether it is a process of its own, which comes in through a [door](crate::door).
    fn is_outside(&self) -> bool {
        false
    }

    /// Gets ready for one run. A subject outside starts a process with exactly this environment
    /// and returns what speaks for it; another one is ready as it is.
    ///
    /// # Errors
    /// What failed and what to do, in words.
    fn start(
        &self,
        environment: &[(OsString, OsString)],
    ) -> Result<Option<Arc<dyn Subject>>, String> {
        let _ = environment;
        Ok(None)
    }

    /// Builds the credential that a scenario describes.
    ///
    /// # Errors
    /// The subject's own construction error.
    fn build(&self, credential: &scenario::Credential, lent: &Lent) -> Result<Built, Error>;
}

/// What a credential is built with.
#[derive(Clone)]
pub struct Lent {
    /// The host's platform, marked with the instance.
    pub platform: Platform,
    /// Writes what the credential reports into the trace.
    pub observer: Arc<dyn Observer>,
    /// The tenant of a credential that names none.
    pub tenant: String,
}

/// A credential and a way to clone it.
pub struct Built {
    /// The credential.
    pub credential: Arc<dyn TokenCredential>,
    again: Box<dyn Fn() -> Arc<dyn TokenCredential> + Send + Sync>,
}

impl Built {
    /// Keeps `credential` and knows how to clone it.
    pub fn new<C: TokenCredential + Clone>(credential: C) -> Self {
        let original = credential.clone();
        Self {
            credential: Arc::new(credential),
            again: Box::new(move || Arc::new(original.clone())),
        }
    }

    /// For a credential that can't be cloned: its clones are the same instance.
    pub fn shared(credential: Arc<dyn TokenCredential>) -> Self {
        let same = credential.clone();
        Self {
            credential,
            again: Box::new(move || same.clone()),
        }
    }

    /// A clone of the credential, as an application would make it.
    pub fn cloned(&self) -> Arc<dyn TokenCredential> {
        (self.again)()
    }
}
