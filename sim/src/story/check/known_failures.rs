//! What other subjects are known to break: findings that exist, each said once of a subject.

use std::collections::BTreeSet;

use super::{
    super::{KnownFailure, expectation_number, names_version},
    Place, Whole,
    citations::Kind,
};
use crate::{facts, invariant};

impl Whole<'_> {
    pub(crate) fn known_failures(&mut self) {
        let scenario = self.scenario;
        let mut listed = BTreeSet::new();
        for (index, failure) in scenario.known_failure.iter().enumerate() {
            let place = Place::default().key("known-failure").index(index);
            if !names_version(&failure.subject) {
                self.at_value(&place.key("subject"), "this names no version of a subject")
                    .label("no version")
                    .expected("a name and a version, such as `azure-identity-js 4.13.1`");
            }
            self.failing(failure, &mut listed, &place.key("fails"));
            self.citation(&failure.fact, Kind::Fact, &place.key("fact"));
            self.citation(&failure.breaks, Kind::Promise, &place.key("breaks"));
            if facts::promises().contains_key(&failure.breaks)
                && !scenario.promises.contains(&failure.breaks)
            {
                self.at_value(
                    &place.key("breaks"),
                    format!(
                        "this scenario does not cite `{}` as a promise",
                        failure.breaks
                    ),
                )
                .label("not in `promises`")
                .help(format!("add \"{}\" to `promises`", failure.breaks));
            }
            self.text(
                &failure.reason,
                &place.key("reason"),
                "what the subject does instead",
            );
            self.visible_text(&failure.reason, &place.key("reason"));
            let earlier = scenario.known_failure[..index].iter();
            if earlier
                .into_iter()
                .any(|it| it.subject == failure.subject && it.breaks == failure.breaks)
            {
                self.at_value(
                    &place.key("breaks"),
                    "this is said twice of the same subject",
                )
                .label("this is the second time")
                .help("join the two entries");
            }
        }
    }

    /// The findings of an entry; `listed` has those of earlier ones, by subject.
    fn failing<'s>(
        &mut self,
        failure: &'s KnownFailure,
        listed: &mut BTreeSet<(&'s str, &'s str)>,
        place: &Place,
    ) {
        if failure.fails.is_empty() {
            self.at_value(
                place,
                "this entry can't be checked: it lists nothing that fails",
            )
            .label("empty")
            .expected("what does not hold with this subject, such as `expect[2]`");
        }
        for (index, name) in failure.fails.iter().enumerate() {
            let place = place.index(index);
            if self.finding(name, &place) && !listed.insert((&failure.subject, name)) {
                self.at_value(
                    &place,
                    format!("`{name}` is listed twice for {}", failure.subject),
                )
                .label("this is the second time")
                .help("keep it where it fits best: one failure has one reason");
            }
        }
    }

    /// Whether there is such an expectation or invariant.
    fn finding(&mut self, name: &str, place: &Place) -> bool {
        let count = self.scenario.expect.len();
        match expectation_number(name) {
            Some(number) if number <= count => return true,
            Some(number) => {
                self.at_value(place, format!("there is no expectation number {number}"))
                    .label(format!("this file has {count} `[[expect]]`"))
                    .expected("the number of an `[[expect]]`, counted from 1");
            }
            None if invariant::names().any(|known| known == name) => return true,
            None => {
                self.at_value(
                    place,
                    format!("there is no expectation or invariant `{name}`"),
                )
                .label("unknown")
                .expected("`expect[N]`, counted from 1, or the name of an invariant")
                .did_you_mean(name, ["expect[1]"].into_iter().chain(invariant::names()));
            }
        }
        false
    }
}
