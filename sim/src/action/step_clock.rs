//! `step-clock`: the wall clock of the subject's host jumps.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    ActionContext, Consequences, Names, OnHost, Outside, Repair, TimelineAction, TimelineState,
};
use crate::{
    scenario::{SignedSpan, Span, document::Place},
    world::Check,
};

/// A jump of the wall clock.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct StepClock {
    /// How far; negative is back.
    pub by: SignedSpan,
}

impl TimelineAction for StepClock {
    fn check<'a>(
        &'a self,
        _: Span,
        place: &Place,
        _: &mut TimelineState<'a>,
        check: &mut Check<'_>,
    ) {
        check.longer_than_zero(
            Span(self.by.length),
            &place.key("by"),
            "a step of nothing changes nothing",
        );
    }

    fn describe(&self) -> String {
        let way = if self.by.negative { "back" } else { "ahead" };
        format!(
            "the host's wall clock jumps {way} by {}",
            Span(self.by.length)
        )
    }

    fn apply(&self, context: &ActionContext<'_>) {
        context.host.clock.step(self.by);
        let host = &context.host.host.name;
        context.tell(format!("the clock of {host} is stepped by {}", self.by));
    }

    fn consequences(&self) -> Consequences<'_> {
        Consequences {
            // It may set a clock right that was wrong.
            repair: Repair::Now,
            // By a clock that is wrong, tokens that are good may never be.
            takes_away: true,
            cuts_off: None,
            brings: None,
            on_host: OnHost::Clock,
            outside: Outside::Impossible(
                "a clock is stepped, and the clock of this machine stays as it is",
            ),
            lasting: None,
            secrets: Vec::new(),
            names: Names::Nothing,
        }
    }

    fn durations(&mut self) -> Vec<&mut Span> {
        Vec::new()
    }
}
