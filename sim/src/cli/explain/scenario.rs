//! A scenario: its story, and everything in the file in words.

use std::fmt::Write as _;

use super::{HEADING, LOUD, calls, world};
use crate::{
    action,
    credential::RedisSubject,
    facts,
    report::prose::{paragraph, unwrapped, wrapped},
    story::{Loaded, Scenario},
};

/// The whole scenario for a person.
pub fn describe(loaded: &Loaded) -> String {
    let scenario = &loaded.scenario;
    let mut text = format!("{LOUD}{}{LOUD:#}", loaded.name);
    if loaded.path != loaded.name {
        let _ = write!(text, "  {}", loaded.path);
    }
    text.push('\n');
    text += &paragraph("", &scenario.title);
    text.push('\n');
    text += &paragraph("", &unwrapped(&scenario.story));
    section(&mut text, "The world", world::lines(&scenario.world));
    section(
        &mut text,
        "Under test",
        std::iter::once(scenario.subject.credential.describe())
            .chain(scenario.subject.redis.as_ref().map(RedisSubject::describe))
            .collect(),
    );
    section(&mut text, "What happens", action::describe(&scenario.at));
    section(&mut text, "Who asks", calls::lines(scenario));
    expected(&mut text, scenario);
    cited(&mut text, scenario);
    section(
        &mut text,
        "Known failures of others",
        known_failures(scenario),
    );
    section(&mut text, "Left out on", left_out(scenario));
    section(&mut text, "Sources", scenario.sources.clone());
    text
}

fn section(text: &mut String, heading: &str, lines: Vec<String>) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n{HEADING}{heading}{HEADING:#}");
    for line in lines {
        *text += &paragraph("  - ", &line);
    }
}

fn expected(text: &mut String, scenario: &Scenario) {
    let _ = writeln!(text, "\n{HEADING}What must hold{HEADING:#}");
    for (index, expect) in scenario.expect.iter().enumerate() {
        let number = format!("{:>4}. ", index + 1);
        *text += &paragraph(&number, &expect.that.describe());
        if let Some(why) = &expect.why {
            *text += &paragraph("      because ", why);
        }
    }
    *text += "      and, as in every run, all invariants\n";
}

fn cited(text: &mut String, scenario: &Scenario) {
    let unknown = "not in this binary's list";
    let promises = scenario.promises.iter().map(|id| {
        let promise = facts::promises().get(id);
        let says = promise.map(|promise| format!("{}. {}", promise.title, promise.says));
        (id, says.unwrap_or_else(|| unknown.to_owned()))
    });
    listed(text, "Promises it holds the subject to", promises.collect());
    let facts = scenario.facts.iter().map(|id| {
        let fact = facts::facts().get(id);
        let says = fact.map(|fact| format!("{} ({}; {})", fact.says, fact.source, fact.status));
        (id, says.unwrap_or_else(|| unknown.to_owned()))
    });
    listed(text, "Facts it builds on", facts.collect());
}

fn listed(text: &mut String, heading: &str, entries: Vec<(&String, String)>) {
    if entries.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n{HEADING}{heading}{HEADING:#}");
    for (id, says) in entries {
        *text += &wrapped(&format!("  {id:<7} "), &says);
    }
}

fn known_failures(scenario: &Scenario) -> Vec<String> {
    let line = |known: &crate::story::KnownFailure| {
        let fails = match known.fails.as_slice() {
            [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
            fails => fails.join(", "),
        };
        format!(
            "{} fails {fails}, and so breaks {} ({}): {}",
            known.subject, known.breaks, known.fact, known.reason
        )
    };
    scenario.known_failure.iter().map(line).collect()
}

fn left_out(scenario: &Scenario) -> Vec<String> {
    scenario
        .not_on
        .iter()
        .map(|not| format!("{}: {}", not.engine, not.reason))
        .collect()
}
