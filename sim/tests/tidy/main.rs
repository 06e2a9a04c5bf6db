//! Rules of the repository that no compiler and no lint checks.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test")]

mod length;
mod modules;
mod rooms;
mod tokens;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use credsim::{facts, story::library};

/// The folders of `scenarios/` that there may be.
const FAMILIES: &[&str] = &[
    "cache",
    "chain",
    "developer",
    "entra",
    "federation",
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

/// All text files of the repository, by path from its root, with their text.
static TEXTS: LazyLock<Vec<(String, String)>> = LazyLock::new(|| {
    let mut texts = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            // In a worktree, `.git` is a file.
            if ["target", ".git", "node_modules", "venv"].contains(&name) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(text) = fs::read_to_string(&path) {
                let path = path.strip_prefix(root()).unwrap();
                texts.push((path.to_str().unwrap().to_owned(), text));
            }
        }
    }
    texts.sort();
    texts
});

/// All text files below a folder.
fn texts(folder: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let folder = format!("{folder}/");
    let texts = TEXTS.iter();
    let texts = texts.filter(move |(path, _)| path.starts_with(&folder));
    texts.map(|(path, text)| (path.as_str(), text.as_str()))
}

/// All Rust files of the repository.
fn rust_files() -> impl Iterator<Item = (&'static str, &'static str)> {
    let texts = TEXTS.iter().filter(|(path, _)| path.ends_with(".rs"));
    texts.map(|(path, text)| (path.as_str(), text.as_str()))
}

/// Fails with everything that is wrong, one line each.
fn assert_none(what: &str, wrong: &[String]) {
    assert!(wrong.is_empty(), "{what}:\n  {}", wrong.join("\n  "));
}

#[test]
fn no_file_holds_a_forbidden_word() {
    let mut wrong = Vec::new();
    for (path, text) in TEXTS.iter() {
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
    for (path, text) in ["scenarios", "identity", "sim"].into_iter().flat_map(texts) {
        if !path.ends_with(".rs") && !path.starts_with("scenarios/") {
            continue;
        }
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
fn an_id_is_recognised_among_other_words() {
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
    for (path, _) in texts("sim/tests/traces") {
        let name = path.strip_prefix("sim/tests/traces/").unwrap();
        let name = name.strip_suffix(".snap").unwrap();
        wrong.extend((!names.contains(name)).then(|| path.to_owned()));
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
