//! `that.token-from`: every call in a window gets a token, from a certain identity.

use std::time::Duration;

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Claim, Expectation, Outcome, Scale, each_run};
use crate::check::{Check, Uses};
use crate::judge::{
    Aspect, Evidence, Plan, Ruling, View, Visibility,
    view::{Call, CallEnd, Window},
};
use crate::scenario::{Span, document::Place};
use crate::trace::CallOutcome;
use crate::wording::{Number, counted};
use crate::world::World;

/// Every call in the window gets such a token; there must be at least one call.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TokenFrom {
    /// The object id of the principal. Default: any.
    pub principal: Option<String>,
    /// The credential that gave it, such as `AzureCliCredential`. Default: any.
    pub credential: Option<String>,
    /// Calls that begin at this time or later. Default: the world's start.
    #[serde(default)]
    pub from: Span,
    /// Calls that begin before this time. Default: the world's end.
    pub until: Option<Span>,
    /// The `[[call]]` that they belong to, counted from 1. Default: all.
    pub step: Option<usize>,
    /// How long such a token is valid, counted from the answer, at least. Default: any.
    pub valid_for_at_least: Option<Span>,
    /// How long such a token is valid, counted from the answer, at most. Default: any.
    pub valid_for_at_most: Option<Span>,
}

/// The calls that it is about.
const ABOUT: &[Uses] = &[Uses::Credential];

impl Expectation for TokenFrom {
    fn check(&self, place: &Place, check: &mut Check<'_>) {
        if let Some(principal) = &self.principal {
            check.principal(principal, &place.key("principal"));
        }
        if let Some(credential) = &self.credential {
            check.credential(credential, &place.key("credential"));
        }
        let names = ["valid-for-at-least", "valid-for-at-most"];
        check.bounds(
            self.valid_for_at_least,
            self.valid_for_at_most,
            place,
            names,
        );
        check.when(self.from, self.until, self.step, ABOUT, place);
    }

    fn describe(&self) -> String {
        let mut text = format!("every call{} gets a token", self.window().words());
        if let Some(credential) = &self.credential {
            text += &format!(" of {credential}");
        }
        if let Some(principal) = &self.principal {
            text += &format!(" as {principal}");
        }
        if let Some(least) = self.valid_for_at_least {
            text += &format!(", valid for {least} or longer");
        }
        if let Some(most) = self.valid_for_at_most {
            text += &format!(", valid for {most} or less");
        }
        text
    }

    fn claim(&self) -> Option<Claim<'_>> {
        Some(Claim {
            from: self.from,
            until: self.until,
            step: self.step,
            outcome: Outcome::Token {
                principal: self.principal.as_deref(),
                credential: self.credential.as_deref(),
            },
        })
    }

    fn is_about_building(&self) -> bool {
        false
    }

    fn counts_at(&self, _world: &World) -> Vec<(String, u16)> {
        Vec::new()
    }

    fn first_observable(&self, plan: &Plan<'_>) -> Option<Duration> {
        plan.first_call(self.from, self.step, ABOUT)
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

impl TokenFrom {
    fn window(&self) -> Window {
        Window::new(self.from, self.until, self.step)
    }

    fn of_run(&self, view: &View<'_>) -> Ruling {
        let visibility = view.run.visibility;
        if let Some(reason) = visibility.lacks(&[Aspect::Calls]) {
            return Ruling::not_observed(reason);
        }
        let calls = self.window().calls(view);
        if calls.is_empty() {
            return Ruling::fails("there is no such call", Evidence::none());
        }
        let mut wrong = calls.iter().filter(|call| !self.fits(call, visibility));
        let Some(first) = wrong.next() else {
            let gets = Number::of(calls.len()).pick("gets", "get");
            let found = format!("{} {gets} such a token", counted(calls.len(), "call"));
            let by_name = self.credential.as_ref().map(|_| Aspect::Walks);
            return Ruling::holds(found).unless_unseen(visibility.lacks(by_name.as_slice()));
        };
        let wrong = wrong.count() + 1;
        let found = format!(
            "{wrong} of {} {} something else; the first is shown",
            counted(calls.len(), "call"),
            Number::of(wrong).pick("gets", "get")
        );
        Ruling::fails(found, Evidence::of_answer(&view.run.trace, first))
    }

    fn fits(&self, call: &Call<'_>, visibility: Visibility) -> bool {
        let Some(CallEnd {
            outcome, host_time, ..
        }) = &call.end
        else {
            return false;
        };
        let CallOutcome::Token {
            credential,
            principal,
            expires_on,
            ..
        } = outcome
        else {
            return false;
        };
        let left = expires_on.duration_since(*host_time);
        let span = |time| SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX);
        self.credential
            .as_ref()
            .is_none_or(|name| name == credential || !visibility.walks)
            && self
                .principal
                .as_ref()
                .is_none_or(|id| Some(id) == principal.as_ref())
            && self
                .valid_for_at_least
                .is_none_or(|least| left >= span(least.0))
            && self
                .valid_for_at_most
                .is_none_or(|most| left <= span(most.0))
    }
}
