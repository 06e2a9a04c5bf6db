//! Where requests go.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{CommandMatch, EntraMatch, ImdsMatch, RedisMatch};

pub use crate::expectation::*;

/// Where requests go.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Target {
    /// IMDS.
    Imds(ImdsMatch),
    /// Entra.
    Entra(EntraMatch),
    /// Runs of `az`.
    Az(CommandMatch),
    /// Runs of `azd`.
    Azd(CommandMatch),
    /// Runs of `pwsh`.
    Pwsh(CommandMatch),
    /// One of `world.resources`.
    Resource(ResourceRef),
    /// Commands for Redis.
    Redis(RedisMatch),
}

/// A resource.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ResourceRef {
    /// Its name in `world.resources`.
    pub name: String,
}
