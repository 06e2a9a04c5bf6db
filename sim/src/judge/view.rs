//! Calls, exchanges and requests, put together from the events that tell of them.
//!
//! A [`View`] is built once per run, in one pass over the trace, and handed to every expectation
//! and invariant. It holds positions of events and copies nothing: about 4 bytes per event.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem::size_of,
    time::Duration,
};

use jiff::Timestamp;

use super::{
    Run,
    entry::Entry,
    redis_view::{self, Work},
};
use crate::{
    fault::Matcher,
    scenario::Span,
    trace::{CallOutcome, Event, Facts, Fingerprint, Kind, RedisEvent},
};

/// A position in a trace. Traces are shorter than 2^32 events.
type Position = u32;

/// The position that no event has: what it would have told never happened.
const NONE: Position = Position::MAX;

/// The beginning and the end of a call or a piece of work.
#[derive(Clone, Copy)]
struct Pair {
    begin: Position,
    end: Position,
}

/// The three events of an exchange.
#[derive(Clone, Copy)]
struct Triple {
    sent: Position,
    head: Position,
    ended: Position,
}

/// A run, with positions of what is looked for in its trace.
pub struct View<'a> {
    /// The run.
    pub run: &'a Run,
    calls: Vec<Pair>,
    exchanges: Vec<Triple>,
    work: Vec<Pair>,
    /// Pieces of work that no credential and no Redis client does.
    bare: Vec<Pair>,
    /// The events of each endpoint and command, by its name.
    lanes: BTreeMap<&'a str, Vec<Position>>,
    /// Every event that tells of Redis: those of the server, and those of its clients.
    redis: Vec<Position>,
    /// Reported changes of identity.
    identity_changes: Vec<Position>,
}

impl<'a> View<'a> {
    /// The view of `run`: one pass over its trace.
    pub fn of(run: &'a Run) -> Self {
        let mut view = Self {
            run,
            calls: Vec::new(),
            exchanges: Vec::new(),
            work: Vec::new(),
            bare: Vec::new(),
            lanes: BTreeMap::new(),
            redis: Vec::new(),
            identity_changes: Vec::new(),
        };
        let mut open = Open::default();
        for (position, event) in run.trace.events.iter().enumerate() {
            view.add(
                Position::try_from(position).unwrap_or(NONE),
                event,
                &mut open,
            );
        }
        view
    }

    fn add(&mut self, position: Position, event: &'a Event, open: &mut Open) {
        if let Some(endpoint) = event.kind.endpoint() {
            self.lanes.entry(endpoint).or_default().push(position);
        }
        match &event.kind {
            Kind::CallStarted { call, .. } => {
                begin(&mut self.calls, &mut open.calls, *call, position)
            }
            Kind::CallEnded { call, .. } => end(&mut self.calls, &mut open.calls, *call, position),
            Kind::WorkStarted { call, .. } => {
                begin(&mut self.bare, &mut open.bare, *call, position);
            }
            Kind::WorkEnded { call, .. } => end(&mut self.bare, &mut open.bare, *call, position),
            Kind::RequestSent { exchange, .. } => {
                open.exchanges.insert(*exchange, self.exchanges.len());
                self.exchanges.push(Triple {
                    sent: position,
                    head: NONE,
                    ended: NONE,
                });
            }
            Kind::ResponseReceived { exchange, .. } => {
                let index = open.exchanges.get(exchange);
                if let Some(one) = index.and_then(|index| self.exchanges.get_mut(*index)) {
                    one.head = position;
                }
            }
            Kind::ExchangeEnded { exchange, .. } => {
                let index = open.exchanges.remove(exchange);
                if let Some(one) = index.and_then(|index| self.exchanges.get_mut(index)) {
                    one.ended = position;
                }
            }
            Kind::IdentityChanged { .. } => self.identity_changes.push(position),
            Kind::Redis(redis) => {
                self.redis.push(position);
                match redis {
                    RedisEvent::WorkStarted { call, .. } => {
                        begin(&mut self.work, &mut open.work, *call, position);
                    }
                    RedisEvent::WorkEnded { call, .. } => {
                        end(&mut self.work, &mut open.work, *call, position);
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }

    /// The event at `position`, if there is one.
    fn entry(&self, position: Position) -> Option<Entry<'a>> {
        let position = usize::try_from(position).ok()?;
        let event = self.run.trace.events.get(position)?;
        Some(Entry { position, event })
    }

    fn entries<'v>(
        &'v self,
        positions: &'v [Position],
    ) -> impl Iterator<Item = Entry<'a>> + use<'a, 'v> {
        positions
            .iter()
            .filter_map(|position| self.entry(*position))
    }

    /// All events of the run.
    pub(crate) fn all(&self) -> impl Iterator<Item = Entry<'a>> + use<'a> {
        let events = self.run.trace.events.iter().enumerate();
        events.map(|(position, event)| Entry { position, event })
    }

    /// The calls, in the order in which they began.
    pub(crate) fn calls(&self) -> impl Iterator<Item = Call<'a>> + use<'a, '_> {
        self.calls.iter().filter_map(|pair| self.call(*pair))
    }

