//! `fault` and `lift`: a fault begins, and ends.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Fault;
use super::{
    ActionContext, Consequences, Names, OnHost, Outside, Repair, TimelineAction, TimelineState,
};
use crate::{
    check::Check,
    fault::Matcher as _,
    scenario::{Span, diagnostics::one_of, document::Place},
};

/// The end of a fault.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Lift {
    /// The fault's name.
    pub fault: String,
}

impl TimelineAction for Box<Fault> {
    fn check<'a>(
        &'a self,
        time: Span,
        place: &Place,
        state: &mut TimelineState<'a>,
        check: &mut Check<'_>,
    ) {
        check.text(
            &self.name,
            &place.key("name"),
            "a name for `lift` and the trace",
        );
        check.visible_text(&self.name, &place.key("name"));
        self.on.check(&place.key("on"), check);
        if self.first == Some(0) {
            check
                .at_value(&place.key("first"), "this fault never strikes")
                .label("none of the matches")
                .expected("1 or more")
                .help("leave `first` out to strike at every match");
        }
        if let Some(probability) = self.probability {
            let place = place.key("probability");
            if check.share(probability, &place) && probability == 0.0 {
                check
                    .at_value(&place, "this fault never strikes")
                    .label("with probability 0");
            }
        }
        if let Some(lasts) = self.lasts {
            let help = "leave it out for a fault that stays until it is lifted";
            check.longer_than_zero(lasts, &place.key("lasts"), help);
        }
        self.then.check(self.target(), &place.key("then"), check);
        let ends = self.lasts.map(|lasts| time.0.saturating_add(lasts.0));
        if state.faults.insert(&self.name, (time.0, ends)).is_some() {
            check
                .at_value(
                    &place.key("name"),
                    format!("two faults are called `{}`", self.name),
                )
                .label("this is the second one")
                .help("give each its own name: `lift` and the trace know it by that");
        }
    }

    fn describe(&self) -> String {
        format!("fault `{}`: {}", self.name, Fault::describe(self))
    }

    fn apply(&self, context: &ActionContext<'_>) {
        context.backend.install_fault(self.rule(), context.at);
    }

    fn consequences(&self) -> Consequences<'_> {
        let passes = self.then.is_final();
        Consequences {
            repair: match (self.lasts, self.first) {
                (Some(lasts), _) => Repair::After(lasts.0),
                (None, Some(_)) => Repair::After(std::time::Duration::ZERO),
                (None, None) => Repair::No,
            },
            takes_away: false,
            cuts_off: None,
            brings: None,
            on_host: OnHost::Nothing,
            outside: Outside::Possible,
            lasting: (!passes).then(|| format!("clients try to outlast the fault `{}`", self.name)),
            secrets: Vec::new(),
            issues: self.issues.iter().map(String::as_str).collect(),
            names: Names::Nothing,
        }
    }

    fn durations(&mut self) -> Vec<&mut Span> {
        self.lasts.iter_mut().collect()
    }
}

impl TimelineAction for Lift {
    fn check<'a>(
        &'a self,
        time: Span,
        place: &Place,
        state: &mut TimelineState<'a>,
        check: &mut Check<'_>,
    ) {
        let place = &place.key("fault");
        let name = self.fault.as_str();
        match state.faults.get(name) {
            Some((_, Some(ends))) if *ends <= time.0 => {
                check
                    .at_value(
                        place,
                        format!("the fault `{name}` has ended by itself before"),
                    )
                    .label(format!("its `lasts` ended it at {}", Span(*ends)))
                    .help("remove this event, or the fault's `lasts`");
            }
            Some(_) if !state.lifted.insert(name) => {
                check
                    .at_value(place, format!("the fault `{name}` is lifted twice"))
                    .label("it is gone already")
                    .help("remove one of the two events");
            }
            Some(_) => {}
            None => self.report_unknown(time, place, check),
        }
    }

    fn describe(&self) -> String {
        format!("fault `{}` ends", self.fault)
    }

    fn apply(&self, context: &ActionContext<'_>) {
        context.backend.lift_fault(&self.fault, context.at);
    }

    fn consequences(&self) -> Consequences<'_> {
        Consequences::improvement()
    }

    fn durations(&mut self) -> Vec<&mut Span> {
        Vec::new()
    }
}

impl Lift {
    /// Reports a fault that has not begun, or that the scenario does not have.
    fn report_unknown(&self, time: Span, place: &Place, check: &mut Check<'_>) {
        let name = self.fault.as_str();
        let all = check.rest.faults.clone();
        if let Some((_, begins)) = all.iter().find(|(known, _)| *known == name) {
            check
                .at_value(
                    place,
                    format!("the fault `{name}` is lifted before it begins"),
                )
                .label(format!("lifted at {time}, but it begins at {begins}"))
                .expected(format!("a `time` after {begins}"))
                .help("at equal times the order of the file counts");
            return;
        }
        let names = all.iter().map(|(known, _)| *known);
        let problem = check.at_value(place, format!("there is no fault `{name}`"));
        if problem.is_unshown() {
            return;
        }
        problem
            .label("nothing to lift")
            .expected(if all.is_empty() {
                "the name of a fault; but this scenario has none".to_owned()
            } else {
                one_of(names.clone())
            })
            .did_you_mean(name, names);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::action::{
        Repair,
        testing::{Played, parse},
    };

    fn fault(rest: &str) -> String {
        format!("fault = {{ name = \"F\", on.imds = {{}}, then.hang = {{}}{rest} }}")
    }

    #[test]
    fn a_fault_ends_once_whatever_ends_it() {
        let played = Played::new("[imds]");
        assert_eq!(played.act(&fault(""), 1), ["1s F begins"]);
        assert!(!played.backend.healthy());
        assert_eq!(played.act("lift = { fault = \"F\" }", 2), ["2s F ends"]);
        assert!(played.backend.healthy());
        played.act(&fault(", lasts = \"3s\""), 10);
        // Its end is recorded at its time, even if something else is the first to notice.
        assert_eq!(played.act("lift = { fault = \"F\" }", 20), ["13s F ends"]);
    }

    #[test]
    fn what_ends_by_itself_repairs_when_it_ends() {
        let repair = |rest: &str| parse(&fault(rest)).consequences().repair;
        assert_eq!(repair(""), Repair::No);
        assert_eq!(repair(", first = 2"), Repair::After(Duration::ZERO));
        let both = repair(", first = 2, lasts = \"3s\"");
        assert_eq!(both, Repair::After(Duration::from_secs(3)));
    }

    #[test]
    fn a_faster_timeline_shortens_what_lasts() {
        let mut lasting = parse(&fault(", lasts = \"3s\""));
        assert_eq!(lasting.durations().len(), 1);
        assert_eq!(parse(&fault("")).durations().len(), 0);
    }
}
