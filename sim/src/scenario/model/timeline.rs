//! What the timeline of a scenario says as a whole; each action is in `crate::action`.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Fault, Scenario, Span};
use crate::action::{self, OnHost};
pub use crate::action::{
    Action, AssignSystemIdentity, At, Crash, Dispose, IdentityRef, Lift, Login, NetworkChange,
    RedisAllow, RedisDeny, RedisFailOver, RedisKill, RemoveIdentity, Restart, RotateSecret,
    ServiceRef, SetVariable, StepClock,
};

impl Scenario {
    /// The last time at which something in the world gets better, as far as the file says. None if
    /// nothing ever does. A fault that strikes a number of times ends whenever it has.
    pub fn last_repair(&self) -> Option<Duration> {
        action::last_repair(&self.at)
    }

    /// The faults of the timeline and when they begin, in the order of the file.
    pub fn faults(&self) -> impl Iterator<Item = (Span, &Fault)> {
        action::faults(&self.at)
    }

    /// Whether the clock of the subject's host is right from the start to the end.
    pub fn clock_is_right(&self) -> bool {
        let steps = |at: &At| matches!(at.action.consequences().on_host, OnHost::Clock);
        self.world.host.clock_skew.length.is_zero() && !self.at.iter().any(steps)
    }

    /// Whether the shared credential is disposed at some time.
    pub fn disposes(&self) -> bool {
        let disposes = |at: &At| matches!(at.action.consequences().on_host, OnHost::Disposal);
        self.at.iter().any(disposes)
    }

    /// The values that the timeline gives to an environment variable, in the order of the file.
    pub fn later_values(&self, variable: &str) -> impl Iterator<Item = &str> {
        let changes = self.at.iter().map(|at| at.action.consequences().on_host);
        changes.filter_map(move |change| match change {
            OnHost::Variable { name, value } => (name == variable).then_some(value),
            OnHost::Nothing | OnHost::Clock | OnHost::Disposal => None,
        })
    }
}

/// No options.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}
