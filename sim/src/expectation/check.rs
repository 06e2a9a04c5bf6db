//! What several expectations check: windows in which something happens, texts, and seeds.

use crate::check::{Check, Uses};
use crate::scenario::{Span, document::Place};

impl Check<'_> {
    /// Reports a window or a step in which no call begins that uses one of `uses`, which are the
    /// calls that the expectation at `place` is about.
    pub(super) fn when(
        &mut self,
        from: Span,
        until: Option<Span>,
        step: Option<usize>,
        uses: &[Uses],
        place: &Place,
    ) {
        let steps = self.rest.calls.len();
        if let Some(number) = step
            && !(1..=steps).contains(&number)
        {
            let problem = self.at_value(
                &place.key("step"),
                format!("there is no call number {number}"),
            );
            problem
                .label(format!("this file has {steps} `[[call]]`"))
                .expected("the number of a `[[call]]`, counted from 1");
            return;
        }
        let Some(window) = self.window(from, until, place, ["from", "until"]) else {
            return;
        };
        if steps > 0 && !self.some_call(&window, step, uses) {
            let (from, until) = (Span(window.start), Span(window.end));
            let whose = step.map_or(String::new(), |step| format!(" of number {step}"));
            let (what, wanted) = match self.some_call(&window, step, Uses::ALL) {
                false => (String::new(), "a call"),
                true => {
                    let does: Vec<_> = uses.iter().map(|it| it.describe()).collect();
                    (format!(" that {}", does.join(" or ")), "such a call")
                }
            };
            self.at_key(
                place,
                format!("no call{whose}{what} begins between {from} and {until}"),
            )
            .label("so this is never tested")
            .expected(format!("a window in which {wanted} begins"))
            .help("move the window (`from`, `until`), or add a `[[call]]`");
        }
    }

    /// Texts that something must contain.
    pub(super) fn texts(&mut self, texts: &[String], place: &Place) {
        for (index, text) in texts.iter().enumerate() {
            self.text(text, &place.index(index), "a text that is not empty");
        }
    }

    /// `between = [from, until]`: two times of the world, one after the other.
    pub(super) fn between(&mut self, window: Option<[Span; 2]>, place: &Place) {
        let Some([from, until]) = window else {
            return;
        };
        let place = place.key("between");
        let end = self.lasts;
        if self.before_the_end(from, &place.index(0)) && until <= from {
            self.at_value(&place, "this window is empty")
                .label(format!("{until} is not after {from}"))
                .expected("two times, the earlier one first, counted from the world's start");
        } else if until > end {
            self.at_value(
                &place.index(1),
                format!("{until} is after the end of the world"),
            )
            .label(format!("the world lasts {end}"))
            .expected(format!("at most {end}, counted from the world's start"));
        }
    }

    /// Reports an expectation that every run meets.
    pub(super) fn always_holds(&mut self, place: &Place, why: &str) {
        self.at_value(place, "this always holds")
            .label(why)
            .help("an expectation that can never fail proves nothing: tighten it");
    }

    /// A statistic needs more than one run.
    pub(super) fn needs_seeds(&mut self, place: &Place) {
        if self.rest.seeds.is_none() {
            self.at_key(place, "a statistic over one run says nothing")
                .label("this scenario is played with one seed")
                .help("add `[seeds]` with `count = 200`, for example");
        }
    }
}
