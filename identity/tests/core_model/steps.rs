//! What may happen to a cache.

use std::time::Duration;

use proptest::{collection::vec, prelude::*, sample::select};

use super::world::KEYS;

#[derive(Clone, Debug)]
pub enum Step {
    /// A caller comes, and goes after `patience` at the latest.
    Call {
        key: usize,
        wants: Duration,
        forced: bool,
        patience: Duration,
    },
    /// Time goes by.
    Pass(Duration),
    /// The wall clock is set forward, as it is when a host was suspended.
    Forward(Duration),
    /// The wall clock is set back.
    Back(Duration),
    /// From now on the source answers so.
    Source { takes: Takes, answer: Answer },
    /// Everything ends.
    Dispose,
}

#[derive(Clone, Copy, Debug)]
pub enum Takes {
    Time(Duration),
    Forever,
}

#[derive(Clone, Copy, Debug)]
pub enum Answer {
    /// A new token of this life.
    New(Duration),
    /// The token that was given last for this key.
    Same,
    Error,
    /// An error with a `retry_at` so far away.
    Busy(Duration),
}

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const fn min(minutes: u64) -> Duration {
    s(60 * minutes)
}

pub fn steps() -> impl Strategy<Value = Vec<Step>> {
    let pass = select(vec![s(1), s(20), s(31), min(4), min(20), min(31), min(120)]);
    let set = select(vec![s(2), min(5), min(50), min(180)]);
    let step = prop_oneof![
        40 => call(),
        20 => pass.prop_map(Step::Pass),
        4 => set.clone().prop_map(Step::Forward),
        4 => set.prop_map(Step::Back),
        20 => (takes(), answer()).prop_map(|(takes, answer)| Step::Source { takes, answer }),
        1 => Just(Step::Dispose),
    ];
    vec(step, 1..60)
}

fn call() -> impl Strategy<Value = Step> {
    let wants = select(vec![s(30), s(0), min(10), min(120)]);
    let patience = select(vec![s(0), s(3), min(1), min(45)]);
    // One key more often than all others, so that much happens to it.
    let key = prop_oneof![2 => Just(0), 1 => 0..KEYS];
    (key, wants, prop::bool::weighted(0.1), patience).prop_map(|(key, wants, forced, patience)| {
        Step::Call {
            key,
            wants,
            forced,
            patience,
        }
    })
}

fn takes() -> impl Strategy<Value = Takes> {
    prop_oneof![
        3 => Just(Takes::Time(Duration::ZERO)),
        3 => select(vec![s(2), s(40), min(20)]).prop_map(Takes::Time),
        1 => Just(Takes::Forever),
    ]
}

fn answer() -> impl Strategy<Value = Answer> {
    let life = select(vec![
        s(0),
        s(4),
        s(50),
        min(8),
        min(60),
        min(180),
        min(24 * 60),
    ]);
    prop_oneof![
        4 => life.prop_map(Answer::New),
        2 => Just(Answer::Same),
        2 => Just(Answer::Error),
        2 => select(vec![s(10), min(2), min(60)]).prop_map(Answer::Busy),
    ]
}
