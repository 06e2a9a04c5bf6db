//! The simulated services and commands: IMDS, Entra, APIs that check tokens, `az`, `azd` and
//! `pwsh`.
//!
//! They answer as `fixtures/facts` says, byte for byte where a client could notice, and leave in
//! the trace what reached them, what they decided and why. They know no subject. A [`Stage`] holds
//! what the endpoints of one world share; the engine plays its [`hosts`](Stage::hosts), the
//! timeline changes it, and the subject's platform runs commands on it.

mod body;
mod change;
mod commands;
mod entra;
mod exchange;
mod http;
mod imds;
mod issuer;
mod journal;
mod jwt;
mod limit;
pub(crate) mod mask;
mod multi_prime;
mod real_secret;
pub(crate) mod redis;
mod reply;
mod resource;
mod stage;
#[cfg(test)]
mod tests;
mod witness;

pub(crate) use commands::USUAL as USUAL_COMMAND_TIME;
#[doc(hidden)]
pub use redis::resp::survives as resp_survives;
pub use stage::Stage;
pub use witness::{Witness, Witnessed};

use std::fmt;

use crate::scenario;

/// The address of the instance metadata service.
pub const IMDS_HOST: &str = "169.254.169.254";
/// The name of a Redis, and of what the nodes of a cluster belong to.
pub const REDIS_HOST: &str = "redis.contoso.example";
/// The port of Redis; the engines carry no TLS.
pub const REDIS_PORT: u16 = 6380;
/// The name of Entra's public cloud.
pub const ENTRA_HOST: &str = "login.microsoftonline.com";

/// What a simulated command left when it ended. `Debug` shows no content: standard output holds
/// tokens.
#[derive(Clone, PartialEq, Eq)]
pub struct CommandExit {
    /// The exit code.
    pub code: i32,
    /// Everything written to standard output.
    pub stdout: String,
    /// Everything written to standard error.
    pub stderr: String,
}

impl fmt::Debug for CommandExit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CommandExit")
            .field("code", &self.code)
            .field("stdout", &format_args!("{} bytes", self.stdout.len()))
            .field("stderr", &format_args!("{} bytes", self.stderr.len()))
            .finish()
    }
}

/// There is no such command on this host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandMissing;

impl fmt::Display for CommandMissing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there is no such command on this host")
    }
}

impl std::error::Error for CommandMissing {}

/// Where Redis is: one host, or one for each node of a cluster; replicas are not among them.
pub fn redis_hosts(world: &scenario::World) -> Vec<(String, u16)> {
    let nodes = world.redis.as_ref().map_or(0, |redis| redis.nodes);
    match nodes {
        0 => Vec::new(),
        1 => vec![(REDIS_HOST.to_owned(), REDIS_PORT)],
        nodes => (1..=nodes)
            .map(|node| (format!("redis-{node}.contoso.example"), REDIS_PORT))
            .collect(),
    }
}

/// The host of a resource: its audience without scheme and path.
pub fn resource_host(resource: &scenario::Resource) -> &str {
    let audience = resource.audience.as_str();
    let host = audience
        .split_once("://")
        .map_or(audience, |(_, host)| host);
    host.split('/').next().unwrap_or(host)
}
