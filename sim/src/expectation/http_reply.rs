//! `that.http-reply`: the replies to bare requests.

use std::{collections::BTreeMap, time::Duration};

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Claim, Expectation, Scale, each_run};
use crate::call::{HttpReply, HttpSent};
use crate::check::{Check, Uses};
use crate::judge::{Aspect, Entry, Evidence, Plan, Ruling, View, view::Window};
use crate::scenario::{Span, document::Place};
use crate::trace::{Event, Kind};
use crate::wording::Number;
use crate::world::World;

/// Every bare request in the window gets such a reply; there must be at least one.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct HttpReplies {
    /// The status of the reply.
    pub status: u16,
    /// Requests that are sent at this time or later. Default: the world's start.
    #[serde(default)]
    pub from: Span,
    /// Requests that are sent before this time. Default: the world's end.
    pub until: Option<Span>,
    /// The `[[call]]` that they belong to, counted from 1. Default: all.
    pub step: Option<usize>,
}

/// The calls that it is about.
const ABOUT: &[Uses] = &[Uses::BareHttp];

impl Expectation for HttpReplies {
    fn check(&self, place: &Place, check: &mut Check<'_>) {
        let mut calls = check.rest.calls.iter();
        if !calls.any(|call| call.uses == Uses::BareHttp) {
            check
                .at_key(place, "no call sends a bare request")
                .label("so this is never tested")
                .help(
                    "add a `[[call]]` with \
                     `do.http = { url = \"http://169.254.169.254/metadata/instance\" }`",
                );
        } else {
            check.when(self.from, self.until, self.step, ABOUT, place);
        }
        if !(100..=599).contains(&self.status) {
            check
                .at_value(&place.key("status"), "this is not an HTTP status")
                .label("outside 100 to 599")
                .expected("such as 200");
        }
    }

    fn describe(&self) -> String {
        let window = self.window().words();
        format!("every bare request{window} receives {}", self.status)
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
        plan.first_call(self.from, self.step, ABOUT)
    }

    fn may_change(&self, view: &View<'_>, ruling: &Ruling) -> bool {
        // One more request may not be answered so.
        ruling.is_held() && view.ends_before(self.until)
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

impl HttpReplies {
    fn window(&self) -> Window {
        Window::new(self.from, self.until, self.step)
    }

    fn of_run(&self, view: &View<'_>) -> Ruling {
        let run = view.run;
        if let Some(unseen) = run.visibility.lacks(&[Aspect::Calls]) {
            return Ruling::not_observed(unseen);
        }
        let all = self.requests(&run.trace.events);
        if all.is_empty() {
            return Ruling::fails("there is no such request", Evidence::none());
        }
        let is_wrong = |request: &&Request<'_>| {
            let end = request.end.as_ref();
            end.is_none_or(|(_, reply)| reply.0 != Some(self.status))
        };
        let wrong: Vec<_> = all.iter().filter(is_wrong).collect();
        let Some(first) = wrong.first() else {
            return Ruling::holds(match all.len() {
                1 => "the only one does".to_owned(),
                many => format!("all {many} do"),
            });
        };
        let received = match &first.end {
            None => "has no reply yet".to_owned(),
            Some((_, HttpReply(None))) => "has no reply".to_owned(),
            Some((_, HttpReply(Some(status)))) => format!("receives {status}"),
        };
        let found = format!(
            "{} of {} {} not; the first {received}",
            wrong.len(),
            all.len(),
            Number::of(wrong.len()).pick("does", "do")
        );
        let end = first.end.iter().map(|(event, _)| *event);
        let shown = std::iter::once(first.sent).chain(end);
        Ruling::fails(found, Evidence::with_changes(&run.trace, shown))
    }

    /// The bare requests of the window, each with its end.
    fn requests<'e>(&self, events: &'e [Event]) -> Vec<Request<'e>> {
        let window = self.window();
        let entries = || {
            let events = events.iter().enumerate();
            events.map(|(position, event)| Entry { position, event })
        };
        let ends = entries().filter_map(|entry| match &entry.event.kind {
            Kind::WorkEnded { call, facts, .. } => {
                Some((*call, (entry, *facts.get::<HttpReply>()?)))
            }
            _ => None,
        });
        let mut ends: BTreeMap<u64, (Entry<'e>, HttpReply)> = ends.collect();
        let requests = entries().filter_map(|sent| match &sent.event.kind {
            Kind::WorkStarted {
                call, step, facts, ..
            } if facts.get::<HttpSent>().is_some()
                && window.holds(sent.event.at)
                && window.step.is_none_or(|wanted| wanted == *step) =>
            {
                let end = ends.remove(call);
                Some(Request { sent, end })
            }
            _ => None,
        });
        requests.collect()
    }
}

/// A bare request, and its end, if it has one.
struct Request<'e> {
    sent: Entry<'e>,
    end: Option<(Entry<'e>, HttpReply)>,
}
