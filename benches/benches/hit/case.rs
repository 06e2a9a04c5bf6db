//! One way to get a cached token.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use credsim_benches::rows::Row;

use crate::service::LENGTH;

/// A credential, a way to call it, and the loop that does so. The call is inlined into the loop, as
/// the compiler would do in an application.
pub struct Case {
    pub who: &'static str,
    pub what: &'static str,
    hits: Box<dyn Fn(u64) -> u64 + Send + Sync>,
}

impl Case {
    /// `hits` gets a token this many times and returns the sum of their lengths.
    pub fn asking(
        who: &'static str,
        what: &'static str,
        hits: impl Fn(u64) -> u64 + Send + Sync + 'static,
    ) -> Self {
        let hits = Box::new(hits);
        Self { who, what, hits }
    }

    /// `hit` gets a token at once and returns its length; zero if there is none.
    pub fn new(
        who: &'static str,
        what: &'static str,
        hit: impl Fn() -> usize + Send + Sync + 'static,
    ) -> Self {
        let hits = move |times| {
            let mut sum = 0;
            for _ in 0..times {
                sum += black_box(&hit)() as u64;
            }
            sum
        };
        Self::asking(who, what, hits)
    }

    /// The time that this many hits take.
    ///
    /// # Panics
    /// If one of them returned no token.
    pub fn time(&self, times: u64) -> Duration {
        let start = Instant::now();
        let sum = (self.hits)(times);
        let took = start.elapsed();
        assert_eq!(sum, times * LENGTH as u64, "{}: {}", self.who, self.what);
        took
    }

    /// Returns how many hits take about `turn`; warms up.
    pub fn calibrate(&self, turn: Duration) -> u64 {
        let mut times = 100;
        loop {
            let took = self.time(times);
            if took * 2 > turn {
                let scale = turn.as_secs_f64() / took.as_secs_f64();
                return ((times as f64 * scale) as u64).max(1);
            }
            times *= 2;
        }
    }

    /// A row about this case, without figures.
    pub fn row(&self, group: &str, unit: &str, callers: u32) -> Row {
        Row {
            group: group.to_owned(),
            who: self.who.to_owned(),
            what: self.what.to_owned(),
            callers,
            unit: unit.to_owned(),
            median: f64::NAN,
            low: f64::NAN,
            high: f64::NAN,
            samples: 0,
            note: String::new(),
        }
    }
}

/// A loop around the code of an application, which awaits a token and reads its secret. The whole
/// loop is one future that is polled once: if any hit is pending, no length is returned.
macro_rules! asking {
    ($answer:expr, $token:ident => $secret:expr) => {
        move |times: u64| {
            let all = async {
                let mut sum = 0;
                for _ in 0..times {
                    if let Ok($token) = $answer.await {
                        sum += $secret.len() as u64;
                    }
                }
                sum
            };
            all.now_or_never().unwrap_or_default()
        }
    };
}

pub(crate) use asking;
