//! What scenarios assert about Redis.

mod closed;
mod received;
mod replies;
mod reported;

pub(crate) use closed::judge as judge_closed;
pub(crate) use received::judge as judge_received;
pub(crate) use replies::{judge as judge_replies, judge_failure};
pub(crate) use reported::judge as judge_reported;

use crate::scenario::Span;

/// How many of something are wanted.
struct Count {
    least: u32,
    most: u32,
}

impl Count {
    fn new(exactly: Option<u32>, at_least: Option<u32>, at_most: Option<u32>) -> Self {
        Self {
            least: exactly.or(at_least).unwrap_or(0),
            most: exactly.or(at_most).unwrap_or(u32::MAX),
        }
    }

    fn holds(&self, count: usize) -> bool {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        (self.least..=self.most).contains(&count)
    }

    fn words(&self) -> String {
        match (self.least, self.most) {
            (least, most) if least == most => format!("exactly {least}"),
            (0, most) => format!("at most {most}"),
            (least, u32::MAX) => format!("at least {least}"),
            (least, most) => format!("{least} to {most}"),
        }
    }
}

/// ` between 5d and 6d`, or nothing.
fn between(window: Option<[Span; 2]>) -> String {
    window.map_or_else(String::new, |[from, until]| {
        format!(" between {from} and {until}")
    })
}

/// Whether something that happened at `at` is meant.
fn is_between(window: Option<[Span; 2]>, at: std::time::Duration) -> bool {
    window.is_none_or(|[from, until]| from.0 <= at && at < until.0)
}
