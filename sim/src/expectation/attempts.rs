//! `that.attempts`: the waits between the attempts of a credential.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Claim, Expectation, Scale, each_run};
use crate::fault::Matcher as _;
use crate::judge::{
    Aspect, Entry, Evidence, Plan, Ruling, View,
    view::{Window, visits},
};
use crate::scenario::{Span, diagnostics::one_of, document::Place};
use crate::trace::span;
use crate::wording::{Number, counted};
use crate::{
    check::Check,
    world::{Target, World},
};

/// The waits between attempts, as the credential makes them: from the end of one to the beginning
/// of the next.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Attempts {
    /// Which service and which requests: `imds` or `entra`.
    pub to: Target,
    /// The nominal waits, in order: five waits are six attempts, no more and no fewer.
    pub waits: Vec<Span>,
    /// How far a wait may be off its nominal length, as a share of it: 0.2 is [0.8, 1.2].
    /// Default: 0 (exact).
    #[serde(default)]
    pub jitter: f64,
    /// Attempts that begin at this time or later. Default: the world's start.
    #[serde(default)]
    pub from: Span,
    /// Attempts that begin before this time. Default: the world's end.
    pub until: Option<Span>,
}

/// Three requests may be three attempts of one call, or three calls of an app that asks again.
const CALLS_OR_RETRIES: &str = "the retries of a call cannot be told from further calls";

/// An attempt: when it began and when it was over.
struct Attempt<'a> {
    began: Entry<'a>,
    over: Option<Entry<'a>>,
}

impl Expectation for Attempts {
    fn check(&self, place: &Place, check: &mut Check<'_>) {
        self.to.check(&place.key("to"), check);
        let key = self.to.key();
        let sources = check.rest.token_sources.clone();
        if !sources.contains(&key) {
            check
                .at_key(
                    &place.key("to").key(key),
                    format!("attempts at `{key}` are not timed"),
                )
                .label("a credential does not retry here")
                .expected(one_of(sources));
        }
        check.share(self.jitter, &place.key("jitter"));
        check.window(self.from, self.until, place, ["from", "until"]);
    }

    fn describe(&self) -> String {
        let count = self.waits.len() + 1;
        let to = self.to.describe(Number::of(count));
        let mut text = format!("exactly {count} {to}{}", self.window().words());
        if !self.waits.is_empty() {
            let waits = list(self.waits.iter().map(Span::to_string));
            text += &format!(", with waits of {waits}");
            if self.jitter > 0.0 {
                text += &format!(", each give or take {} %", self.jitter * 100.0);
            }
        }
        text
    }

    fn claim(&self) -> Option<Claim<'_>> {
        None
    }

    fn is_about_building(&self) -> bool {
        false
    }

    fn counts_at(&self, world: &World) -> Vec<(String, u16)> {
        self.to.hosts(world)
    }

    fn first_observable(&self, _plan: &Plan<'_>) -> Option<Duration> {
        Some(self.from.0)
    }

    fn may_change(&self, view: &View<'_>, _ruling: &Ruling) -> bool {
        view.ends_before(self.until) && self.may_still_fit(view)
    }

    fn scale(&mut self, by: Scale) {
        by.window(&mut self.from, &mut self.until);
    }

    fn takes_time(&self) -> Option<&'static str> {
        Some("waits between attempts are expected")
    }

    fn judge(&self, plan: &Plan<'_>, runs: &[View<'_>]) -> Ruling {
        each_run(self, plan, runs, |view| self.of_run(plan, view))
    }
}

impl Attempts {
    fn window(&self) -> Window {
        Window::new(self.from, self.until, None)
    }

