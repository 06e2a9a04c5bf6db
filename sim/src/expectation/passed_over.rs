//! `that.passed-over`: what the walk of a chain says about a member that did not answer.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Claim, Expectation, Scale, each_run};
use crate::check::{Check, Uses};
use crate::judge::{
    Aspect, Evidence, Plan, Ruling, Run, View,
    view::{Call, CallEnd, Window},
};
use crate::scenario::{Span, document::Place};
use crate::trace::{CallOutcome, TriedMember, span};
use crate::wording::{Number, counted};
use crate::world::World;

/// A member that a chain passed over.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PassedOver {
    /// The member, such as `ManagedIdentityCredential`.
    pub credential: String,
    /// A text that the reason contains. Default: any.
    pub because: Option<String>,
    /// How long it took at most. Default: any.
    pub took_at_most: Option<Span>,
    /// Calls that begin at this time or later. Default: the world's start.
    #[serde(default)]
    pub from: Span,
    /// Calls that begin before this time. Default: the world's end.
    pub until: Option<Span>,
}

/// The calls that it is about.
const ABOUT: &[Uses] = &[Uses::Credential];

impl Expectation for PassedOver {
    fn check(&self, place: &Place, check: &mut Check<'_>) {
        if !check.names.has_chain {
            check
                .at_key(place, "only a chain passes members over")
                .label("the subject is not a chain")
                .help("expect `that.error` of the credential itself, or make the subject a chain");
        }
        check.credential(&self.credential, &place.key("credential"));
        check.when(self.from, self.until, None, ABOUT, place);
    }

    fn describe(&self) -> String {
        let window = self.window().words();
        let mut text = format!("every walk{window} passes over {}", self.credential);
        if let Some(because) = &self.because {
            text += &format!(" because \"{because}\"");
        }
        if let Some(most) = self.took_at_most {
            text += &format!(" within {most}");
        }
        text
    }

    fn claim(&self) -> Option<Claim<'_>> {
        None
    }

    fn is_about_building(&self) -> bool {
        false
    }

    fn counts_at(&self, _world: &World) -> Vec<(String, u16)> {
        Vec::new()
    }

    fn first_observable(&self, plan: &Plan<'_>) -> Option<Duration> {
        plan.first_call(self.from, None, ABOUT)
    }

    fn may_change(&self, _view: &View<'_>, _ruling: &Ruling) -> bool {
        // Each is judged by itself: those that came are enough.
        false
    }

    fn scale(&mut self, by: Scale) {
        by.window(&mut self.from, &mut self.until);
    }

    fn takes_time(&self) -> Option<&'static str> {
        None
    }

    fn judge(&self, plan: &Plan<'_>, runs: &[View<'_>]) -> Ruling {
        each_run(self, plan, runs, |view| self.of_run(view))
    }
}

impl PassedOver {
    fn window(&self) -> Window {
        Window::new(self.from, self.until, None)
    }

    fn of_run(&self, view: &View<'_>) -> Ruling {
        let run = view.run;
        if let Some(reason) = run.visibility.lacks(&[Aspect::Calls, Aspect::Walks]) {
            return Ruling::not_observed(reason);
        }
        let calls = self.window().calls(view);
        // A call that was answered from the cache of the last answerer walked nowhere.
        let walks: Vec<(&Call<'_>, &[TriedMember])> = calls
            .iter()
            .filter_map(|call| Some((call, walk(call)?)))
            .collect();
        let mut wrong = walks.iter().filter_map(|(call, members)| {
            let member = members
                .iter()
                .find(|member| member.credential == self.credential);
            Some((call, self.difference(run, member)?))
        });
        match (walks.is_empty(), wrong.next()) {
            (true, _) => Ruling::fails("no call walks the chain", Evidence::none()),
            (false, None) => {
                let does = Number::of(walks.len()).pick("does", "do");
                Ruling::holds(format!("{} {does}", counted(walks.len(), "walk")))
            }
            (false, Some((call, difference))) => {
                Ruling::fails(difference, Evidence::of_call(&run.trace, call))
            }
        }
    }

    /// What the walk does not say of the member as it should; none if it says all.
    fn difference(&self, run: &Run, member: Option<&TriedMember>) -> Option<String> {
        let Some(member) = member else {
            return Some(format!("a walk does not reach {}", self.credential));
        };
        if member.outcome != "passed-over" {
            return Some(format!(
                "{} is not passed over: it {}",
                member.credential, member.outcome
            ));
        }
        if let Some(because) = self
            .because
            .as_ref()
            .filter(|because| !member.why.contains(*because))
        {
            return Some(format!(
                "the reason is \"{}\", without \"{because}\"",
                member.why
            ));
        }
        let limit = self.took_at_most?.0 + run.engine.tolerance();
        (member.took > limit).then(|| format!("it takes {}", span(member.took)))
    }
}

fn walk<'a>(call: &Call<'a>) -> Option<&'a [TriedMember]> {
    let Some(CallEnd { outcome, .. }) = &call.end else {
        return None;
    };
    match outcome {
        CallOutcome::Token { tried, .. } | CallOutcome::Error { tried, .. } => {
            (!tried.is_empty()).then_some(tried)
        }
        CallOutcome::GaveUp {} => None,
    }
}
