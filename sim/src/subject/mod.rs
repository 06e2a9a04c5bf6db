//! The implementation under test, and what the simulated host lends to it.
//!
//! A subject builds real credentials from a scenario's `[subject]`; each instance gets a platform
//! of its own, so that every request and command in the trace names the instance it came from.

pub mod driver;
pub mod identity;

use std::{any::Any, ffi::OsString, sync::Arc, time::Duration};

use credsim_identity::{Error, ErrorKind};
use jiff::Timestamp;

use crate::judge::Visibility;

pub use crate::credential::{
    Built, Lent,
    redis_client::{
        self as redis, Heard, RedisClient, RedisConnection, RedisReporter, RedisSubscriber,
    },
};
pub use driver::Driver;
pub use identity::Identity;

/// Something that builds credentials.
pub trait Subject: Send + Sync + 'static {
    /// Its name on the command line and in `[[known-failure]]`.
    fn name(&self) -> &str;

    /// The beginnings of the `tracing` targets under which it logs, such as the names of its
    /// crates: its warnings go into the trace. No secret may be logged under any target that is not
    /// the harness's own, named here or not.
    fn log_targets(&self) -> &[&str];

    /// Whether it is a process of its own, which comes in through a [door](crate::live).
    fn is_outside(&self) -> bool {
        false
    }

    /// What can be seen of it where it plays. Default: everything inside this process, and of a
    /// process of its own what drivers tell.
    fn visibility(&self) -> Visibility {
        if self.is_outside() {
            Visibility::of_a_driver()
        } else {
            Visibility::everything()
        }
    }

    /// Builds the credential that a scenario describes.
    ///
    /// # Errors
    /// The subject's own construction error.
    fn build(
        &self,
        credential: &crate::credential::Credential,
        lent: &Lent,
    ) -> Result<Built, Error>;

    /// Builds the Redis client that a scenario describes, around the credential that it describes.
    ///
    /// # Errors
    /// The subject's own construction error; by default, that it has no such client.
    fn build_redis(
        &self,
        client: &crate::credential::RedisSubject,
        credential: &crate::credential::Credential,
        lent: &Lent,
    ) -> Result<Arc<dyn RedisClient>, Error> {
        let _ = (client, credential, lent);
        let what = format!("{} has no Redis client", self.name());
        Err(Error::new(ErrorKind::Configuration, "credsim", what))
    }

    /// Why it can't play `scenario`, if it can't: the scenario is skipped then. Default: it can.
    ///
    /// # Errors
    /// The reason, for people.
    fn supports(&self, scenario: &crate::story::Scenario) -> Result<(), String> {
        let _ = scenario;
        Ok(())
    }

    /// Gets ready for one run, in a process of its own if it needs one, which then has exactly
    /// this environment. What it returns plays the run in its place and is dropped after it; none
    /// if it is ready as it is. Default: none.
    ///
    /// # Errors
    /// Why it can't, and what to do: a failure of the harness.
    fn start(
        &self,
        environment: &[(OsString, OsString)],
    ) -> Result<Option<Arc<dyn Subject>>, String> {
        let _ = environment;
        Ok(None)
    }

    /// Shows it the host's clock, if it asks the machine for the time: then only
    /// [`Lapse`](crate::engine::Engine::Lapse) can play it. Default: it asks the host.
    fn machine_clock(&self) -> Option<Arc<dyn MachineClock>> {
        None
    }

    /// What broke between us and it, if something did: then what the run shows says nothing about
    /// it. Asked when the run is over. Default: nothing.
    fn harness_failure(&self) -> Option<String> {
        None
    }
}

/// The clock and the randomness of this machine, as a world's thread sees them.
pub trait MachineClock: Send + Sync + 'static {
    /// From now on, on this thread, they are a world's: the clock shows `wall` and random bytes
    /// come from `seed`, until what this returns is dropped.
    ///
    /// # Errors
    /// Why this machine can't do it, and what to do.
    fn enter(&self, wall: Timestamp, seed: u64) -> Result<Box<dyn Any>, String>;
    /// The world is `elapsed` old, and its host's clock shows `wall`.
    fn show(&self, wall: Timestamp, elapsed: Duration);
}
