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

/// Events worth showing, in the order of the trace.
#[derive(Clone, Debug, Default)]
pub struct Evidence(Vec<String>);

impl Evidence {
    /// Nothing to show: what was expected never happened.
    pub fn none() -> Self {
        Self::default()
    }

    /// These events, as lines.
    pub fn of<'a>(events: impl IntoIterator<Item = &'a Event>) -> Self {
        Self(events.into_iter().map(trace::line).collect())
    }

    /// These events of the trace, and what the world became before and between them.
    pub(super) fn with_changes<'a>(
        trace: &'a Trace,
        events: impl IntoIterator<Item = &'a Event>,
    ) -> Self {
        let events: Vec<&Event> = events.into_iter().collect();
        let (Some(first), Some(last)) = (events.first(), events.last()) else {
            return Self::none();
        };
        let begins = trace
            .events
            .iter()
            .rposition(|event| is_change(event) && event.at <= first.at);
        let shown = trace.events[begins.unwrap_or(0)..]
            .iter()
            .take_while(|event| event.at <= last.at)
            .filter(|event| {
                is_change(event) || events.iter().any(|known| std::ptr::eq(*known, *event))
            });
        Self::of(shown)
    }

    /// What led to the outcome of a call: the last change of the world before it, what services
    /// and commands answered meanwhile, and the call itself.
    pub(super) fn of_call(trace: &Trace, call: &Call<'_>) -> Self {
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
        Self(trace::fold(&events))
    }

    /// The lines: all of them if they are few, else the first and the last ones.
    pub(super) fn lines(self) -> Vec<String> {
        let lines = self.0;
        if lines.len() <= MOST {
            return lines;
        }
        let left_out = lines.len() - (MOST - 1);
        let mut shown = lines[..MOST - 4].to_vec();
        shown.push(format!("... {left_out} more lines ..."));
        shown.extend_from_slice(&lines[lines.len() - 3..]);
        shown
    }
}
