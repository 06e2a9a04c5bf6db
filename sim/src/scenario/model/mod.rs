//! What a scenario file can say. Plain derived serde: every key is kebab-case, an unknown key is
//! an error, an alternative is a table with exactly one key under `credential`, `do`, `on`, `then`,
//! `to` or `that`.

mod call;
mod expect;
mod fault;
mod known_failure;
mod redis;
mod subject;
mod timeline;
mod value;
mod world;

pub use call::*;
pub use expect::*;
pub use fault::*;
pub use known_failure::*;
pub use redis::*;
pub use subject::*;
pub use timeline::*;
pub use value::*;
pub use world::*;

pub use crate::{
    command::matcher::CommandMatch,
    service::{
        entra::matcher::{EntraMatch, EntraRequest},
        imds::matcher::{ImdsMatch, ImdsRequest},
        resource::matcher::ResourceRef,
    },
    world::{FaultOn, Target},
};

use schemars::JsonSchema;
use serde::Deserialize;

/// One story: a world, the credential under test, what happens, what is asked and what must hold.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Scenario {
    /// The story in one line.
    pub title: String,
    /// The story in a few sentences: what happened to somebody.
    pub story: String,
    /// Where the story comes from: documents, issues.
    #[serde(default)]
    pub sources: Vec<String>,
    /// The facts it builds on, by id: `CH-24`. `credsim explain CH-24` tells more.
    #[serde(default)]
    pub facts: Vec<String>,
    /// The promises it holds the subject to, by id: `PR-02`.
    #[serde(default)]
    pub promises: Vec<String>,
    /// The simulated world.
    pub world: World,
    /// The credential under test.
    pub subject: Subject,
    /// What happens to the world, in time.
    #[serde(default)]
    pub at: Vec<At>,
    /// Who asks for tokens, and when.
    #[serde(default)]
    pub call: Vec<Call>,
    /// What must hold at the end.
    #[serde(default)]
    pub expect: Vec<Expect>,
    /// Plays the scenario with many seeds; expectations of kind `share` and `percentile` speak
    /// about all of them.
    #[serde(default)]
    pub seeds: Option<Seeds>,
    /// Promises that another subject is known to break here.
    #[serde(default)]
    pub known_failure: Vec<KnownFailure>,
    /// Engines that can't carry this scenario, with the reason.
    #[serde(default)]
    pub not_on: Vec<NotOn>,
}

/// Play it more than once.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Seeds {
    /// How many seeds, counting up from the first one.
    pub count: u32,
}

/// An engine that can't carry the scenario.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NotOn {
    /// The engine: `turmoil`.
    pub engine: String,
    /// Why, in words that `credsim run` prints when it skips it.
    pub reason: String,
}
