//! Calls, exchanges and requests, put together from the events that tell of them.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;

use super::Run;
use crate::{
    fault::Matcher,
    scenario::Span,
    trace::{CallOutcome, Event, Facts, Fingerprint, Kind, RedisEvent, Trace},
};

/// A call from its beginning to its end.
pub(crate) struct Call<'a> {
    pub at: Duration,
    /// The `[[call]]`, from 1.
    pub step: usize,
    pub instance: u32,
    pub scope: &'a str,
    pub started: &'a Event,
    pub end: Option<CallEnd<'a>>,
}

/// How a call ended.
pub(crate) struct CallEnd<'a> {
    pub event: &'a Event,
    pub waited: Duration,
    pub host_time: Timestamp,
    pub outcome: &'a CallOutcome,
}

impl<'a> Call<'a> {
    pub fn is_token(&self) -> bool {
        matches!(
            &self.end,
            Some(CallEnd {
                outcome: CallOutcome::Token { .. },
                ..
            })
        )
    }

    /// The call's events: its beginning, and its end if it has one.
    pub fn events(&self) -> impl Iterator<Item = &'a Event> + use<'a> {
        std::iter::once(self.started).chain(self.end.as_ref().map(|end| end.event))
    }
}

/// The calls of a run, in the order in which they began.
pub(crate) fn calls(trace: &Trace) -> Vec<Call<'_>> {
    let mut calls: Vec<Call<'_>> = Vec::new();
    let mut open = BTreeMap::new();
    for event in &trace.events {
        match &event.kind {
            Kind::CallStarted {
                call,
                step,
                instance,
                scope,
                ..
            } => {
                open.insert(*call, calls.len());
                let (at, started) = (event.at, event);
                calls.push(Call {
                    at,
                    step: *step,
                    instance: *instance,
                    scope,
                    started,
                    end: None,
                });
            }
            Kind::CallEnded {
                call,
                waited,
                host_time,
                outcome,
                ..
            } => {
                if let Some(call) = open.remove(call).and_then(|index| calls.get_mut(index)) {
                    let (waited, host_time) = (*waited, *host_time);
                    call.end = Some(CallEnd {
                        event,
                        waited,
                        host_time,
                        outcome,
                    });
                }
            }
            _ => {}
        }
    }
    calls
}

/// A window of time, and perhaps one step.
#[derive(Clone, Copy)]
pub(crate) struct Window {
    pub from: Duration,
    pub until: Duration,
    pub step: Option<usize>,
}

impl Window {
    pub fn new(from: Span, until: Option<Span>, step: Option<usize>) -> Self {
        Self {
            from: from.0,
            until: until.map_or(Duration::MAX, |until| until.0),
            step,
        }
    }

    pub fn holds(&self, at: Duration) -> bool {
        self.from <= at && at < self.until
    }

    /// The calls of the run that begin in it.
    pub fn calls<'a>(&self, run: &'a Run) -> Vec<Call<'a>> {
        let mut calls = calls(&run.trace);
        calls.retain(|call| self.holds(call.at) && self.step.is_none_or(|step| step == call.step));
        calls
    }

    /// In words: ` between 5d and 6d of step 2`, or nothing for all.
    pub fn words(&self) -> String {
        let mut words = match (self.from.is_zero(), self.until == Duration::MAX) {
            (true, true) => String::new(),
            (false, true) => format!(" from {} on", Span(self.from)),
            (true, false) => format!(" before {}", Span(self.until)),
            (false, false) => format!(" between {} and {}", Span(self.from), Span(self.until)),
        };
        if let Some(step) = self.step {
            words += &format!(" of call[{step}]");
        }
        words
    }
}

/// A request at an endpoint, or a run of a command, from arrival to answer.
pub(crate) struct Visit<'a> {
    pub arrived: &'a Event,
    pub answered: Option<&'a Event>,
    /// The places of both among the endpoint's events.
    pub order: (usize, Option<usize>),
}

/// The visits that `of` means, in the order of their arrival. A command for Redis arrives and is
/// answered in one event.
pub(crate) fn visits<'a>(trace: &'a Trace, of: &dyn Matcher) -> Vec<Visit<'a>> {
    let mut visits: Vec<Visit<'a>> = Vec::new();
    let mut open = BTreeMap::new();
    for (place, event) in trace.journal(&of.lane()).enumerate() {
        match &event.kind {
            Kind::RequestArrived {
                request: number,
                facts,
                ..
            }
            | Kind::CommandStarted {
                command: number,
                facts,
                ..
            } if of.matches(facts) => {
                open.insert(*number, visits.len());
                visits.push(Visit {
                    arrived: event,
                    answered: None,
                    order: (place, None),
                });
            }
            Kind::RequestAnswered {
                request: number, ..
            }
            | Kind::CommandEnded {
                command: number, ..
            } => {
                if let Some(visit) = open.remove(number).and_then(|index| visits.get_mut(index)) {
                    visit.answered = Some(event);
                    visit.order.1 = Some(place);
                }
            }
            Kind::Redis(RedisEvent::Command { facts, .. }) if of.matches(facts) => {
                visits.push(Visit {
                    arrived: event,
                    answered: Some(event),
                    order: (place, Some(place)),
                });
            }
            _ => {}
        }
    }
    visits
}

/// A request as the credential made it.
pub(crate) struct Exchange<'a> {
    pub instance: u32,
    pub to: &'a str,
    pub key: Fingerprint,
    /// What the service at that host would know of it.
    pub facts: &'a Facts,
    pub sent: &'a Event,
    /// The head of the answer: when, which status, what it says about coming back.
    pub head: Option<(Duration, u16, Option<&'a str>)>,
    pub ended: Option<&'a Event>,
}

/// The exchanges of a run, in the order in which they were sent.
pub(crate) fn exchanges(trace: &Trace) -> Vec<Exchange<'_>> {
    let mut all: Vec<Exchange<'_>> = Vec::new();
    let mut open = BTreeMap::new();
    for event in &trace.events {
        match &event.kind {
            Kind::RequestSent {
                instance,
                exchange,
                to,
                key,
                facts,
                ..
            } => {
                open.insert(*exchange, all.len());
                all.push(Exchange {
                    instance: *instance,
                    to,
                    key: *key,
                    facts,
                    sent: event,
                    head: None,
                    ended: None,
                });
            }
            Kind::ResponseReceived {
                exchange,
                status,
                retry_after,
                ..
            } => {
                if let Some(one) = open.get(exchange).and_then(|index| all.get_mut(*index)) {
                    one.head = Some((event.at, *status, retry_after.as_deref()));
                }
            }
            Kind::ExchangeEnded { exchange, .. } => {
                if let Some(one) = open.remove(exchange).and_then(|index| all.get_mut(index)) {
                    one.ended = Some(event);
                }
            }
            _ => {}
        }
    }
    all
}

/// Whether a URL is IMDS's token endpoint asked for a token, not the bare probe.
pub(crate) fn is_imds_token(url: &str) -> bool {
    is_imds(url) && url.contains('?')
}

/// Whether a URL is IMDS's.
pub(crate) fn is_imds(url: &str) -> bool {
    url.starts_with("http://169.254.169.254/")
}

/// Whether a URL is Entra's.
pub(crate) fn is_entra(url: &str) -> bool {
    url.starts_with("https://login.microsoftonline.com/")
}

/// The true time of the world at `at`.
pub(crate) fn world_time(run: &Run, at: Duration) -> Timestamp {
    run.start.checked_add(at).unwrap_or(Timestamp::MAX)
}
