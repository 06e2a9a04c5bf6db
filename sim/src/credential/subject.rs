//! What is under test.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Credential, RedisSubject};

/// What is under test.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Subject {
    /// The credential.
    pub credential: Credential,
    /// The Redis client that takes its tokens.
    pub redis: Option<RedisSubject>,
}
