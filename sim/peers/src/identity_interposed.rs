//! The subject `identity-interposed`.

use std::sync::Arc;

use credsim::{
    credential::{Credential, RedisSubject},
    subject::{Built, Identity, Lent, MachineClock, RedisClient, Subject},
};
use credsim_identity::Error;

use crate::interposed::Interposed;

/// The library under test as credsim plays it by itself, with the machine's time and random
/// numbers hidden from it: the cluster client of the redis crate draws from them, so that only
/// here its runs are the same each time.
#[derive(Clone, Copy, Debug, Default)]
pub struct IdentityInterposed;

impl Subject for IdentityInterposed {
    fn name(&self) -> &str {
        "identity-interposed"
    }

    fn log_targets(&self) -> &[&str] {
        Identity.log_targets()
    }

    fn build(&self, credential: &Credential, lent: &Lent) -> Result<Built, Error> {
        Identity.build(credential, lent)
    }

    fn build_redis(
        &self,
        client: &RedisSubject,
        credential: &Credential,
        lent: &Lent,
    ) -> Result<Arc<dyn RedisClient>, Error> {
        Identity.build_redis(client, credential, lent)
    }

    fn machine_clock(&self) -> Option<Arc<dyn MachineClock>> {
        Some(Arc::new(Interposed))
    }
}
