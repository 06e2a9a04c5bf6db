//! The few lines of a trace that show why something does not hold.

use super::view::Call;
use crate::trace::{self, Event, Kind, RedisEvent, Trace};

/// Whether the world became another one.
fn is_change(event: &Event) -> bool {
    matches!(
        event.kind,
        Kind::World { .. } | Kind::FaultInstalled { .. } | Kind::FaultLifted { .. }
    )
}

/// Whether somebody answered the credential, or it said something about that.
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
    pub fn of<'a>(events: impl IntoIterator<Item = &'a Event>) -> Self {
        let events: Vec<&Event> = events.into_iter().collect();
        Self::cut(&events, |event| trace::line(event))
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
        events: impl IntoIterator<Item = &'a Event>,
    ) -> Self {
        let mut events: Vec<&Event> = events.into_iter().collect();
        // They stand in one list: their addresses are their order.
        events.sort_by_key(|event| std::ptr::from_ref(*event));
        let (Some(first), Some(last)) = (events.first(), events.last()) else {
            return Self::none();
        };
        let same = |one: &Event, other: &Event| std::ptr::eq(one, other);
        // A change of the same moment that comes after it is not before it.
        let position = trace.events.iter().position(|event| same(event, first));
        let until = position.map_or(trace.events.len(), |first| first + 1);
        let begins = trace.events[..until].iter().rposition(is_change);
        let within = &trace.events[begins.unwrap_or(0)..];
        let ends = within
            .iter()
            .take_while(|event| event.at <= last.at)
            .count();
        Self::of(merged(&within[..ends], &events, is_change, same))
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
        let end = call.end.as_ref().map(|end| end.event);
        for event in since {
            let own =
                std::ptr::eq(event, call.started) || end.is_some_and(|e| std::ptr::eq(e, event));
            if own || is_change(event) || is_answer(event) {
                events.push(event);
            }
            if end.is_some_and(|e| std::ptr::eq(e, event)) {
                break;
            }
        }
        Self::cut(&trace::fold(&events), String::clone)
    }

    /// The lines.
    pub(crate) fn lines(self) -> Vec<String> {
        let mut lines = self.first;
        if self.left_out > 0 {
            lines.push(format!("... {} more lines ...", self.left_out));
        }
        lines.extend(self.last);
        lines
    }
}

/// Those of `all` that are wanted anyway or among `some`, which stand in the same order. Each is
/// looked at once, however many there are.
fn merged<'a, T>(
    all: &'a [T],
    some: &[&'a T],
    is_wanted: impl Fn(&T) -> bool,
    mut same: impl FnMut(&T, &T) -> bool,
) -> Vec<&'a T> {
    let mut some = some.iter().peekable();
    let mut merged = Vec::new();
    for one in all {
        let mut is_known = false;
        while some.next_if(|known| same(known, one)).is_some() {
            is_known = true;
        }
        if is_known || is_wanted(one) {
            merged.push(one);
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_grows_no_faster_than_the_trace() {
        let looks = |size: i64| {
            let all: Vec<i64> = (0..size).collect();
            let some: Vec<&i64> = all.iter().filter(|one| *one % 3 == 0).collect();
            let mut looks = 0;
            let same = |one: &i64, other: &i64| {
                looks += 1;
                one == other
            };
            let merged = merged(&all, &some, |one| one % 2 == 0, same);
            let wanted = |one: &&i64| **one % 2 == 0 || **one % 3 == 0;
            assert_eq!(merged, all.iter().filter(wanted).collect::<Vec<_>>());
            looks
        };
        assert!(looks(4_000) <= 4 * looks(1_000) + 4, "{}", looks(4_000));
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
        let shown = [&trace.events[1], &trace.events[3]];
        let lines = Evidence::with_changes(&trace, shown).lines().join("\n");
        for what in ["before", "first", "after", "second"] {
            assert!(lines.contains(what), "{what}: {lines}");
        }
    }

    #[test]
    fn an_event_given_twice_is_shown_once() {
        let all = [1, 2, 3];
        let some = [&all[0], &all[2], &all[2]];
        assert_eq!(merged(&all, &some, |_| false, |a, b| a == b), [&1, &3]);
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
