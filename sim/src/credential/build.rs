//! What a subject builds from a scenario, and what it builds it with.

use std::sync::Arc;

use credsim_identity::{Observer, Platform, TokenCredential};

use super::redis_client::{RedisClient, RedisReporter};

/// What a credential is built with.
#[derive(Clone)]
pub struct Lent {
    /// The host's platform, marked with the instance.
    pub platform: Platform,
    /// Writes what the credential reports into the trace.
    pub observer: Arc<dyn Observer>,
    /// The tenant of a credential that names none.
    pub tenant: String,
    /// Where Redis is: host and port of each of its nodes.
    pub redis: Vec<(String, u16)>,
    /// Writes what a Redis client reports about itself into the trace.
    pub reporter: RedisReporter,
}

impl Lent {
    /// What a credential inside another one is built with: the outer one tells the observer.
    pub(super) fn to_a_member(&self) -> Self {
        struct Quiet;
        impl Observer for Quiet {}
        Self {
            observer: Arc::new(Quiet),
            ..self.clone()
        }
    }
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

/// What is under test in a run, once it is built.
pub enum BuiltSubject {
    /// A credential.
    Credential(Built),
    /// A Redis client around one.
    Redis(Arc<dyn RedisClient>),
}

impl BuiltSubject {
    /// Its name, for the trace.
    pub fn name(&self) -> &str {
        match self {
            Self::Credential(built) => built.credential.name(),
            Self::Redis(client) => client.name(),
        }
    }
}
