//! `that.not-built`: the credential refuses its configuration.

use super::lacks;
use crate::judge::{Evidence, Finding};
use crate::{
    judge::{Run, Side},
    scenario::NotBuilt,
    trace::{Event, Kind},
};

const NAME: &str = "not-built";

pub(crate) fn judge(run: &Run, wanted: &NotBuilt) -> Finding {
    let mut expected = "the credential can't be built".to_owned();
    for part in &wanted.contains {
        expected += &format!(", saying \"{part}\"");
    }
    if let Some(reason) = run.sight.lacks(&[Side::Calls]) {
        return Finding::not_observed(NAME, reason, expected);
    }
    let built = |event: &&Event| matches!(event.kind, Kind::Built { .. });
    if let Some(event) = run.trace.events.iter().find(built) {
        return Finding::fails(NAME, "it is built", expected, Evidence::of([event]));
    }
    for event in &run.trace.events {
        let Kind::NotBuilt { message, .. } = &event.kind else {
            continue;
        };
        return match lacks(message, &wanted.contains) {
            None => Finding::holds(NAME, "it can't, and says so", expected),
            Some(_) if !run.sight.words => {
                let unseen = run.sight.lacks(&[Side::Words]);
                Finding::holds(NAME, "it can't", expected).unless_unseen(unseen)
            }
            Some(part) => {
                let found = format!("the text lacks \"{part}\" (in that order)");
                Finding::fails(NAME, found, expected, Evidence::of([event]))
            }
        };
    }
    Finding::fails(NAME, "nobody tries to build it", expected, Evidence::none())
}
