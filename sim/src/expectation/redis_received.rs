//! `that.redis-received`: every message published while a subscriber listens arrives once and in
//! order, or falls into a gap that is reported.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Claim, Expectation, Scale, each_run};
use crate::check::Check;
use crate::judge::{Aspect, Entry, Evidence, Plan, Ruling, View};
use crate::scenario::{diagnostics::one_of, document::Place};
use crate::service::redis::resp::shown;
use crate::trace::{Published, RedisEvent};
use crate::wording::counted;
use crate::world::World;

/// What is published so shortly before the end may still be on its way.
const ON_ITS_WAY: Duration = Duration::from_secs(1);

/// What subscribers receive: every message published while they are subscribed arrives once and
/// in order, or falls into a gap that the client reports.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RedisReceived {
    /// The subscriber. Default: subscriber.
    #[serde(default = "subscriber")]
    pub connection: String,
    /// It receives at least so many messages.
    pub at_least: u32,
    /// It reports at most so many gaps. Default: any number.
    pub gaps_at_most: Option<u32>,
    /// It reports at least so many gaps. Default: 0.
    #[serde(default)]
    pub gaps_at_least: u32,
}

fn subscriber() -> String {
    "subscriber".to_owned()
}

impl Expectation for RedisReceived {
    fn check(&self, place: &Place, check: &mut Check<'_>) {
        check.service("redis", place);
        let calls = check.rest.calls.iter();
        let names: Vec<&str> = calls.filter_map(|call| call.subscribes).collect();
        if !names.contains(&self.connection.as_str()) {
            let problem = check.at_key(
                place,
                format!("no subscriber is called `{}`", self.connection),
            );
            problem.label("not a subscriber of this scenario");
            if names.is_empty() {
                problem
                    .help("add a `[[call]]` with `do.redis-subscribe = { channels = [\"news\"] }`");
            } else {
                problem.expected(one_of(names.iter().copied()));
            }
        }
        if self
            .gaps_at_most
            .is_some_and(|most| most < self.gaps_at_least)
        {
            check
                .at_value(&place.key("gaps-at-most"), "this can never hold")
                .label("less than `gaps-at-least`")
                .expected(format!("{} or more", self.gaps_at_least));
        }
    }

    fn describe(&self) -> String {
        format!(
            "{} receives every message once and in order, or reports a gap; at least {} of them",
            self.connection, self.at_least
        )
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

    fn first_observable(&self, _plan: &Plan<'_>) -> Option<Duration> {
        None
    }

    fn may_change(&self, _view: &View<'_>, _ruling: &Ruling) -> bool {
        false
    }

    fn scale(&mut self, _by: Scale) {}

    fn takes_time(&self) -> Option<&'static str> {
        None
    }

    fn judge(&self, plan: &Plan<'_>, runs: &[View<'_>]) -> Ruling {
        each_run(self, plan, runs, |view| self.of_run(plan, view))
    }
}

impl RedisReceived {
    fn of_run(&self, plan: &Plan<'_>, view: &View<'_>) -> Ruling {
        let who = &self.connection;
        let run = view.run;
        if let Some(unseen) = run.visibility.lacks(&[Aspect::Calls]) {
            return Ruling::not_observed(unseen);
        }
        let fails = |found: String, shown: Vec<Entry<'_>>| {
            Ruling::fails(found, Evidence::with_changes(&run.trace, shown))
        };
        let channels = plan.channels(who);
        let Some(listens_from) = listening(view, who) else {
            return fails("it never listens".to_owned(), Vec::new());
        };
        let Heard { messages, gaps } = Heard::by(view, who);
        let covered = Covered::by(gaps.iter().map(|(_, from, until)| (*from, *until)));
        // Walk through what was published; what was heard must be the same, but for gaps.
        let mut next = messages.iter().peekable();
        let mut missing = 0;
        for (event, Published { channel, message }) in published(view) {
            let is_heard = next
                .peek()
                .is_some_and(|(_, c, m)| **c == **channel && **m == **message);
            if is_heard {
                next.next();
            } else if channels.contains(&**channel)
                && event.at >= listens_from
                && event.at + ON_ITS_WAY < run.ended
            {
                if !covered.holds(event.at) {
                    let found = format!(
                        "{} never comes in its turn, and no gap is reported there",
                        described(channel, message)
                    );
                    return fails(found, vec![event]);
                }
                missing += 1;
            }
        }
        if let Some((event, channel, message)) = next.next() {
            let message = described(channel, message);
            let found = format!("{message} comes twice, or out of order");
            return fails(found, vec![*event]);
        }
        let found = format!(
            "{}, {} with {} in them",
            counted(messages.len(), "message"),
            counted(gaps.len(), "gap"),
            counted(missing, "message")
        );
        if messages.len() < self.at_least as usize
            || gaps.len() < self.gaps_at_least as usize
            || self
                .gaps_at_most
                .is_some_and(|most| gaps.len() > most as usize)
        {
            return fails(found, gaps.iter().map(|(event, ..)| *event).collect());
        }
        Ruling::holds(found)
    }
}