    /// The call of this index among [`calls`](Self::calls).
    pub(crate) fn call_at(&self, index: usize) -> Option<Call<'a>> {
        self.call(*self.calls.get(index)?)
    }

    fn call(&self, pair: Pair) -> Option<Call<'a>> {
        let started = self.entry(pair.begin)?;
        let Kind::CallStarted {
            step,
            instance,
            scope,
            ..
        } = &started.event.kind
        else {
            return None;
        };
        let end = self
            .entry(pair.end)
            .and_then(|event| match &event.event.kind {
                Kind::CallEnded {
                    waited,
                    host_time,
                    outcome,
                    ..
                } => Some(CallEnd {
                    event,
                    waited: *waited,
                    host_time: *host_time,
                    outcome,
                }),
                _ => None,
            });
        Some(Call {
            at: started.at,
            step: *step,
            instance: *instance,
            scope,
            started,
            end,
        })
    }

    /// The exchanges, in the order in which they were sent.
    pub(crate) fn exchanges(&self) -> impl Iterator<Item = Exchange<'a>> + use<'a, '_> {
        self.exchanges.iter().filter_map(|one| self.exchange(*one))
    }

    /// The exchange of this index among [`exchanges`](Self::exchanges).
    pub(crate) fn exchange_at(&self, index: usize) -> Option<Exchange<'a>> {
        self.exchange(*self.exchanges.get(index)?)
    }

    fn exchange(&self, of: Triple) -> Option<Exchange<'a>> {
        let sent = self.entry(of.sent)?;
        let Kind::RequestSent {
            instance,
            key,
            facts,
            ..
        } = &sent.event.kind
        else {
            return None;
        };
        let head = self.entry(of.head).and_then(|head| match &head.event.kind {
            Kind::ResponseReceived {
                status,
                retry_after,
                ..
            } => Some((head.at, *status, retry_after.as_deref())),
            _ => None,
        });
        Some(Exchange {
            instance: *instance,
            key: *key,
            facts,
            sent,
            head,
            ended: self.entry(of.ended),
        })
    }

    /// The pieces of Redis work, in the order in which they begin.
    pub(crate) fn work(&self) -> impl Iterator<Item = Work<'a>> + use<'a, '_> {
        self.work.iter().filter_map(|pair| {
            let end = self.entry(pair.end);
            redis_view::work(self.entry(pair.begin)?, end)
        })
    }

    /// The calls and pieces of work under way at this position of the trace, each with its
    /// beginning and its end; only those of `instances`, unless that is empty.
    pub(crate) fn under_way(
        &self,
        position: usize,
        instances: &BTreeSet<u32>,
    ) -> Vec<(Entry<'a>, Option<Entry<'a>>)> {
        let is_asked = |begin: &Event| match &begin.kind {
            Kind::CallStarted { instance, .. }
            | Kind::Redis(RedisEvent::WorkStarted { instance, .. }) => {
                instances.is_empty() || instances.contains(instance)
            }
            _ => instances.is_empty(),
        };
        let mut under_way = Vec::new();
        for pairs in [&self.calls, &self.work, &self.bare] {
            let entries = pairs
                .iter()
                .filter_map(|pair| self.entry(pair.begin).zip(Some(pair.end)));
            let begun = entries.take_while(|(begin, _)| begin.position < position);
            let asked = begun.filter(|(begin, _)| is_asked(begin.event));
            let all = asked.map(|(begin, end)| (begin, self.entry(end)));
            under_way.extend(all.filter(|(_, end)| end.is_none_or(|end| end.position > position)));
        }
        under_way
    }

    /// What the endpoint or command of this name saw or caused.
    pub(crate) fn lane(&self, name: &str) -> impl Iterator<Item = Entry<'a>> + use<'a, '_> {
        self.entries(self.lanes.get(name).map_or(&[], Vec::as_slice))
    }

    /// The events of Redis, of the server and of its clients, each with its place in the trace.
    pub(crate) fn redis(&self) -> impl Iterator<Item = (Entry<'a>, &'a RedisEvent)> + use<'a, '_> {
        self.entries(&self.redis)
            .filter_map(|entry| match &entry.event.kind {
                Kind::Redis(redis) => Some((entry, redis)),
                _ => None,
            })
    }

    /// The reported changes of identity.
    pub(crate) fn identity_changes(&self) -> impl Iterator<Item = Entry<'a>> + use<'a, '_> {
        self.entries(&self.identity_changes)
    }

    /// Whether the run ended before this time of the world. Without a time: whether it went on in a
    /// way that cannot be judged.
    pub(crate) fn ends_before(&self, until: Option<Span>) -> bool {
        match until {
            Some(until) => until.0 > self.run.ended,
            None => self.run.unshown.is_some(),
        }
    }

    /// How many bytes the view takes beside the trace.
    pub fn bytes(&self) -> usize {
        let positions = self.lanes.values().map(Vec::capacity).sum::<usize>()
            + self.redis.capacity()
            + self.identity_changes.capacity();
        (self.calls.capacity() + self.work.capacity() + self.bare.capacity()) * size_of::<Pair>()
            + self.exchanges.capacity() * size_of::<Triple>()
            + positions * size_of::<Position>()
    }
}

