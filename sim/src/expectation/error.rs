//! `that.error`: every call in a window fails in a certain way.

use std::time::Duration;

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Claim, Expectation, Outcome, Scale, each_run, lacks};
use crate::check::{Check, Uses};
use crate::judge::{
    Aspect, Evidence, Plan, Ruling, Run, View,
    view::{self, Call, CallEnd, Window},
};
use crate::scenario::{Span, document::Place};
use crate::trace::CallOutcome;
use crate::wording::{Number, counted};
use crate::world::World;

/// Every call in the window fails like this; there must be at least one call.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ErrorLike {
    /// The kind: `unavailable`, `failed`, `interaction-required`, `configuration`, `cancelled`.
    pub kind: Option<ErrorKind>,
    /// The credential named. Default: any.
    pub credential: Option<String>,
    /// Texts that the error must contain, in this order.
    #[serde(default)]
    pub contains: Vec<String>,
    /// When the error says that the service may be asked again, counted from the world's start,
    /// give or take 1 s.
    pub retry_at: Option<Span>,
    /// Calls that begin at this time or later. Default: the world's start.
    #[serde(default)]
    pub from: Span,
    /// Calls that begin before this time. Default: the world's end.
    pub until: Option<Span>,
    /// The `[[call]]` that they belong to, counted from 1. Default: all.
    pub step: Option<usize>,
}

/// The kinds of error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorKind {
    /// The source is not there for this host.
    Unavailable,
    /// The source refused or kept failing.
    Failed,
    /// A person has to act.
    InteractionRequired,
    /// Wrong use.
    Configuration,
    /// Disposed while waiting.
    Cancelled,
}

impl ErrorKind {
    /// Its name in traces.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unavailable => "unavailable",
            Self::Failed => "failed",
            Self::InteractionRequired => "interaction-required",
            Self::Configuration => "configuration",
            Self::Cancelled => "cancelled",
        }
    }
}

/// The calls that it is about.
const ABOUT: &[Uses] = &[Uses::Credential];

impl Expectation for ErrorLike {
    fn check(&self, place: &Place, check: &mut Check<'_>) {
        if let Some(credential) = &self.credential {
            check.credential(credential, &place.key("credential"));
        }
        check.texts(&self.contains, &place.key("contains"));
        check.when(self.from, self.until, self.step, ABOUT, place);
    }

    fn describe(&self) -> String {
        let mut text = format!("every call{} fails", self.window().words());
        if let Some(kind) = self.kind {
            text += &format!(" as {}", kind.name());
        }
        if let Some(credential) = &self.credential {
            text += &format!(" in {credential}");
        }
        for part in &self.contains {
            text += &format!(", saying \"{part}\"");
        }
        if let Some(at) = self.retry_at {
            text += &format!(", to come back at {at}");
        }
        text
    }

    fn claim(&self) -> Option<Claim<'_>> {
        Some(Claim {
            from: self.from,
            until: self.until,
            step: self.step,
            outcome: Outcome::Error,
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
        self.retry_at = self.retry_at.map(|at| by.time(at));
    }

    fn takes_time(&self) -> Option<&'static str> {
        None
    }

    fn judge(&self, plan: &Plan<'_>, runs: &[View<'_>]) -> Ruling {
        each_run(self, plan, runs, |view| self.of_run(view))
    }
}

impl ErrorLike {
    fn window(&self) -> Window {
        Window::new(self.from, self.until, self.step)
    }

    fn of_run(&self, view: &View<'_>) -> Ruling {
        let run = view.run;
        if let Some(reason) = run.visibility.lacks(&[Aspect::Calls]) {
            return Ruling::not_observed(reason);
        }
        let calls = self.window().calls(view);
        if calls.is_empty() {
            return Ruling::fails("there is no such call", Evidence::none());
        }
        let mut wrongs = calls
            .iter()
            .filter_map(|call| Some((call, self.difference(run, call)?)));
        let Some((first, difference)) = wrongs.next() else {
            let fails = Number::of(calls.len()).pick("fails", "fail");
            let found = format!("{} {fails} so", counted(calls.len(), "call"));
            return Ruling::holds(found).unless_unseen(run.visibility.lacks(&self.beside_calls()));
        };
        let wrong = wrongs.count() + 1;
        let found = format!(
            "{wrong} of {} {}; in the first, {difference}",
            counted(calls.len(), "call"),
            Number::of(wrong).pick("doesn't", "don't")
        );
        Ruling::fails(found, Evidence::of_call(&run.trace, first))
    }

    /// What it asks for that can be unseen where the calls are seen.
    fn beside_calls(&self) -> Vec<Aspect> {
        let by_name = self.credential.as_ref().map(|_| Aspect::Walks);
        let come_back = self.retry_at.map(|_| Aspect::Details);
        let by_kind = self.kind.map(|_| Aspect::Kinds);
        let in_words = (!self.contains.is_empty()).then_some(Aspect::Words);
        by_name
            .into_iter()
            .chain(come_back)
            .chain(by_kind)
            .chain(in_words)
            .collect()
    }

    /// What is not as wanted, as far as it can be seen; none if all is.
    fn difference(&self, run: &Run, call: &Call<'_>) -> Option<String> {
        let Some(CallEnd { outcome, .. }) = &call.end else {
            return Some("the caller still waits at the end".to_owned());
        };
        let CallOutcome::Error {
            error,
            credential,
            message,
            retry_at,
            ..
        } = outcome
        else {
            return Some("the call does not fail".to_owned());
        };
        if let Some(kind) = self
            .kind
            .filter(|kind| run.visibility.kinds && kind.name() != error)
        {
            return Some(format!("the kind is {error}, not {}", kind.name()));
        }
        if let Some(name) = self
            .credential
            .as_ref()
            .filter(|name| run.visibility.walks && *name != credential)
        {
            return Some(format!("the error is {credential}'s, not {name}'s"));
        }
        if run.visibility.words
            && let Some(part) = lacks(message, &self.contains)
        {
            return Some(format!("the text lacks \"{part}\" (in that order)"));
        }
        let wanted_at = self.retry_at.filter(|_| run.visibility.details)?;
        let wanted_at = view::world_time(run, wanted_at.0);
        match retry_at {
            None => Some("it does not say when to come back".to_owned()),
            Some(at) => {
                let off = at.duration_since(wanted_at).abs();
                (off > SignedDuration::from_secs(1))
                    .then(|| format!("it says to come back at {at}"))
            }
        }
    }
}