/// What one subscriber records, each entry with its event.
struct Heard<'a> {
    /// The messages in the order of their arrival: channel and text.
    messages: Vec<(Entry<'a>, &'a str, &'a str)>,
    /// The gaps: from when and until when messages may have been lost.
    gaps: Vec<(Entry<'a>, Duration, Duration)>,
}

impl<'a> Heard<'a> {
    /// Collects what the subscriber `who` records.
    fn by(view: &View<'a>, who: &str) -> Self {
        let mut heard = Self {
            messages: Vec::new(),
            gaps: Vec::new(),
        };
        for (event, redis) in view.redis() {
            match redis {
                RedisEvent::Received {
                    on,
                    channel,
                    message,
                } if on == who => {
                    heard.messages.push((event, channel, message));
                }
                RedisEvent::Gap {
                    on, from, until, ..
                } if on == who => heard.gaps.push((event, *from, *until)),
                _ => {}
            }
        }
        heard
    }
}

/// A message as the server's side of the trace shows it: long ones are cut.
fn described(channel: &str, message: &str) -> String {
    let (channel, message) = (shown(channel.as_bytes()), shown(message.as_bytes()));
    format!("`{message}` on {channel}")
}

/// The times that gaps cover.
struct Covered(Vec<(Duration, Duration)>);

impl Covered {
    fn by(gaps: impl Iterator<Item = (Duration, Duration)>) -> Self {
        let mut gaps: Vec<_> = gaps.collect();
        gaps.sort_unstable();
        // How far those reach that begin so early.
        let mut reach = Duration::ZERO;
        for (_, until) in &mut gaps {
            reach = reach.max(*until);
            *until = reach;
        }
        Self(gaps)
    }

    /// Whether a gap covers `at`, its ends included.
    fn holds(&self, at: Duration) -> bool {
        let begun = self.0.partition_point(|(from, _)| *from <= at);
        let reach = begun.checked_sub(1).and_then(|last| self.0.get(last));
        reach.is_some_and(|(_, until)| at <= *until)
    }
}

/// Since when it does.
fn listening(view: &View<'_>, who: &str) -> Option<Duration> {
    let mut call_of = None;
    for (event, redis) in view.redis() {
        match redis {
            RedisEvent::WorkStarted {
                call,
                on,
                is_subscription: true,
                ..
            } if on == who => call_of = Some(*call),
            RedisEvent::WorkEnded { call, replies, .. } if call_of == Some(*call) => {
                let failed = replies.iter().any(|reply| reply.error);
                return (!failed).then_some(event.at);
            }
            _ => {}
        }
    }
    None
}

/// What was published, in order, each with the event of the command that did it.
fn published<'a>(view: &View<'a>) -> impl Iterator<Item = (Entry<'a>, &'a Published)> {
    view.redis().flat_map(|(event, redis)| {
        let published: &[Published] = match redis {
            RedisEvent::Command { published, .. } => {
                published.as_deref().map_or(&[], Vec::as_slice)
            }
            _ => &[],
        };
        published.iter().map(move |one| (event, one))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_may_overlap_and_hold_their_ends() {
        let second = Duration::from_secs;
        let gaps = [(5, 6), (1, 9), (20, 21)].map(|(from, until)| (second(from), second(until)));
        let covered = Covered::by(gaps.into_iter());
        let held = (0..24).filter(|at| covered.holds(second(*at)));
        assert_eq!(
            held.collect::<Vec<_>>(),
            [1, 2, 3, 4, 5, 6, 7, 8, 9, 20, 21]
        );
    }
}
