//! The few lines of a trace that show why something does not hold.

use super::{
    entry::Entry,
    view::{Call, View, Visit},
    waiting,
};
use crate::fault::Matcher;
use crate::redact::printable;
use crate::trace::{self, CallOutcome, Event, Kind, RedisEvent, Trace};
use crate::wording::counted;

/// Whether the world became another one.
fn is_change(event: &Event) -> bool {
    matches!(
        event.kind,
        Kind::World { .. } | Kind::FaultInstalled { .. } | Kind::FaultLifted { .. }
    )
}

/// Whether a service or command answered the credential, or the credential reported something.
fn is_answer(event: &Event) -> bool {
    match &event.kind {
        Kind::RequestAnswered { endpoint, .. } => !endpoint.starts_with("resource."),
        Kind::CommandEnded { .. } | Kind::IdentityChanged { .. } => true,
        // What an endpoint never saw: a connect that failed, an answer that did not come in time.
        Kind::Redis(RedisEvent::Reported { .. }) => true,
        Kind::ExchangeEnded { how, .. } => how != "complete",
        _ => false,
    }
}

/// The most lines that a finding shows.
const MOST: usize = 12;

/// Events worth showing, in the order of the trace: all of them if they are few, else the first and
/// the last ones.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    first: Vec<String>,
    left_out: usize,
    last: Vec<String>,
}

impl Evidence {
    /// Nothing to show: what was expected never happened.
    pub fn none() -> Self {
        Self::default()
    }

    /// These events, as lines.
    pub fn of<'a, E: Into<&'a Event>>(events: impl IntoIterator<Item = E>) -> Self {
        let events: Vec<&Event> = events.into_iter().map(Into::into).collect();
        Self::cut(&events, |event| trace::line(event))
    }

    /// Events of several runs, each with its seed.
    pub(crate) fn of_seeds<'a>(events: impl IntoIterator<Item = (u64, &'a Event)>) -> Self {
        let events: Vec<(u64, &Event)> = events.into_iter().collect();
        Self::cut(&events, |(seed, event)| {
            format!("seed {seed}: {}", trace::line(event))
        })
    }

    /// What is shown of so many things becomes lines; the rest is only counted.
    fn cut<T>(all: &[T], line: impl Fn(&T) -> String) -> Self {
        let (first, rest) = all.split_at(if all.len() <= MOST {
            all.len()
        } else {
            MOST - 4
        });
        let (left_out, last) = rest.split_at(rest.len().saturating_sub(3));
        Self {
            first: first.iter().map(&line).collect(),
            left_out: left_out.len(),
            last: last.iter().map(&line).collect(),
        }
    }

    /// These events of the trace, and what the world became before and between them.
    pub(crate) fn with_changes<'a>(
        trace: &'a Trace,
        events: impl IntoIterator<Item = Entry<'a>>,
    ) -> Self {
        Self::of(and_changes(trace, events))
    }

    /// Such requests, what became of the calls that waited for them, and what the world became
    /// before and between them. What answers a request stands beside it, too.
    pub(crate) fn of_visits<'a>(view: &View<'a>, of: &dyn Matcher, visits: &[Visit<'a>]) -> Self {
        let arrived = visits.iter().map(|visit| visit.arrived);
        let shown = and_changes(&view.run.trace, arrived);
        let at = |position: usize| {
            let found = visits.binary_search_by_key(&position, |visit| visit.arrived.position);
            found.ok().and_then(|index| visits.get(index))
        };
        Self::cut(&shown, |entry| {
            let mut line = trace::line(entry.event);
            if let Some(visit) = at(entry.position) {
                line += &answer(visit);
                line += &printable(&waiting::outcomes(view, of, visit.arrived));
            }
            line
        })
    }

    /// The beginnings and the ends of attempts, in this order, and what became of the calls that
    /// waited for them.
    pub(crate) fn of_attempts<'a>(
        view: &View<'a>,
        of: &dyn Matcher,
        attempts: impl IntoIterator<Item = (Entry<'a>, Option<Entry<'a>>)>,
    ) -> Self {
        let events = attempts.into_iter().flat_map(|(began, over)| {
            let over = over.map(|over| (over, false));
            [Some((began, true)), over].into_iter().flatten()
        });
        let events: Vec<_> = events.collect();
        Self::cut(&events, |(entry, begins)| {
            let mut line = trace::line(entry.event);
            if *begins {
                line += &printable(&waiting::outcomes(view, of, *entry));
            }
            line
        })
    }

    /// What led to the outcome of a call: the last change of the world before it, what services
    /// and commands answered meanwhile, and the call itself.
    pub(crate) fn of_call(trace: &Trace, call: &Call<'_>) -> Self {
        let begins = trace.events.partition_point(|event| event.at < call.at);
        let (before, since) = trace.events.split_at(begins);
        let mut events: Vec<&Event> = before
            .iter()
            .rev()
            .find(|event| is_change(event))
            .into_iter()
            .collect();
        let started = call.started.position;
        let end = call.end.as_ref().map(|end| end.event.position);
        for (position, event) in (begins..).zip(since) {
            let is_end = end == Some(position);
            if position == started || is_end || is_change(event) || is_answer(event) {
                events.push(event);
            }
            if is_end {
                break;
            }
        }
        Self::cut(&trace::fold(&events), String::clone)
    }

    /// As [`of_call`](Self::of_call), and before it the walk of the chain that decided which member
    /// answers, if that was not the call's own: why this one, and not one before it.
    pub(crate) fn of_answer(trace: &Trace, call: &Call<'_>) -> Self {
        let mut evidence = Self::of_call(trace, call);
        if let Some(event) = decided(trace, call) {
            evidence.first.insert(0, trace::line(event));
        }
        evidence
    }

    /// The lines.
    pub(crate) fn lines(self) -> Vec<String> {
        let mut lines = self.first;
        if self.left_out > 0 {
            lines.push(format!("... {} ...", counted(self.left_out, "more line")));
        }
        lines.extend(self.last);
        lines
    }
}

