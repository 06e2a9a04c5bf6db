//! The root of a scenario file: its keys, its checks, its schema, and the bundled library.
//!
//! Plain derived serde: every key is kebab-case, an unknown key is an error, an alternative is a
//! table with exactly one key under `credential`, `do`, `on`, `then`, `to` or `that`.

mod check;
mod file;
mod known_failure;
pub mod library;
mod lines;
mod parse;
pub(crate) mod schema;
mod shape;

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    action::{self, At, Fault},
    call::Call,
    credential::Subject,
    expectation::Expect,
    scenario::Span,
    world::World,
};

pub use known_failure::{KnownFailure, expectation_number, names_version, sdk_of};
pub use parse::parse;
pub use schema::schema;

/// One story: a world, the credential under test, what happens, what is asked and what must hold.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Scenario {
    /// The story in one line.
    pub title: String,
    /// The story in a few sentences: what happens, and to which application.
    pub story: String,
    /// Where the story comes from: documents, issues.
    #[serde(default)]
    pub sources: Vec<String>,
    /// The facts it builds on, by id: `CH-24`. `credsim explain CH-24` prints more.
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
    /// The calls for tokens, and when they are made.
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

/// A scenario with the name it is known by and the text it was read from.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// Its path under `scenarios/` without the suffix, or the path as it was given.
    pub name: String,
    /// The path as diagnostics and reports show it.
    pub path: String,
    /// The text of the file.
    pub text: String,
    /// What it says.
    pub scenario: Scenario,
    /// The line of each `[[expect]]` in the file, from 1.
    pub expectation_lines: Vec<usize>,
}

impl Scenario {
    /// Why two runs with the same seed may differ, if they may, wherever the machine's random
    /// numbers are not replaced (`sim/interpose`).
    pub fn unrepeatable(&self) -> Option<&'static str> {
        self.subject.redis.as_ref()?.unrepeatable()
    }

    /// The last time at which something in the world gets better, as far as the file says. None if
    /// nothing ever does. A fault that strikes a number of times ends whenever it has.
    pub fn last_repair(&self) -> Option<Duration> {
        action::last_repair(&self.at)
    }

    /// The faults of the timeline and when they begin, in the order of the file.
    pub fn faults(&self) -> impl Iterator<Item = (Span, &Fault)> {
        action::faults(&self.at)
    }
}
