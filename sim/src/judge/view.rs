//! Calls, exchanges and requests, put together from the events that tell of them.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;

use super::Run;
use super::redis_view;
use crate::{
    fault::{matches_entra, matches_imds},
    scenario::{ImdsRequest, Span, Target},
    trace::{CallOutcome, Event, Fingerprint, Kind, Trace},
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

/// The visits to a target, in the order of their arrival.
pub(crate) fn visits<'a>(trace: &'a Trace, target: &Target) -> Vec<Visit<'a>> {
    if let Target::Redis(of) = target {
        return redis_view::visits(trace, of);
    }
    let mut visits: Vec<Visit<'a>> = Vec::new();
    let mut open = BTreeMap::new();
    let name = endpoint(target);
    for (place, event) in trace.journal(&name).enumerate() {
        match &event.kind {
            Kind::RequestArrived {
                what, line, detail, ..
            } if !matches(target, what, line, detail) => {}
            Kind::RequestArrived {
                request: number, ..
            }
            | Kind::CommandStarted {
                command: number, ..
            } => {
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
            _ => {}
        }
    }
    visits
}

fn endpoint(target: &Target) -> String {
    match target {
        Target::Imds(_) => "imds".to_owned(),
        Target::Entra(_) => "entra".to_owned(),
        Target::Az(_) => "az".to_owned(),
        Target::Azd(_) => "azd".to_owned(),
        Target::Pwsh(_) => "pwsh".to_owned(),
        Target::Resource(resource) => format!("resource.{}", resource.name),
        Target::Redis(_) => "redis".to_owned(),
    }
}

/// Whether a request is one of the wanted, by the same rules as a fault's matcher.
fn matches(target: &Target, what: &str, line: &str, detail: &str) -> bool {
    match target {
        Target::Imds(imds) => matches_imds(imds, what, line),
        Target::Entra(entra) => what == "token" && matches_entra(entra, what, detail),
        // Commands for Redis are no requests: `redis_view` has them.
        Target::Redis(_) => false,
        Target::Az(_) | Target::Azd(_) | Target::Pwsh(_) | Target::Resource(_) => true,
    }
}

/// What a target is called in a sentence.
pub(crate) fn words(target: &Target) -> String {
    match target {
        Target::Imds(imds) => match imds.request {
            None => "requests to imds".to_owned(),
            Some(ImdsRequest::Probe) => "probes of imds".to_owned(),
            Some(ImdsRequest::Token) => "token requests to imds".to_owned(),
        },
        Target::Entra(_) => "token requests to entra".to_owned(),
        Target::Az(_) => "runs of az".to_owned(),
        Target::Azd(_) => "runs of azd".to_owned(),
        Target::Pwsh(_) => "runs of pwsh".to_owned(),
        Target::Resource(resource) => format!("uses of {}", resource.name),
        Target::Redis(of) => redis_view::words(of),
    }
}

/// A request as the credential made it.
pub(crate) struct Exchange<'a> {
    pub instance: u32,
    pub to: &'a str,
    pub key: Fingerprint,
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
                ..
            } => {
                open.insert(*exchange, all.len());
                all.push(Exchange {
                    instance: *instance,
                    to,
                    key: *key,
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