    fn of_run(&self, plan: &Plan<'_>, view: &View<'_>) -> Ruling {
        let visibility = view.run.visibility;
        if !visibility.sees(Aspect::Attempts) {
            if !visibility.sees(Aspect::Calls) {
                return Ruling::not_observed(CALLS_OR_RETRIES);
            }
            if let Some(reason) = self.unseen_by_service(plan) {
                return Ruling::not_observed(reason);
            }
        }
        let attempts = self.attempts(view);
        let waits = waits(&attempts);
        let found = format!(
            "{}, with waits of {}",
            counted(attempts.len(), "attempt"),
            if waits.is_empty() {
                "nothing".to_owned()
            } else {
                list(waits.iter().map(|wait| span(*wait)))
            }
        );
        if attempts.len() == self.waits.len() + 1 && self.all_fit(&waits, view) {
            Ruling::holds(found)
        } else {
            let attempts = attempts.iter().map(|attempt| (attempt.began, attempt.over));
            Ruling::fails(found, Evidence::of_attempts(view, &self.to, attempts))
        }
    }

    /// Whether so far there are not too many attempts, and no wait is wrong.
    fn may_still_fit(&self, view: &View<'_>) -> bool {
        let attempts = self.attempts(view);
        attempts.len() <= self.waits.len() + 1 && self.all_fit(&waits(&attempts), view)
    }

    fn all_fit(&self, waits: &[Duration], view: &View<'_>) -> bool {
        let tolerance = view.run.engine.tolerance();
        let mut pairs = waits.iter().zip(&self.waits);
        pairs.all(|(wait, nominal)| fits(*wait, nominal.0, self.jitter, tolerance))
    }

    /// The attempts in the window: as the client makes them where that is seen, else as the service
    /// sees them.
    fn attempts<'a>(&self, view: &View<'a>) -> Vec<Attempt<'a>> {
        let mut attempts = if view.run.visibility.sees(Aspect::Attempts) {
            self.of_the_client(view)
        } else {
            self.of_the_service(view)
        };
        let window = self.window();
        attempts.retain(|attempt| window.holds(attempt.began.at));
        attempts
    }

    /// From the moment the client sends to the end of the exchange.
    fn of_the_client<'a>(&self, view: &View<'a>) -> Vec<Attempt<'a>> {
        let exchanges = view.exchanges();
        let exchanges = exchanges.filter(|exchange| self.to.matches(exchange.facts));
        exchanges
            .map(|exchange| Attempt {
                began: exchange.sent,
                over: exchange.ended,
            })
            .collect()
    }

    /// From the arrival to the answer, or to the moment at which the client hung up.
    fn of_the_service<'a>(&self, view: &View<'a>) -> Vec<Attempt<'a>> {
        let visits = visits(view, &self.to).into_iter();
        visits
            .map(|visit| Attempt {
                began: visit.arrived,
                over: visit.answered,
            })
            .collect()
    }

    /// Why the service can't tell all attempts, if so: some never arrive, or end after its answer.
    fn unseen_by_service(&self, plan: &Plan<'_>) -> Option<&'static str> {
        if plan.cuts_off(&self.to) {
            return Some("attempts that reach no service are not seen");
        }
        let drips = plan.drips(&self.to);
        drips.then_some("when a dripping answer is over is not seen")
    }
}

/// From the end of one attempt to the beginning of the next.
fn waits(attempts: &[Attempt<'_>]) -> Vec<Duration> {
    let pairs = attempts.windows(2);
    pairs
        .map(|pair| {
            let over = pair[0].over.map_or(pair[0].began.at, |over| over.at);
            pair[1].began.at.saturating_sub(over)
        })
        .collect()
}

fn fits(wait: Duration, nominal: Duration, jitter: f64, tolerance: Duration) -> bool {
    let (wait, nominal, tolerance) = (
        wait.as_secs_f64(),
        nominal.as_secs_f64(),
        tolerance.as_secs_f64(),
    );
    let least = nominal * (1.0 - jitter) - tolerance;
    let most = nominal * (1.0 + jitter) + tolerance;
    (least..=most).contains(&wait)
}

fn list(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(", ")
}
