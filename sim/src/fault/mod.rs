//! The faults that are installed in a world, and which of them strikes a request.

pub mod effect;

use std::{borrow::Cow, fmt, sync::Arc, time::Duration};

use crate::{check::Check, scenario::document::Place, trace::Facts, wording::Number};
use effect::{FaultThen, TargetKind};

/// Which requests or runs of a command are meant: the same for faults, counters and expectations.
pub(crate) trait Matcher: fmt::Debug + Send + Sync {
    /// Checks its filters, which stand at `place`, and that the world has what they name.
    fn check(&self, place: &Place, check: &mut Check<'_>);

    /// The lane of the trace on which they stand: `imds`, `az`, `resource.vault`.
    fn lane(&self) -> Cow<'_, str>;

    /// Whether a request of which this is known is one of them. Facts of other services are not.
    fn matches(&self, facts: &Facts) -> bool;

    /// What serves them, which decides what a fault can do to them.
    fn kind(&self) -> TargetKind;

    /// What they are called in a sentence, one or many of them, with all filters: `token requests
    /// to entra for https://vault.azure.net/.default`.
    fn describe(&self, number: Number) -> String;
}

/// A fault: which requests it strikes, what happens to them, and how often.
#[derive(Clone, Debug)]
pub struct FaultRule {
    /// Its name, by which the trace knows it.
    pub name: String,
    /// Which requests or runs of a command.
    pub(crate) on: Arc<dyn Matcher>,
    /// What happens to them.
    pub then: FaultThen,
    /// Only the first so many matches; then the rule passes. None: all.
    pub first: Option<u32>,
    /// Leaves the first so many matches alone.
    pub skip: u32,
    /// How likely it strikes at each match, from 0 to 1. None: always.
    pub probability: Option<f64>,
    /// Ends by itself after this long. None: it stays until it is lifted.
    pub lasts: Option<Duration>,
}

/// The rules that are installed, in the order of installation.
#[derive(Debug, Default)]
pub struct FaultBook {
    rules: Vec<Rule>,
    installed: u64,
}

#[derive(Debug)]
struct Rule {
    id: u64,
    fault: FaultRule,
    ends: Option<Duration>,
    matched: u32,
}

/// A fault that strikes.
#[derive(Clone, Debug)]
pub struct Strike {
    /// The rule.
    pub rule: u64,
    /// Its name.
    pub fault: String,
    /// What happens.
    pub then: FaultThen,
    /// Whether the rule is spent with this: [`FaultBook::retire`] it when the request is over.
    pub last: bool,
}

/// What the rules say about one request.
#[derive(Debug, Default)]
pub struct Decision {
    /// The fault that strikes, if one does.
    pub strike: Option<Strike>,
    /// The names of faults that are spent without having struck this time.
    pub spent: Vec<String>,
}

impl Rule {
    /// How many matches it looks at in all.
    fn reach(&self) -> Option<u32> {
        self.fault
            .first
            .map(|first| self.fault.skip.saturating_add(first))
    }

    fn is_spent(&self) -> bool {
        self.reach().is_some_and(|reach| self.matched >= reach)
    }
}

impl FaultBook {
    /// Adds a rule that applies from `at`.
    pub fn install(&mut self, fault: FaultRule, at: Duration) {
        self.installed += 1;
        let ends = fault.lasts.map(|lasts| at.saturating_add(lasts));
        self.rules.push(Rule {
            id: self.installed,
            fault,
            ends,
            matched: 0,
        });
    }

    /// Removes the rules of this name; whether there were any.
    pub fn lift(&mut self, name: &str) -> bool {
        let before = self.rules.len();
        self.rules.retain(|rule| rule.fault.name != name);
        self.rules.len() < before
    }

    /// Removes a spent rule and says its name, unless something else removed it before.
    pub fn retire(&mut self, rule: u64) -> Option<String> {
        let place = self.rules.iter().position(|known| known.id == rule)?;
        Some(self.rules.remove(place).fault.name)
    }

    /// Removes the rules whose time is over at `at`: when it was over, and their names, in the
    /// order of those times.
    pub fn expire(&mut self, at: Duration) -> Vec<(Duration, String)> {
        let over = |rule: &mut Rule| rule.ends.is_some_and(|ends| ends <= at);
        let mut ended: Vec<_> = self
            .rules
            .extract_if(.., over)
            .filter_map(|rule| Some((rule.ends?, rule.fault.name)))
            .collect();
        ended.sort_by_key(|(ends, _)| *ends);
        ended
    }

    /// When the next rule ends by itself.
    pub fn next_end(&self) -> Option<Duration> {
        self.rules.iter().filter_map(|rule| rule.ends).min()
    }

