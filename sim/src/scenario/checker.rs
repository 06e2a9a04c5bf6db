//! Reports what makes no sense in a file that fits its model: each problem at the key or value that
//! says it.

use std::{ops::Range as Window, time::Duration};

use super::{
    Range, Span,
    diagnostics::{Problem, Problems},
    document::{Document, Place},
};
use crate::redact::is_hidden;

/// Collects the problems of one file.
pub(crate) struct Checker<'a> {
    document: &'a Document<'a>,
    /// How long the world of the file lasts: the end of every window.
    pub(crate) lasts: Span,
    problems: Problems,
}

impl<'a> Checker<'a> {
    /// A checker for `document`, whose world lasts this long.
    pub(crate) fn new(document: &'a Document<'a>, lasts: Span) -> Self {
        Self {
            document,
            lasts,
            problems: Problems::default(),
        }
    }

    /// The file.
    pub(crate) fn document(&self) -> &'a Document<'a> {
        self.document
    }

    /// Everything that was reported.
    pub(crate) fn into_problems(self) -> Problems {
        self.problems
    }

    /// Reports something about the key at `place`.
    pub(crate) fn at_key(&mut self, place: &Place, message: impl Into<String>) -> &mut Problem {
        self.report(self.document.key(place), message)
    }

    /// Reports something about the value at `place`.
    pub(crate) fn at_value(&mut self, place: &Place, message: impl Into<String>) -> &mut Problem {
        self.report(self.document.value(place), message)
    }

    /// Reports something that is missing in the file.
    pub(crate) fn whole_file(&mut self, message: &str) -> &mut Problem {
        self.report(self.document.first_key(), message)
    }

    pub(crate) fn report(
        &mut self,
        span: Window<usize>,
        message: impl Into<String>,
    ) -> &mut Problem {
        self.problems.push(Problem::new(span, message))
    }

    /// A text that says something.
    pub(crate) fn text(&mut self, text: &str, place: &Place, expected: &str) {
        if text.trim().is_empty() {
            self.at_value(place, "this text is empty")
                .label("says nothing")
                .expected(expected);
        }
    }

    /// A value that is shown on one line.
    pub(crate) fn visible_text(&mut self, text: &str, place: &Place) {
        let span = self.document.value(place);
        self.visible(text, span, "one line of visible characters");
    }

    /// A text that reaches terminals and logs, where some characters would do something.
    pub(crate) fn visible(&mut self, text: &str, span: Window<usize>, expected: &str) {
        if let Some(letter) = text.chars().find(|letter| is_hidden(*letter)) {
            self.report(span, "this text holds a character that can't be seen")
                .label(match letter {
                    '\n' => "a line break".to_owned(),
                    '\t' => "a tab".to_owned(),
                    _ => format!("U+{:04X}", u32::from(letter)),
                })
                .expected(expected)
                .help("remove it: terminals and logs would obey it");
        }
    }

    /// A moment of the timeline or of a window, before the world's end.
    pub(crate) fn before_the_end(&mut self, time: Span, place: &Place) -> bool {
        let end = self.lasts;
        let is_before = time < end;
        if !is_before {
            self.at_value(place, format!("{time} is after the end of the world"))
                .label(format!("the world lasts {end}"))
                .expected(format!(
                    "a time before {end}, counted from the world's start"
                ))
                .help("move it forward, or raise `world.lasts`");
        }
        is_before
    }

    /// The end of a window: no later than the world's end, and after its beginning.
    pub(crate) fn window(
        &mut self,
        from: Span,
        until: Option<Span>,
        place: &Place,
        names: [&str; 2],
    ) -> Option<Window<Duration>> {
        let end = self.lasts;
        if !self.before_the_end(from, &place.key(names[0])) {
            return None;
        }
        let last = until.unwrap_or(end);
        let place = place.key(names[1]);
        if last > end {
            self.at_value(&place, format!("{last} is after the end of the world"))
                .label(format!("the world lasts {end}"))
                .expected(format!("at most {end}, counted from the world's start"))
                .help(format!(
                    "leave `{}` out: the world's end is the default",
                    names[1]
                ));
            return None;
        }
        if last <= from {
            self.at_value(&place, "this window is empty")
                .label(format!("not after `{}`, which is {from}", names[0]))
                .expected(format!(
                    "a time after {from}, counted from the world's start"
                ))
                .help("times are counted from the world's start, not from each other");
            return None;
        }
        Some(from.0..last.0)
    }

    /// A duration that must not be zero.
    pub(crate) fn longer_than_zero(&mut self, span: Span, place: &Place, help: &str) {
        if span.0.is_zero() {
            self.at_value(place, "this must be longer than 0s")
                .label("no time at all")
                .expected("a duration such as \"1s\"")
                .help(help);
        }
    }

    /// Two bounds: the lower one must not be above the upper one.
    pub(crate) fn bounds<T: PartialOrd + ToString>(
        &mut self,
        least: Option<T>,
        most: Option<T>,
        place: &Place,
        names: [&str; 2],
    ) {
        if let (Some(least), Some(most)) = (least, most)
            && least > most
        {
            self.at_value(
                &place.key(names[1]),
                format!("`{}` is below `{}`", names[1], names[0]),
            )
            .label(format!("`{}` is {}", names[0], least.to_string()))
            .expected(format!("{} or more", least.to_string()))
            .help("exchange the two");
        }
    }

    /// A range of durations.
    pub(crate) fn range(&mut self, range: Option<Range>, place: &Place) {
        if let Some(range) = range {
            self.bounds(
                Some(range.at_least),
                Some(range.at_most),
                place,
                ["at-least", "at-most"],
            );
        }
    }

    /// A duration that an answer writes as a number of seconds.
    pub(crate) fn whole_seconds(&mut self, span: Span, place: &Place) {
        if span.0.subsec_nanos() > 0 {
            let shorter = Span(Duration::from_secs(span.0.as_secs()));
            let longer = Span(Duration::from_secs(span.0.as_secs() + 1));
            let problem = self.at_value(place, "answers say this in whole seconds");
            problem
                .label("a fraction of a second")
                .expected("a number of whole seconds");
            if shorter.0.is_zero() {
                problem.help(format!("write \"{longer}\""));
            } else {
                problem.help(format!("write \"{shorter}\" or \"{longer}\""));
            }
        }
    }

    /// A number between 0 and 1.
    pub(crate) fn share(&mut self, share: f64, place: &Place) -> bool {
        let fits = (0.0..=1.0).contains(&share);
        if !fits {
            self.at_value(place, format!("{share} is not a share"))
                .label("outside 0 to 1")
                .expected("a number from 0 to 1")
                .help(if (1.0..=100.0).contains(&share) {
                    format!("{share} percent is {}", share / 100.0)
                } else {
                    "0 is nothing, 1 is all".to_owned()
                });
        }
        fits
    }

    /// The value of an HTTP header.
    pub(crate) fn header_value(&mut self, value: &str, place: &Place) {
        if http::HeaderValue::from_str(value).is_err() {
            self.at_value(place, "no header can have this value")
                .label("contains a line break or an invisible character")
                .expected("one line of visible characters");
        }
    }
}
