//! An API that checks the tokens it is shown.

pub mod matcher;
pub(crate) mod server;
#[cfg(test)]
mod tests;
pub mod world;

use crate::scenario;

/// The host of a resource: its audience without scheme and path.
pub fn resource_host(resource: &scenario::Resource) -> &str {
    let audience = resource.audience.as_str();
    let host = audience
        .split_once("://")
        .map_or(audience, |(_, host)| host);
    host.split('/').next().unwrap_or(host)
}