/// The event before `call` that says why the member answers from which its token is: the walk of an
/// earlier call, or a change that the chain reported. None if the call walked itself.
fn decided<'a>(trace: &'a Trace, call: &Call<'_>) -> Option<&'a Event> {
    let outcome = call.end.as_ref()?.outcome;
    let (CallOutcome::Token { credential: of, .. }, None) = (outcome, outcome.walk()) else {
        return None;
    };
    let before = trace.events.iter().take(call.started.position);
    before.rev().find(|event| match &event.kind {
        Kind::CallEnded {
            instance, outcome, ..
        } => {
            let is_of = |outcome: &CallOutcome| match outcome {
                CallOutcome::Token { credential, .. } => credential == of,
                CallOutcome::Error { .. } | CallOutcome::GaveUp {} => false,
            };
            *instance == call.instance && outcome.walk().is_some() && is_of(outcome)
        }
        Kind::IdentityChanged {
            instance, refused, ..
        } => *instance == call.instance && !refused,
        _ => false,
    })
}

/// What answered a visit, beside its arrival: ` -> 500`.
fn answer(visit: &Visit<'_>) -> String {
    match visit.answered.map(|answered| &answered.event.kind) {
        Some(Kind::RequestAnswered { status, .. }) => match status {
            Some(status) => format!(" -> {status}"),
            None => " -> no answer".to_owned(),
        },
        Some(Kind::CommandEnded { code, .. }) => match code {
            Some(code) => format!(" -> exit {code}"),
            None => " -> no exit".to_owned(),
        },
        // A command for Redis states its reply itself.
        _ => String::new(),
    }
}

/// These events of the trace in its order, and what the world became before and between them.
fn and_changes<'a>(
    trace: &'a Trace,
    events: impl IntoIterator<Item = Entry<'a>>,
) -> Vec<Entry<'a>> {
    let mut events: Vec<Entry<'_>> = events.into_iter().collect();
    events.sort_by_key(|event| event.position);
    let (Some(first), Some(last)) = (events.first(), events.last()) else {
        return Vec::new();
    };
    // A change of the same moment that comes after it is not before it.
    let mut before = trace.events.iter().take(first.position + 1);
    let begins = before.rposition(is_change).unwrap_or(0);
    let within = trace.events.iter().enumerate().skip(begins);
    let within = within.take_while(|(_, event)| event.at <= last.at);
    let wanted: Vec<usize> = events.iter().map(|event| event.position).collect();
    let merged = merged(within, &wanted, is_change).into_iter();
    merged
        .map(|(position, event)| Entry { position, event })
        .collect()
}

