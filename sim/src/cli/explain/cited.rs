//! A fact or a promise, and the scenarios that cite it.

use std::{collections::BTreeMap, fmt::Write as _};

use super::{HEADING, LOUD, library};
use crate::{
    facts,
    report::prose::{paragraph, wrapped},
    story::Scenario,
};

/// What a fact says, if there is one with this id, in upper or lower case.
pub fn fact(id: &str) -> Option<String> {
    let (id, fact) = named(facts::facts(), id)?;
    let mut text = format!("{LOUD}{id}{LOUD:#}\n");
    text += &wrapped("  ", &fact.says);
    for line in &fact.table {
        text += &wrapped("    - ", line);
    }
    text += &wrapped("  source  ", &fact.source);
    text += &wrapped("  status  ", &status(&fact.status));
    text += &cited_by(|scenario| {
        scenario.facts.iter().any(|cited| cited == id)
            || scenario.known_failure.iter().any(|known| known.fact == id)
    });
    Some(text)
}

/// The entry with this id, however it is capitalized: ids such as `CH-22a` have both cases.
fn named<'a, T>(all: &'a BTreeMap<String, T>, id: &str) -> Option<(&'a str, &'a T)> {
    let mut all = all.iter();
    let (known, what) = all.find(|(known, _)| known.eq_ignore_ascii_case(id))?;
    Some((known, what))
}

fn status(status: &str) -> String {
    match status {
        "observed" => "observed: seen when the package ran against a simulated service".to_owned(),
        "read" => "read: in the source or the documentation".to_owned(),
        "unverified" => "unverified: a setting of the scenario file, never asserted".to_owned(),
        other => other.to_owned(),
    }
}

/// What a promise says, if there is one with this id, in upper or lower case.
pub fn promise(id: &str) -> Option<String> {
    let (id, promise) = named(facts::promises(), id)?;
    let mut text = format!("{LOUD}{id}  {}{LOUD:#}\n", promise.title);
    text += &wrapped("  ", &promise.says);
    text += &cited_by(|scenario| scenario.promises.iter().any(|cited| cited == id));
    let mut others = String::new();
    for loaded in library() {
        for known in loaded
            .scenario
            .known_failure
            .iter()
            .filter(|known| known.breaks == id)
        {
            let first = format!("  {}  ", known.subject);
            others += &paragraph(
                &first,
                &format!("{} ({}): {}", loaded.name, known.fact, known.reason),
            );
        }
    }
    if !others.is_empty() {
        let _ = write!(
            text,
            "{HEADING}Subjects known to break it{HEADING:#}\n{others}"
        );
    }
    Some(text)
}

fn cited_by(cites: impl Fn(&Scenario) -> bool) -> String {
    let mut text = format!("{HEADING}Scenarios{HEADING:#}\n");
    let mut any = false;
    for loaded in library().iter().filter(|loaded| cites(&loaded.scenario)) {
        text += &paragraph(&format!("  {}  ", loaded.name), &loaded.scenario.title);
        any = true;
    }
    if !any {
        text += "  none yet\n";
    }
    text
}
