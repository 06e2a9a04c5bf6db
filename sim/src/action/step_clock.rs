//! `step-clock`: the wall clock of the subject's host jumps.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    ActionContext, Consequences, Names, OnHost, Outside, Repair, TimelineAction, TimelineState,
};
use crate::{
    check::Check,
    scenario::{SignedSpan, Span, document::Place},
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
        context.record_change(format!("the clock of {host} is stepped by {}", self.by));
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
            issues: Vec::new(),
            names: Names::Nothing,
        }
    }

    fn durations(&mut self) -> Vec<&mut Span> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::action::testing::Played;

    #[test]
    fn the_clock_of_the_host_moves_and_the_time_of_the_world_does_not() {
        let played = Played::new("");
        let ahead_of_the_world = || {
            let truth = played.backend.time(Duration::ZERO);
            played.host.now().duration_since(truth).as_secs()
        };
        assert_eq!(
            played.act("step-clock = { by = \"1h\" }", 1),
            ["1s the clock of app is stepped by 1h"]
        );
        assert_eq!(ahead_of_the_world(), 3600);
        played.act("step-clock = { by = \"-90m\" }", 2);
        assert_eq!(ahead_of_the_world(), -1800);
    }
}
