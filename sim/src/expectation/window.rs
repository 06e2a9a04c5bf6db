//! Windows of time in expectations: their words, what falls into them, and their scale.

use std::time::Duration;

use crate::scenario::Span;

/// ` between 5d and 6d`, or nothing.
pub(super) fn words(between: Option<[Span; 2]>) -> String {
    between.map_or_else(String::new, |[from, until]| {
        format!(" between {from} and {until}")
    })
}

/// Whether what happened at `at` is in the window.
pub(super) fn holds(between: Option<[Span; 2]>, at: Duration) -> bool {
    between.is_none_or(|[from, until]| from.0 <= at && at < until.0)
}

/// When the window begins and ends.
pub(super) fn begin(between: Option<[Span; 2]>) -> Option<Duration> {
    between.map(|[from, _]| from.0)
}

/// See [`begin`].
pub(super) fn end(between: Option<[Span; 2]>) -> Option<Span> {
    between.map(|[_, until]| until)
}

/// A timeline that runs so many times faster.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale(pub f64);

impl Scale {
    /// Where a time of the timeline is then.
    pub fn time(self, time: Span) -> Span {
        Span(time.0.div_f64(self.0))
    }

    /// Moves the ends of a window.
    pub(super) fn window(self, from: &mut Span, until: &mut Option<Span>) {
        *from = self.time(*from);
        *until = until.map(|until| self.time(until));
    }

    /// The same for `between`.
    pub(super) fn between(self, between: &mut Option<[Span; 2]>) {
        *between = between.map(|both| both.map(|time| self.time(time)));
    }
}
