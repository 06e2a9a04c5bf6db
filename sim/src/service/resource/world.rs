//! What a scenario says of APIs that check tokens.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

/// An API that checks tokens.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Resource {
    /// The audience its tokens must have, which is also its host: `https://vault.azure.net`.
    pub audience: String,
    /// What each principal may do, by object id: `read`, `write`. Who is not here gets 403.
    #[serde(default)]
    pub grants: BTreeMap<String, Vec<String>>,
}
