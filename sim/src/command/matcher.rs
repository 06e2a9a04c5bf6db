//! Runs of a command: what is known of them, and which of them a scenario means.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Deserialize;

use super::Program;
use crate::wording::Number;
use crate::{
    check::Check,
    fault::{Matcher, effect::TargetKind},
    scenario::document::Place,
    trace::Facts,
};

/// What is known of a run of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandFacts {
    /// Which command.
    pub program: Program,
}

/// Which runs of a command: all.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CommandMatch {}

/// All runs of a program.
#[derive(Clone, Copy, Debug)]
pub struct RunsOf(pub Program);

impl Matcher for RunsOf {
    fn check(&self, place: &Place, check: &mut Check<'_>) {
        check.service(self.0.name(), place);
    }

    fn lane(&self) -> Cow<'_, str> {
        self.0.name().into()
    }

    fn matches(&self, facts: &Facts) -> bool {
        let facts = facts.get::<CommandFacts>();
        facts.is_some_and(|facts| facts.program == self.0)
    }

    fn kind(&self) -> TargetKind {
        TargetKind::Command
    }

    fn describe(&self, number: Number) -> String {
        format!("{} of {}", number.pick("run", "runs"), self.0.name())
    }
}
