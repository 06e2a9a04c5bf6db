//! What types can't say: whether a scenario that fits the model also makes sense. Everything that
//! is wrong is reported, each at the key that says it.

mod calls;
mod citations;
mod conflicts;
mod expect;
mod fault;
mod known_failures;
mod names;
mod redis;
mod subject;
mod targets;
mod timeline;
mod world;

use std::{ops::Range as Window, time::Duration};

use super::{
    Range, Scenario, Span, That,
    diagnostics::{Problem, is_hidden},
    document::{Document, Place},
};
use names::Names;

/// Everything in the scenario that makes no sense.
pub(super) fn check(scenario: &Scenario, document: &Document<'_>) -> Vec<Problem> {
    let names = Names::of(scenario);
    let mut check = Check {
        scenario,
        document,
        names,
        problems: Vec::new(),
    };
    check.header();
    check.citations();
    check.world();
    check.subject();
    check.redis_subject();
    check.timeline();
    check.calls();
    check.expectations();
    check.conflicts();
    check.problems
}

struct Check<'a> {
    scenario: &'a Scenario,
    document: &'a Document<'a>,
    names: Names<'a>,
    problems: Vec<Problem>,
}

impl Check<'_> {
    /// Reports something about the key at `place`.
    fn at_key(&mut self, place: &Place, message: impl Into<String>) -> &mut Problem {
        self.report(self.document.key(place), message)
    }

    /// Reports something about the value at `place`.
    fn at_value(&mut self, place: &Place, message: impl Into<String>) -> &mut Problem {
        self.report(self.document.value(place), message)
    }

    /// Reports something that is missing in the file.
    fn whole_file(&mut self, message: &str) -> &mut Problem {
        self.report(self.document.first_key(), message)
    }

    fn report(&mut self, span: Window<usize>, message: impl Into<String>) -> &mut Problem {
        let index = self.problems.len();
        self.problems.push(Problem::new(span, message));
        &mut self.problems[index]
    }

    fn header(&mut self) {
        let root = Place::default();
        let scenario = self.scenario;
        self.text(&scenario.title, &root.key("title"), "the story in one line");
        self.text(
            &scenario.story,
            &root.key("story"),
            "what happened to somebody, in a few sentences",
        );
        let story = scenario
            .story
            .replace("\r\n", " ")
            .replace(['\n', '\t'], " ");
        let span = self.document.value(&root.key("story"));
        self.visible(&story, span, "a text in visible characters");
        if !scenario.title.trim().contains('\n') {
            self.visible_text(&scenario.title, &root.key("title"));
        }
        if scenario.title.trim().contains('\n') {
            self.at_value(&root.key("title"), "the title has more than one line")
                .label("it goes on in the next line")
                .expected("the story in one line")
                .help("move the details to `story`");
        }
        for (index, source) in scenario.sources.iter().enumerate() {
            self.text(
                source,
                &root.key("sources").index(index),
                "a document or an issue",
            );
        }
        if scenario.call.is_empty() && !self.is_about_building() {
            self.whole_file("this scenario can never fail: nobody asks for a token")
                .label("this file has no `[[call]]`")
                .expected("at least one `[[call]]`")
                .help(
                    "add `[[call]]` with \
                     `do.get-token = { scopes = [\"https://vault.azure.net/.default\"] }`",
                );
        }
        if scenario.expect.is_empty() {
            self.whole_file("this scenario can never fail: it expects nothing")
                .label("this file has no `[[expect]]`")
                .expected("at least one `[[expect]]`")
                .help("add `[[expect]]` with `that.token-from = {}`, for example");
        }
        if let Some(seeds) = &scenario.seeds {
            let place = root.key("seeds").key("count");
            if seeds.count == 0 {
                self.at_value(&place, "a scenario with no seeds is never played")
                    .label("zero")
                    .expected("how many seeds, counting up from the first one")
                    .help("leave `[seeds]` out to play it once");
            }
            if seeds.count > MOST_SEEDS {
                self.at_value(&place, "too many seeds")
                    .label("this would take very long")
                    .expected(format!("at most {MOST_SEEDS}"));
            }
        }
    }

    /// Whether the story is that the credential can't be built.
    fn is_about_building(&self) -> bool {
        let mut expectations = self.scenario.expect.iter();
        expectations.any(|expect| matches!(expect.that, That::NotBuilt(_)))
    }

    /// A text that says something.
    fn text(&mut self, text: &str, place: &Place, expected: &str) {
        if text.trim().is_empty() {
            self.at_value(place, "this text is empty")
                .label("says nothing")
                .expected(expected);
        }
    }

    /// A value that is shown on one line.
    fn visible_text(&mut self, text: &str, place: &Place) {
        let span = self.document.value(place);
        self.visible(text, span, "one line of visible characters");
    }

    /// A text that reaches terminals and logs, where some characters would do something.
    fn visible(&mut self, text: &str, span: Window<usize>, expected: &str) {
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
    fn before_the_end(&mut self, time: Span, place: &Place) -> bool {
        let end = self.scenario.world.lasts;
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
    fn window(
        &mut self,
        from: Span,
        until: Option<Span>,
        place: &Place,
        names: [&str; 2],
    ) -> Option<Window<Duration>> {
        let end = self.scenario.world.lasts;
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
    fn longer_than_zero(&mut self, span: Span, place: &Place, help: &str) {
        if span.0.is_zero() {
            self.at_value(place, "this must be longer than 0s")
                .label("no time at all")
                .expected("a duration such as \"1s\"")
                .help(help);
        }
    }

    /// Two bounds: the lower one must not be above the upper one.
    fn bounds<T: PartialOrd + ToString>(
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
    fn range(&mut self, range: Option<Range>, place: &Place) {
        if let Some(range) = range {
            self.bounds(
                Some(range.at_least),
                Some(range.at_most),
                place,
                ["at-least", "at-most"],
            );
        }
    }

    /// A number between 0 and 1.
    fn share(&mut self, share: f64, place: &Place) -> bool {
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
}

const MOST_SEEDS: u32 = 100_000;
