//! What a world says of all of its services together.

use schemars::JsonSchema;
use serde::Deserialize;

/// What signs the tokens of a world: RS256, with a key of 2,048 bits that Entra publishes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SigningKey {
    /// A key of two primes, as most are: half a millisecond of real time for each token.
    #[default]
    Common,
    /// A key of 32 small primes: microseconds for each token, for fleets that get hundreds of
    /// thousands of them.
    Fast,
}

/// The subscription of an Azure CLI that names none.
pub const DEFAULT_SUBSCRIPTION: &str = "0b1f6471-0000-0000-0000-00000000cafe";

/// The tenant of a world that names none.
pub const DEFAULT_TENANT: &str = "72f988bf-0000-0000-0000-00000000cafe";