/// Those of `all` that are wanted anyway or stand at one of the positions in `some`, which are
/// sorted, as those in `all` are. Each is looked at once, however many there are.
fn merged<'a, T>(
    all: impl Iterator<Item = (usize, &'a T)>,
    some: &[usize],
    is_wanted: impl Fn(&T) -> bool,
) -> Vec<(usize, &'a T)> {
    let mut some = some.iter().peekable();
    let mut merged = Vec::new();
    for (position, one) in all {
        let mut is_known = false;
        while some.next_if(|known| **known == position).is_some() {
            is_known = true;
        }
        if is_known || is_wanted(one) {
            merged.push((position, one));
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_grows_no_faster_than_the_trace() {
        let looks = |size: usize| {
            let all: Vec<usize> = (0..size).collect();
            let some: Vec<usize> = all.iter().copied().filter(|one| one % 3 == 0).collect();
            let mut looks = 0;
            let seen = all.iter().enumerate().inspect(|_| looks += 1);
            let merged = merged(seen, &some, |one| one % 2 == 0);
            let wanted = |one: &&usize| one.is_multiple_of(2) || one.is_multiple_of(3);
            let merged: Vec<&usize> = merged.into_iter().map(|(_, one)| one).collect();
            assert_eq!(merged, all.iter().filter(wanted).collect::<Vec<_>>());
            looks
        };
        assert!(looks(4_000) <= 4 * looks(1_000) + 4, "{}", looks(4_000));
    }

    #[test]
    fn events_are_shown_by_their_position_wherever_they_are_kept() {
        let log = |message: &str| Event {
            at: std::time::Duration::ZERO,
            kind: Kind::Log {
                level: "WARN".to_owned(),
                message: message.to_owned(),
            },
        };
        let trace = Trace {
            events: vec![log("first"), log("second"), log("third")],
        };
        // Copies elsewhere in memory, in another order than in the trace.
        let copies = [log("third"), log("second"), log("first")];
        let shown = [(2, 0), (1, 1), (0, 2)].map(|(position, copy): (usize, usize)| Entry {
            position,
            event: &copies[copy],
        });
        let lines = Evidence::with_changes(&trace, shown).lines();
        let order: Vec<_> = ["first", "second", "third"]
            .iter()
            .map(|what| lines.iter().position(|line| line.contains(what)))
            .collect();
        assert_eq!(order, [Some(0), Some(1), Some(2)], "{lines:?}");
    }

    #[test]
    fn a_change_at_the_moment_of_the_first_event_hides_none() {
        let event = |what: &str| Event {
            at: std::time::Duration::ZERO,
            kind: Kind::World {
                what: what.to_owned(),
            },
        };
        let log = |message: &str| Event {
            at: std::time::Duration::ZERO,
            kind: Kind::Log {
                level: "WARN".to_owned(),
                message: message.to_owned(),
            },
        };
        let trace = Trace {
            events: vec![event("before"), log("first"), event("after"), log("second")],
        };
        let shown = [1, 3].map(|position: usize| Entry {
            position,
            event: &trace.events[position],
        });
        let lines = Evidence::with_changes(&trace, shown).lines().join("\n");
        for what in ["before", "first", "after", "second"] {
            assert!(lines.contains(what), "{what}: {lines}");
        }
    }

    #[test]
    fn an_event_given_twice_is_shown_once() {
        let all = [1, 2, 3];
        let seen = all.iter().enumerate();
        assert_eq!(merged(seen, &[0, 2, 2], |_| false), [(0, &1), (2, &3)]);
    }

    #[test]
    fn of_many_lines_the_first_and_the_last_are_shown() {
        let lines = |count: usize| {
            let all: Vec<usize> = (1..=count).collect();
            Evidence::cut(&all, usize::to_string).lines()
        };
        assert_eq!(lines(12).len(), 12);
        let cut = lines(13);
        assert_eq!(cut.len(), 12);
        assert_eq!(cut[7..], ["8", "... 2 more lines ...", "11", "12", "13"]);
    }
}
