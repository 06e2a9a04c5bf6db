//! Keeps the house: what no compiler and no lint looks at.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use credsim::{facts, scenario::library};

/// A file longer than this is two files.
const LONG: usize = 400;

/// Even a file that is allowed to be long ends here.
const TOO_LONG: usize = 500;

/// Files that may be long, and why.
const MAY_BE_LONG: &[(&str, &str)] = &[];

/// The folders of `scenarios/` that there may be.
const FAMILIES: &[&str] = &[
    "cache",
    "chain",
    "developer",
    "entra",
    "live",
    "managed-identity",
    "redis",
];

/// What no file may hold, in two parts, so that this one does not.
const FORBIDDEN: &[(&str, &str)] = &[
    ("todo", "!"),
    ("unimplemented", "!"),
    ("/wo", "rk/"),
    ("../sha", "red"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// All text files below a folder of the repository, by path from its root, with their text.
fn texts(folder: &str) -> Vec<(String, String)> {
    let mut texts = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_dir() {
                let is_foreign = ["target", ".git", "node_modules", "venv"].contains(&name);
                folders.extend((!is_foreign).then_some(path));
            } else if let Ok(text) = fs::read_to_string(&path) {
                let path = path.strip_prefix(root()).unwrap();
                texts.push((path.to_str().unwrap().to_owned(), text));
            }
        }
    }
    texts.sort();
    texts
}

fn with_suffix(folder: &str, suffix: &str) -> Vec<(String, String)> {
    let mut texts = texts(folder);
    texts.retain(|(path, _)| path.ends_with(suffix));
    texts
}

/// Fails with all that is wrong, one a line.
fn assert_none(what: &str, wrong: &[String]) {
    assert!(wrong.is_empty(), "{what}:\n  {}", wrong.join("\n  "));
}

#[test]
fn files_are_short() {
    let mut wrong = Vec::new();
    for (path, text) in with_suffix(".", ".rs") {
        let lines = text.lines().count();
        let may_be_long = MAY_BE_LONG.iter().any(|(allowed, _)| *allowed == path);
        let most = if may_be_long { TOO_LONG } else { LONG };
        if lines > most {
            wrong.push(format!("{path} has {lines} lines, and may have {most}"));
        }
    }
    assert_none("these are too long", &wrong);
}

#[test]
fn no_file_holds_a_forbidden_word() {
    let mut wrong = Vec::new();
    for (path, text) in texts(".") {
        for (one, two) in FORBIDDEN {
            let word = format!("{one}{two}");
            let lines = text.lines().enumerate();
            let lines = lines.filter(|(_, line)| line.contains(&word));
            wrong.extend(lines.map(|(index, _)| format!("{path}:{}: {word}", index + 1)));
        }
    }
    assert_none("forbidden", &wrong);
}

#[test]
fn scenarios_lie_in_their_family_and_name_their_schema() {
    let schema = "sim/scenario.schema.json";
    assert!(root().join(schema).is_file());
    let mut wrong = Vec::new();
    for (path, text) in texts("scenarios") {
        let parts: Vec<&str> = path.split('/').collect();
        let in_family = match parts[..] {
            ["scenarios", family, name] => FAMILIES.contains(&family) && is_name(name),
            _ => false,
        };
        if !in_family {
            wrong.push(format!("{path}: not scenarios/FAMILY/kebab-case-name.toml"));
        }
        if text.lines().next() != Some(&format!("#:schema ../../{schema}")) {
            wrong.push(format!("{path}: the first line does not name its schema"));
        }
    }
    assert_none("scenarios", &wrong);
    let families: BTreeSet<_> = library::bundled()
        .iter()
        .map(|source| source.name.split('/').next().unwrap().to_owned())
        .collect();
    assert_eq!(families.iter().collect::<Vec<_>>(), FAMILIES);
}

fn is_name(file: &str) -> bool {
    let is_kebab = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    file.strip_suffix(".toml")
        .is_some_and(|name| name.chars().all(is_kebab))
}

#[test]
fn every_id_is_known() {
    let is_known = |id: &str| facts::facts().contains_key(id) || facts::promises().contains_key(id);
    let mut wrong = Vec::new();
    let scenarios = with_suffix("scenarios", ".toml").into_iter();
    let code = ["identity", "sim"].into_iter();
    let code = code.flat_map(|folder| with_suffix(folder, ".rs"));
    for (path, text) in scenarios.chain(code) {
        for (index, line) in text.lines().enumerate() {
            if path.ends_with(".rs") && !line.trim_start().starts_with("//") {
                continue;
            }
            let unknown = ids(line).into_iter().filter(|id| !is_known(id));
            wrong.extend(unknown.map(|id| format!("{path}:{}: {id}", index + 1)));
        }
    }
    assert_none("neither a fact nor a promise", &wrong);
}

/// The ids in a line: two or three capitals, a hyphen, two digits, perhaps a small letter.
fn ids(line: &str) -> Vec<&str> {
    let words = line.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    words.filter(|word| is_id(word)).collect()
}

fn is_id(word: &str) -> bool {
    let Some((letters, number)) = word.split_once('-') else {
        return false;
    };
    let (digits, rest) = number.split_at_checked(2).unwrap_or_default();
    (2..=3).contains(&letters.len())
        && letters.bytes().all(|b| b.is_ascii_uppercase())
        && digits.len() == 2
        && digits.bytes().all(|b| b.is_ascii_digit())
        && rest.len() <= 1
        && rest.bytes().all(|b| b.is_ascii_lowercase())
}

#[test]
fn an_id_is_told_from_other_words() {
    let line = "/// As PR-12, CH-22a (CHD-07). Not SHA-256, 5e29463d-0000 or AADSTS-70021; UTF-8.";
    assert_eq!(ids(line), ["PR-12", "CH-22a", "CHD-07"]);
}

#[test]
fn every_promise_has_its_scenario() {
    let mut kept = BTreeSet::new();
    for source in library::bundled() {
        let loaded = source
            .parse()
            .unwrap_or_else(|invalid| panic!("{}", invalid.render(false)));
        kept.extend(loaded.scenario.promises);
    }
    let promises = facts::promises().keys();
    let without = promises.filter(|id| !kept.contains(*id)).cloned();
    assert_none("no scenario cites", &without.collect::<Vec<_>>());
}

#[test]
fn no_trace_is_left_of_a_scenario_that_is_gone() {
    let names = library::bundled().into_iter();
    let names: BTreeSet<_> = names.map(|source| source.name).collect();
    let mut wrong = Vec::new();
    for (path, _) in with_suffix("sim/tests/traces", ".snap") {
        let name = path.strip_prefix("sim/tests/traces/").unwrap();
        let name = name.strip_suffix(".snap").unwrap();
        wrong.extend((!names.contains(name)).then_some(path));
    }
    assert_none("left over", &wrong);
}

/// An implementation that knows its simulator could please it.
#[test]
fn identity_knows_no_simulator() {
    let mut wrong = Vec::new();
    for (path, text) in texts("identity") {
        for word in ["credsim::", "credsim =", "credsim.workspace", "../sim"] {
            wrong.extend(text.contains(word).then(|| format!("{path}: {word}")));
        }
    }
    assert_none("identity imports the simulator", &wrong);
}

#[test]
fn the_readme_shows_both_commands() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    for command in ["cargo run --release -- run", "cargo test --workspace"] {
        assert!(readme.contains(command), "README.md lacks `{command}`");
    }
}
