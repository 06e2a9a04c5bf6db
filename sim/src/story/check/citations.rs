//! What a scenario refers to outside of itself: facts, promises, other subjects, engines.

use std::collections::BTreeSet;

use super::{Place, Whole};
use crate::facts;

/// The engines that a scenario can be left out on.
const ENGINES: [&str; 3] = ["lapse", "turmoil", "live"];

impl Whole<'_> {
    pub(crate) fn citations(&mut self) {
        let scenario = self.scenario;
        let root = Place::default();
        for (key, ids, kind) in [
            ("facts", &scenario.facts, Kind::Fact),
            ("promises", &scenario.promises, Kind::Promise),
        ] {
            let mut seen = BTreeSet::new();
            for (index, id) in ids.iter().enumerate() {
                let place = root.key(key).index(index);
                self.citation(id, kind, &place);
                if !seen.insert(id) {
                    self.at_value(&place, format!("`{id}` is cited twice"))
                        .label("this is the second time")
                        .help("remove one of them");
                }
            }
        }
        self.known_failures();
        self.not_on();
    }

    pub(crate) fn citation(&mut self, id: &str, kind: Kind, place: &Place) {
        if kind.ids().any(|known| known == id) {
            return;
        }
        let (what, other, example) = match kind {
            Kind::Fact => ("fact", Kind::Promise, "CH-24"),
            Kind::Promise => ("promise", Kind::Fact, "PR-02"),
        };
        let belongs_elsewhere = other.ids().any(|known| known == id);
        let problem = self.at_value(place, format!("there is no {what} `{id}`"));
        problem
            .label("unknown")
            .expected(format!("the id of a {what}, such as `{example}`"));
        if belongs_elsewhere {
            problem.help(match kind {
                Kind::Fact => "this is a promise: it belongs to `promises`",
                Kind::Promise => "this is a fact: it belongs to `facts`",
            });
        } else if id_of(id).is_some_and(|id| kind.ids().any(|known| known == id)) {
            problem.help(format!("write `{}`", id_of(id).unwrap_or_default()));
        } else {
            problem.did_you_mean(id, kind.ids());
        }
    }

    fn not_on(&mut self) {
        let scenario = self.scenario;
        let mut left_out = BTreeSet::new();
        for (index, not_on) in scenario.not_on.iter().enumerate() {
            let place = Place::default().key("not-on").index(index);
            let engine = not_on.engine.as_str();
            if !ENGINES.contains(&engine) {
                self.at_value(
                    &place.key("engine"),
                    format!("there is no engine `{engine}`"),
                )
                .label("unknown")
                .expected(crate::scenario::diagnostics::one_of(ENGINES))
                .did_you_mean(engine, ENGINES);
            } else if !left_out.insert(engine) {
                self.at_value(
                    &place.key("engine"),
                    format!("`{engine}` is left out twice"),
                )
                .label("this is the second time")
                .help("join the two entries");
            } else if left_out.len() == ENGINES.len() {
                self.at_value(
                    &place.key("engine"),
                    "no engine is left that could play this",
                )
                .label("the others are left out already")
                .help("leave one of them in");
            }
            self.text(
                &not_on.reason,
                &place.key("reason"),
                "why this engine can't carry it",
            );
            self.visible_text(&not_on.reason, &place.key("reason"));
        }
    }
}

/// What can be cited.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Fact,
    Promise,
}

impl Kind {
    fn ids(self) -> Box<dyn Iterator<Item = &'static str>> {
        match self {
            Self::Fact => Box::new(facts::facts().keys().map(String::as_str)),
            Self::Promise => Box::new(facts::promises().keys().map(String::as_str)),
        }
    }
}

/// The id that is probably meant by `mi60`, `MI 60` or `MI-6`.
fn id_of(text: &str) -> Option<String> {
    let digits = text.find(|letter: char| letter.is_ascii_digit())?;
    let (letters, number) = text.split_at(digits);
    let letters = letters.trim_matches(|letter: char| !letter.is_ascii_alphabetic());
    Some(format!("{}-{number:0>2}", letters.to_uppercase()))
}
