//! What types can't say: whether a scenario that fits the model also makes sense. Everything that
//! is wrong is reported, each at the key that says it.

mod citations;
mod known_failures;
mod names;
mod rest;
pub(crate) mod size;
mod subject;
mod world;

use std::{
    collections::BTreeSet,
    ops::{Deref, DerefMut},
};

use super::Scenario;
use crate::scenario::{
    checker::Checker,
    diagnostics::Problems,
    document::{Document, Place},
};
use crate::{action, call, check::Check};

/// What the expectations of a file must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asserting {
    /// At least one `[[expect]]`: otherwise nothing that happens could make the scenario fail.
    Something,
    /// Anything, also none: the file is played to be watched.
    Anything,
}

/// Everything in the scenario that makes no sense.
pub(crate) fn check(
    scenario: &Scenario,
    document: &Document<'_>,
    asserting: Asserting,
) -> Problems {
    let check = Check {
        names: names::of(scenario),
        rest: rest::of(scenario),
        ids: BTreeSet::new(),
        checker: Checker::new(document, scenario.world.lasts),
    };
    let mut check = Whole { scenario, check };
    check.header();
    if asserting == Asserting::Something {
        check.asserts_something();
    }
    check.citations();
    check.world();
    check.subject();
    action::check(&scenario.at, &scenario.world, &mut check);
    call::check(&scenario.call, &mut check);
    check.expectations();
    crate::expectation::conflicts(&scenario.expect, &mut check);
    check.check.checker.into_problems()
}

/// Checks a whole scenario. Derefs to the [`Check`] that its parts are given.
struct Whole<'a> {
    scenario: &'a Scenario,
    check: Check<'a>,
}

impl<'a> Deref for Whole<'a> {
    type Target = Check<'a>;

    fn deref(&self) -> &Check<'a> {
        &self.check
    }
}

impl DerefMut for Whole<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.check
    }
}

impl Whole<'_> {
    fn header(&mut self) {
        let root = Place::default();
        let scenario = self.scenario;
        self.text(&scenario.title, &root.key("title"), "the story in one line");
        self.text(
            &scenario.story,
            &root.key("story"),
            "what happens, in a few sentences",
        );
        let story = scenario
            .story
            .replace("\r\n", " ")
            .replace(['\n', '\t'], " ");
        let span = self.document().value(&root.key("story"));
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
        if scenario.call.is_empty() && !self.rest.is_about_building {
            self.whole_file("this scenario can never fail: it makes no call")
                .label("this file has no `[[call]]`")
                .expected("at least one `[[call]]`")
                .help(
                    "add `[[call]]` with \
                     `do.get-token = { scopes = [\"https://vault.azure.net/.default\"] }`",
                );
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
}

impl Whole<'_> {
    fn asserts_something(&mut self) {
        if self.scenario.expect.is_empty() {
            self.whole_file("this scenario can never fail: it expects nothing")
                .label("this file has no `[[expect]]`")
                .expected("at least one `[[expect]]`")
                .help(
                    "add `[[expect]]` with `that.token-from = {}`, for example; to watch the world \
                     without asserting anything, use `run --trace` or `serve`",
                );
        }
    }

    fn expectations(&mut self) {
        let scenario = self.scenario;
        for (index, expect) in scenario.expect.iter().enumerate() {
            expect.check(&Place::default().key("expect").index(index), self);
        }
    }
}

const MOST_SEEDS: u32 = 100_000;
