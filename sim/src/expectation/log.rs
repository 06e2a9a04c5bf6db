//! `that.log`: what the credential logs, and how often.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Claim, Expectation, Scale, count::Count, each_run, lacks, window};
use crate::check::Check;
use crate::judge::{Aspect, Entry, Evidence, Plan, Ruling, View};
use crate::scenario::{Span, document::Place};
use crate::trace::Kind;
use crate::world::World;

/// How many warnings and errors the credential logs.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Log {
    /// Only those of this level. Default: both.
    pub level: Option<LogLevel>,
    /// Only those that contain these texts, in this order.
    #[serde(default)]
    pub contains: Vec<String>,
    /// Only those between these times. Default: all.
    pub between: Option<[Span; 2]>,
    /// At least so many. Default: 0.
    pub at_least: Option<u32>,
    /// At most so many.
    pub at_most: Option<u32>,
    /// Exactly so many; instead of the other two.
    pub exactly: Option<u32>,
}

/// The levels that a trace holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LogLevel {
    /// A warning.
    Warn,
    /// An error.
    Error,
}

impl LogLevel {
    /// Its name in traces.
    fn name(self) -> &'static str {
        match self {
            Self::Warn => "WARN",
            Self::Error => "ERROR",
        }
    }
}

impl Expectation for Log {
    fn check(&self, place: &Place, check: &mut Check<'_>) {
        check.texts(&self.contains, &place.key("contains"));
        check.between(self.between, place);
        Count::check(self.exactly, self.at_least, self.at_most, place, check);
    }

    fn describe(&self) -> String {
        let (one, many) = match self.level {
            None => ("warning or error", "warnings or errors"),
            Some(LogLevel::Warn) => ("warning", "warnings"),
            Some(LogLevel::Error) => ("error", "errors"),
        };
        let mut text = format!("the credential logs {}", self.count().of(one, many));
        for part in &self.contains {
            text += &format!(", saying \"{part}\"");
        }
        text + &window::words(self.between)
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
        window::begin(self.between)
    }

    fn may_change(&self, view: &View<'_>, _ruling: &Ruling) -> bool {
        view.ends_before(window::end(self.between))
            && self.count().may_change(self.lines(view).len())
    }

    fn scale(&mut self, by: Scale) {
        by.between(&mut self.between);
    }

    fn takes_time(&self) -> Option<&'static str> {
        None
    }

    fn judge(&self, plan: &Plan<'_>, runs: &[View<'_>]) -> Ruling {
        each_run(self, plan, runs, |view| self.of_run(view))
    }
}

impl Log {
    fn count(&self) -> Count {
        Count::new(self.exactly, self.at_least, self.at_most)
    }

    /// The lines that count.
    fn lines<'a>(&self, view: &View<'a>) -> Vec<Entry<'a>> {
        let level = self.level.map(LogLevel::name);
        let lines = view.all().filter(|event| {
            matches!(&event.event.kind, Kind::Log { level: of, message }
                if level.is_none_or(|level| *level == **of)
                    && lacks(message, &self.contains).is_none())
                && window::holds(self.between, event.at)
        });
        lines.collect()
    }

    fn of_run(&self, view: &View<'_>) -> Ruling {
        let visibility = view.run.visibility;
        // Another library has words of its own.
        let words = (!self.contains.is_empty()).then_some(Aspect::Words);
        let needs: Vec<Aspect> = [Aspect::Reports].into_iter().chain(words).collect();
        if let Some(unseen) = visibility.lacks(&needs) {
            return Ruling::not_observed(unseen);
        }
        let lines = self.lines(view);
        let found = match lines.len() {
            0 => "there is none".to_owned(),
            1 => "there is one".to_owned(),
            count => format!("there are {count}"),
        };
        if self.count().holds(lines.len()) {
            return Ruling::holds(found);
        }
        // What it logged instead tells more than silence.
        let shown = if lines.is_empty() {
            let is_log = |event: &Entry<'_>| matches!(event.event.kind, Kind::Log { .. });
            view.all().filter(is_log).collect()
        } else {
            lines
        };
        Ruling::fails(found, Evidence::with_changes(&view.run.trace, shown))
    }
}
