//! What a subject built for a run.

use std::sync::Arc;

use crate::subject::{Built, RedisClient};

/// What a subject built.
pub(super) enum Made {
    /// A credential.
    Credential(Built),
    /// A Redis client around one.
    Redis(Arc<dyn RedisClient>),
}

impl Made {
    /// Its name, for the trace.
    pub fn name(&self) -> &str {
        match self {
            Self::Credential(built) => built.credential.name(),
            Self::Redis(client) => client.name(),
        }
    }
}
