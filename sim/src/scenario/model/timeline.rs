//! What the timeline of a scenario says as a whole; each action is in `crate::action`.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Fault, Scenario, Span};
use crate::action;
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
}

/// No options.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}
