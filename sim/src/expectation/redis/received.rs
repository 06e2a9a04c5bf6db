//! `that.redis-received`: every message published while somebody listens arrives once and in
//! order, or falls into a gap that is reported.

use std::time::Duration;

use crate::judge::{Evidence, Finding};
use crate::{
    judge::{Run, Side},
    scenario::{CallDo, RedisReceived, Scenario},
    service::redis::resp::shown,
    trace::{Event, Kind, Published, RedisEvent},
};

const NAME: &str = "redis-received";

/// What is published so shortly before the end may still be on its way.
const ON_ITS_WAY: Duration = Duration::from_secs(1);

pub(crate) fn judge(scenario: &Scenario, run: &Run, wanted: &RedisReceived) -> Finding {
    let who = &wanted.connection;
    let expected = format!(
        "{who} receives every message once and in order, or reports a gap; at least {} of them",
        wanted.at_least
    );
    if let Some(unseen) = run.sight.lacks(&[Side::Calls]) {
        return Finding::not_observed(NAME, unseen, expected);
    }
    let fails = |found: String, shown: Vec<&Event>| {
        let shown = Evidence::with_changes(&run.trace, shown);
        Finding::fails(NAME, found, expected.clone(), shown)
    };
    let channels = channels(scenario, who);
    let Some(listens_from) = listening(run, who) else {
        return fails("it never listens".to_owned(), Vec::new());
    };
    let mut heard = Vec::new();
    let mut gaps = Vec::new();
    for event in &run.trace.events {
        match &event.kind {
            Kind::Redis(RedisEvent::Received {
                on,
                channel,
                message,
            }) if on == who => {
                heard.push((event, channel.as_str(), message.as_str()));
            }
            Kind::Redis(RedisEvent::Gap {
                on, from, until, ..
            }) if on == who => gaps.push((event, *from, *until)),
            _ => {}
        }
    }
    let covered = Covered::by(gaps.iter().map(|(_, from, until)| (*from, *until)));
    // Walk through what was published; what was heard must be the same, but for gaps.
    let mut next = heard.iter().peekable();
    let mut missing = 0;
    for (event, Published { channel, message }) in published(run) {
        let is_heard = next
            .peek()
            .is_some_and(|(_, c, m)| **c == **channel && **m == **message);
        if is_heard {
            next.next();
        } else if channels.contains(&&**channel)
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
        return fails(found, vec![event]);
    }
    let found = format!(
        "{} messages, {} gaps with {missing} messages in them",
        heard.len(),
        gaps.len()
    );
    let shown = || gaps.iter().map(|(event, ..)| *event).collect();
    if heard.len() < wanted.at_least as usize
        || gaps.len() < wanted.gaps_at_least as usize
        || wanted
            .gaps_at_most
            .is_some_and(|most| gaps.len() > most as usize)
    {
        return fails(found, shown());
    }
    Finding::holds(NAME, found, expected)
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

/// What the subscriber listens to.
fn channels<'a>(scenario: &'a Scenario, who: &str) -> Vec<&'a str> {
    let calls = scenario.call.iter();
    let wanted = calls.filter_map(|call| match &call.action {
        CallDo::RedisSubscribe(to) if to.connection == who => Some(&to.channels),
        _ => None,
    });
    wanted.flatten().map(String::as_str).collect()
}

/// Since when it does.
fn listening(run: &Run, who: &str) -> Option<Duration> {
    let mut call_of = None;
    for event in &run.trace.events {
        match &event.kind {
            Kind::Redis(RedisEvent::WorkStarted {
                call,
                on,
                is_subscription: true,
                ..
            }) if on == who => call_of = Some(*call),
            Kind::Redis(RedisEvent::WorkEnded { call, replies, .. }) if call_of == Some(*call) => {
                let failed = replies.iter().any(|reply| reply.error);
                return (!failed).then_some(event.at);
            }
            _ => {}
        }
    }
    None
}

/// What was published, in order, each with the event of the command that did it.
fn published(run: &Run) -> impl Iterator<Item = (&Event, &Published)> {
    run.trace.events.iter().flat_map(|event| {
        let published: &[Published] = match &event.kind {
            Kind::Redis(RedisEvent::Command { published, .. }) => {
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