    /// Whether no rule is installed.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// What happens to a request. `draw` gives a number in `[0, 1)` for the fault of a name; it is
    /// asked only for rules with a probability.
    pub fn decide(&mut self, facts: &Facts, mut draw: impl FnMut(&str) -> f64) -> Decision {
        let mut decision = Decision::default();
        let mut missed = Vec::new();
        for rule in &mut self.rules {
            if rule.is_spent() || !rule.fault.on.matches(facts) {
                continue;
            }
            rule.matched = rule.matched.saturating_add(1);
            if rule.matched <= rule.fault.skip {
                continue;
            }
            let struck = rule
                .fault
                .probability
                .is_none_or(|chance| draw(&rule.fault.name) < chance);
            if struck {
                decision.strike = Some(Strike {
                    rule: rule.id,
                    fault: rule.fault.name.clone(),
                    then: rule.fault.then.clone(),
                    last: rule.is_spent(),
                });
                break;
            }
            if rule.is_spent() {
                missed.push(rule.id);
            }
        }
        decision.spent = missed
            .into_iter()
            .filter_map(|rule| self.retire(rule))
            .collect();
        decision
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::service::imds::matcher::{ImdsFacts, Route};

    fn imds(route: Route) -> Facts {
        Facts::new(ImdsFacts {
            route,
            resource: None,
            identity: None,
        })
    }

    fn fault(rest: &str) -> FaultRule {
        let text = format!("name = \"F\"\nthen.hang = {{}}\n{rest}");
        let fault: crate::action::Fault = toml::from_str(&text).expect("a valid fault");
        fault.rule()
    }

    fn book(faults: &[&str]) -> FaultBook {
        let mut book = FaultBook::default();
        for (number, rest) in faults.iter().enumerate() {
            let fault = FaultRule {
                name: format!("F{number}"),
                ..fault(rest)
            };
            book.install(fault, Duration::ZERO);
        }
        book
    }

    fn struck(book: &mut FaultBook, facts: &Facts) -> Option<String> {
        let strike = book.decide(facts, |_| 0.0).strike?;
        if strike.last {
            book.retire(strike.rule);
        }
        Some(strike.fault)
    }

    #[test]
    fn only_requests_that_are_meant_are_struck() {
        let mut book = book(&["on.imds = { request = \"probe\" }", "on.entra = {}"]);
        assert_eq!(struck(&mut book, &imds(Route::Token)), None);
        assert_eq!(
            struck(&mut book, &imds(Route::Probe)).as_deref(),
            Some("F0")
        );
        assert_eq!(struck(&mut book, &Facts::default()), None);
    }

    #[test]
    fn the_first_rule_wins_and_a_spent_one_passes() {
        let mut book = book(&["on.imds = {}\nfirst = 1", "on.imds = {}"]);
        let token = imds(Route::Token);
        assert_eq!(struck(&mut book, &token).as_deref(), Some("F0"));
        assert_eq!(struck(&mut book, &token).as_deref(), Some("F1"));
        assert!(book.lift("F1") && !book.lift("F1"));
        assert_eq!(struck(&mut book, &token), None);
        assert!(book.is_empty());
    }

    #[test]
    fn rules_end_by_themselves_in_the_order_of_their_ends() {
        let mut book = book(&[
            "on.imds = {}\nlasts = \"2s\"",
            "on.imds = {}\nlasts = \"1s\"",
            "on.imds = {}",
        ]);
        let second = Duration::from_secs(1);
        assert_eq!(book.next_end(), Some(second));
        assert_eq!(book.expire(Duration::ZERO), []);
        assert_eq!(
            book.expire(3 * second),
            [(second, "F1".into()), (2 * second, "F0".into())]
        );
        assert_eq!(book.next_end(), None);
        assert!(!book.is_empty());
    }

    #[test]
    fn a_rule_that_missed_its_last_chance_is_over() {
        let mut book = book(&["on.imds = {}\nfirst = 2\nprobability = 0.5"]);
        let token = imds(Route::Token);
        assert!(
            book.decide(&token, |_| 0.4)
                .strike
                .is_some_and(|strike| !strike.last)
        );
        let decision = book.decide(&token, |_| 0.5);
        assert!(decision.strike.is_none());
        assert_eq!(decision.spent, ["F0"]);
        assert!(book.is_empty());
    }

    proptest! {
        #[test]
        fn skip_and_first_cut_a_window_out_of_the_matches(
            skip in 0u32..6, first in proptest::option::of(1u32..6), requests in 0u32..20,
        ) {
            let first_line = first.map(|first| format!("\nfirst = {first}")).unwrap_or_default();
            let mut book = book(&[&format!("on.imds = {{}}\nskip = {skip}{first_line}")]);
            for number in 0..requests {
                // Requests that don't match are not counted.
                let other = Facts::default();
                prop_assert_eq!(struck(&mut book, &other), None);
                let within = number >= skip && first.is_none_or(|first| number < skip + first);
                prop_assert_eq!(struck(&mut book, &imds(Route::Token)).is_some(), within);
            }
            let is_spent = first.is_some_and(|first| requests >= skip + first);
            prop_assert_eq!(book.is_empty(), is_spent);
        }

        #[test]
        fn a_probability_strikes_where_the_draw_is_below_it(
            chance in 0.0f64..=1.0, draws in proptest::collection::vec(0.0f64..1.0, 0..30),
        ) {
            let mut book = book(&[&format!("on.imds = {{}}\nprobability = {chance:?}")]);
            for draw in draws {
                let struck = book.decide(&imds(Route::Token), |_| draw).strike.is_some();
                prop_assert_eq!(struck, draw < chance);
            }
        }
    }
}