/// What has begun and not ended: the number in the trace, and the index in the view.
#[derive(Default)]
struct Open {
    calls: BTreeMap<u64, usize>,
    exchanges: BTreeMap<u64, usize>,
    work: BTreeMap<u64, usize>,
    bare: BTreeMap<u64, usize>,
}

fn begin(all: &mut Vec<Pair>, open: &mut BTreeMap<u64, usize>, number: u64, at: Position) {
    open.insert(number, all.len());
    all.push(Pair {
        begin: at,
        end: NONE,
    });
}

fn end(all: &mut [Pair], open: &mut BTreeMap<u64, usize>, number: u64, at: Position) {
    if let Some(pair) = open.remove(&number).and_then(|index| all.get_mut(index)) {
        pair.end = at;
    }
}

/// A call from its beginning to its end.
pub(crate) struct Call<'a> {
    pub at: Duration,
    /// The `[[call]]`, from 1.
    pub step: usize,
    pub instance: u32,
    pub scope: &'a str,
    pub started: Entry<'a>,
    pub end: Option<CallEnd<'a>>,
}

/// How a call ended.
pub(crate) struct CallEnd<'a> {
    pub event: Entry<'a>,
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
    pub fn events(&self) -> impl Iterator<Item = Entry<'a>> + use<'a> {
        std::iter::once(self.started).chain(self.end.as_ref().map(|end| end.event))
    }
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

    fn holds_step(&self, at: Duration, step: usize) -> bool {
        self.holds(at) && self.step.is_none_or(|wanted| wanted == step)
    }

    /// The calls of the run that begin in it.
    pub fn calls<'a>(&self, view: &View<'a>) -> Vec<Call<'a>> {
        view.calls()
            .filter(|call| self.holds_step(call.at, call.step))
            .collect()
    }

    /// The pieces of work that begin in it.
    pub fn work<'a>(&self, view: &View<'a>) -> Vec<Work<'a>> {
        view.work()
            .filter(|work| self.holds_step(work.at, work.step))
            .collect()
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
    pub arrived: Entry<'a>,
    pub answered: Option<Entry<'a>>,
}

/// The visits that `of` means, in the order of their arrival. A command for Redis arrives and is
/// answered in one event.
pub(crate) fn visits<'a>(view: &View<'a>, of: &dyn Matcher) -> Vec<Visit<'a>> {
    let mut visits: Vec<Visit<'a>> = Vec::new();
    let mut open = BTreeMap::new();
    for event in view.lane(&of.lane()) {
        match &event.event.kind {
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
                }
            }
            Kind::Redis(RedisEvent::Command { facts, .. }) if of.matches(facts) => {
                visits.push(Visit {
                    arrived: event,
                    answered: Some(event),
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
    pub key: Fingerprint,
    /// What the service at that host would know of it.
    pub facts: &'a Facts,
    pub sent: Entry<'a>,
    /// The head of the answer: when, which status, what it says about coming back.
    pub head: Option<(Duration, u16, Option<&'a str>)>,
    pub ended: Option<Entry<'a>>,
}

/// The true time of the world at `at`.
pub(crate) fn world_time(run: &Run, at: Duration) -> Timestamp {
    run.start.checked_add(at).unwrap_or(Timestamp::MAX)
}
