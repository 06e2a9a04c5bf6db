//! `that.tokens`: how many different tokens the callers of a window hold.

use std::{collections::BTreeSet, time::Duration};

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Claim, Expectation, Scale, count::Count, each_run};
use crate::check::{Check, Uses};
use crate::judge::{
    Aspect, Evidence, Plan, Ruling, View,
    view::{Call, Window},
};
use crate::scenario::{Span, document::Place};
use crate::trace::{CallOutcome, Fingerprint};
use crate::wording::{Number, counted};
use crate::world::World;

/// How many different tokens callers hold.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Tokens {
    /// Exactly so many.
    pub exactly: u32,
    /// Calls that begin at this time or later. Default: the world's start.
    #[serde(default)]
    pub from: Span,
    /// Calls that begin before this time. Default: the world's end.
    pub until: Option<Span>,
}

/// The calls that it is about.
const ABOUT: &[Uses] = &[Uses::Credential];

impl Expectation for Tokens {
    fn check(&self, place: &Place, check: &mut Check<'_>) {
        check.when(self.from, self.until, None, ABOUT, place);
    }

    fn describe(&self) -> String {
        let tokens = match Number::of(self.exactly) {
            Number::One => "the same token".to_owned(),
            Number::Many => format!("{} different tokens", self.exactly),
        };
        format!("the callers{} hold {tokens}", self.window().words())
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

    fn may_change(&self, view: &View<'_>, _ruling: &Ruling) -> bool {
        let count = || distinct(&self.window().calls(view));
        view.ends_before(self.until) && self.count().may_change(count())
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

impl Tokens {
    fn window(&self) -> Window {
        Window::new(self.from, self.until, None)
    }

    fn count(&self) -> Count {
        Count::new(Some(self.exactly), None, None)
    }

    fn of_run(&self, view: &View<'_>) -> Ruling {
        if let Some(reason) = view.run.visibility.lacks(&[Aspect::Calls]) {
            return Ruling::not_observed(reason);
        }
        let calls = self.window().calls(view);
        let tokens = distinct(&calls);
        let found = format!(
            "{} {} {tokens}",
            counted(calls.len(), "caller"),
            Number::of(calls.len()).pick("holds", "hold")
        );
        if self.count().holds(tokens) {
            Ruling::holds(found)
        } else {
            let ends = calls
                .iter()
                .filter_map(|call| Some(call.end.as_ref()?.event));
            Ruling::fails(found, Evidence::of(ends))
        }
    }
}

/// How many different tokens these calls got.
fn distinct(calls: &[Call<'_>]) -> usize {
    let tokens: BTreeSet<Fingerprint> = calls
        .iter()
        .filter_map(|call| match call.end.as_ref()?.outcome {
            CallOutcome::Token { token, .. } => Some(*token),
            CallOutcome::Error { .. } | CallOutcome::GaveUp {} => None,
        })
        .collect();
    tokens.len()
}
