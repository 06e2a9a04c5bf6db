//! What is under test.

use schemars::JsonSchema;
use serde::Deserialize;

pub use crate::credential::*;

/// What is under test.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Subject {
    /// The credential.
    pub credential: Credential,
    /// The Redis client that takes its tokens.
    pub redis: Option<RedisSubject>,
}

impl super::Scenario {
    /// Why two runs with the same seed may differ, if they may.
    pub fn unrepeatable(&self) -> Option<&'static str> {
        self.subject.redis.as_ref()?.unrepeatable()
    }
}
