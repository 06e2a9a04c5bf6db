//! Ours: the credentials of the `credsim-identity` crate.

pub mod redis;

use std::sync::Arc;

use credsim_identity::Error;

use super::{Built, Lent, RedisClient, Subject};
use crate::credential::{Credential, RedisSubject};

/// The subject `identity`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Identity;

/// Our crate, and the client that its Redis layer speaks through.
const LOG_TARGETS: &[&str] = &["credsim_identity", "redis"];

impl Subject for Identity {
    fn name(&self) -> &str {
        "identity"
    }

    fn log_targets(&self) -> &[&str] {
        LOG_TARGETS
    }

    fn build(&self, credential: &Credential, lent: &Lent) -> Result<Built, Error> {
        credential.build(lent)
    }

    fn build_redis(
        &self,
        client: &RedisSubject,
        credential: &Credential,
        lent: &Lent,
    ) -> Result<Arc<dyn RedisClient>, Error> {
        let provider = redis::provider(client, credential, lent)?;
        Ok(redis::client(provider, client, lent))
    }
}
