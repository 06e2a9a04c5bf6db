//! Bundled scenario files, altered at random: every one is refused with diagnostics or played to an
//! end. None panics, hangs, or ends without a word.
//!
//! 1,000 files are tried. `CREDSIM_ALTERED=100000 cargo test --release --test altered` tries more.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]
#![allow(
    clippy::disallowed_methods,
    reason = "the number of files comes from this machine"
)]

use std::{cell::Cell, env, sync::LazyLock, time::Duration};

use credsim::{
    engine::Engine,
    limits::Limits,
    simulation::{Batch, CommandLine, Ending, Progress, Selected, Settings, Status},
    story::library::{self, Source},
};
use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

/// How many files are tried, by all tests together.
const FILES: u32 = 1_000;
/// How many tests share them, so that every core has work.
const TESTS: u32 = 4;

static SOURCES: LazyLock<Vec<Source>> = LazyLock::new(library::bundled);

/// What stands where a value stood: extremes, other types, and text that a terminal would obey.
const VALUES: &[&str] = &[
    "0",
    "-1",
    "1",
    "65536",
    "4294967296",
    "9223372036854775807",
    "1e308",
    "nan",
    "0.0000001",
    "true",
    "[]",
    "{}",
    "[{}]",
    "[[]]",
    "\"\"",
    "\"0s\"",
    "\"1ns\"",
    "\"-1s\"",
    "\"36500d\"",
    "\"99999999999999999d\"",
    "\"9999-12-31T23:59:59Z\"",
    "\"0001-01-01T00:00:00Z\"",
    "\"\\u001b[2J\\u202e\\n::error::\"",
    "\"https://vault.azure.net/.default\"",
    "[\"/.default\", \"/.default\"]",
    "\"169.254.169.254\"",
    "'''",
    "\"../../../../etc/passwd\"",
    "1979-05-27T07:32:00Z",
];

/// What stands where a number stood, alone or in a time.
const DIGITS: &[&str] = &[
    "0",
    "1",
    "2",
    "7",
    "30",
    "60",
    "500",
    "3600",
    "999999",
    "18446744073709551616",
    "3.5",
];

/// One change of a file. Positions are shares of its length, so that they fit every file.
#[derive(Clone, Debug)]
enum Edit {
    Delete(f64),
    Duplicate(f64),
    Swap(f64, f64),
    /// A line of another file of the library.
    Insert(f64, f64, f64),
    Value(f64, usize),
    /// The digits of a number or of a time.
    Digits(f64, usize),
    /// A letter of a key or of anything else.
    Letter(f64, char),
    Truncate(f64),
}

fn edit() -> impl Strategy<Value = Edit> {
    let at = || 0.0..1.0_f64;
    prop_oneof![
        2 => at().prop_map(Edit::Delete),
        2 => at().prop_map(Edit::Duplicate),
        1 => (at(), at()).prop_map(|(one, other)| Edit::Swap(one, other)),
        3 => (at(), at(), at()).prop_map(|(at, file, line)| Edit::Insert(at, file, line)),
        5 => (at(), 0..VALUES.len()).prop_map(|(at, value)| Edit::Value(at, value)),
        9 => (at(), 0..DIGITS.len()).prop_map(|(at, digits)| Edit::Digits(at, digits)),
        1 => (at(), any::<char>()).prop_map(|(at, letter)| Edit::Letter(at, letter)),
        1 => at().prop_map(Edit::Truncate),
    ]
}

/// The element at a share of the whole.
fn index(share: f64, length: usize) -> usize {
    ((share * length as f64) as usize).min(length.saturating_sub(1))
}

fn text_of(source: &Source) -> &str {
    source.text().expect("a bundled scenario is text")
}

fn apply(text: &str, edit: &Edit) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    if lines.is_empty() {
        return String::new();
    }
    let at = |share: f64| index(share, lines.len());
    match *edit {
        Edit::Delete(share) => {
            lines.remove(at(share));
        }
        Edit::Duplicate(share) => {
            let line = lines[at(share)].clone();
            lines.insert(at(share), line);
        }
        Edit::Swap(one, other) => {
            let (one, other) = (at(one), at(other));
            lines.swap(one, other);
        }
        Edit::Insert(share, file, line) => {
            let other = text_of(&SOURCES[index(file, SOURCES.len())]);
            let other: Vec<&str> = other.lines().collect();
            lines.insert(at(share), other[index(line, other.len())].to_owned());
        }
        Edit::Value(share, value) => {
            let with_values: Vec<usize> = (0..lines.len())
                .filter(|line| lines[*line].contains(" = "))
                .collect();
            if with_values.is_empty() {
                return text.to_owned();
            }
            let line = with_values[index(share, with_values.len())];
            let equals: Vec<usize> = lines[line].match_indices(" = ").map(|(at, _)| at).collect();
            // The last value of a line is often inside braces, the first is the whole.
            let from = equals[value % equals.len()] + 3;
            let end = lines[line][from..]
                .find([',', '}'])
                .filter(|_| value % 2 == 0);
            let end = end.map_or(lines[line].len(), |end| from + end);
            lines[line].replace_range(from..end, VALUES[value]);
        }
        Edit::Digits(share, digits) => return with_digits(text, share, DIGITS[digits]),
        Edit::Letter(share, letter) => {
            let mut letters: Vec<char> = text.chars().collect();
            let at = index(share, letters.len());
            letters[at] = letter;
            return letters.into_iter().collect();
        }
        Edit::Truncate(share) => {
            let letters = text.chars();
            return letters.take(index(share, text.chars().count())).collect();
        }
    }
    lines.join("\n") + "\n"
}

/// The text with other digits in the place of some number.
fn with_digits(text: &str, share: f64, digits: &str) -> String {
    let bytes = text.as_bytes();
    let starts: Vec<usize> = (1..bytes.len())
        .filter(|at| bytes[*at].is_ascii_digit() && !bytes[at - 1].is_ascii_digit())
        .collect();
    if starts.is_empty() {
        return text.to_owned();
    }
    let from = starts[index(share, starts.len())];
    let length = bytes[from..]
        .iter()
        .take_while(|b| b.is_ascii_digit())
        .count();
    let mut text = text.to_owned();
    text.replace_range(from..from + length, digits);
    text
}

fn batch() -> Batch {
    Batch {
        settings: Settings {
            limits: Limits {
                events: 100_000,
                real_time: Duration::from_secs(10),
                ..Limits::default()
            },
            engine: Engine::Lapse,
            ..Settings::default()
        },
        second_pass: None,
        each_seed: None,
        for_watching: false,
        keep_traces: false,
        jobs: None,
        progress: Progress::default(),
        command: CommandLine {
            program: "credsim".to_owned(),
            subject: None,
            driver: None,
        },
    }
}

/// How often each ending came.
#[derive(Default)]
struct Seen {
    invalid: Cell<u32>,
    judged: Cell<u32>,
}

/// Plays one file. What it must not do fails here, with the file.
fn play(source: &Source, text: String, seen: &Seen) -> Result<(), TestCaseError> {
    let file = Selected {
        source: Source::of_text(&source.name, &source.path, text.clone()),
        selector: source.name.clone(),
    };
    let outcome = batch().play(&file);
    let problem = match (&outcome.ending, outcome.status()) {
        (Ending::Invalid(invalid), _) => {
            seen.invalid.set(seen.invalid.get() + 1);
            let shown = invalid.render(false);
            let says_where = shown.contains("-->");
            let is_escaped = !shown.contains('\u{1b}') && !shown.contains('\u{202e}');
            (!says_where || !is_escaped).then(|| format!("its diagnostics: {shown}"))
        }
        (Ending::HarnessFailed { why }, _) => {
            (!why.contains("reached its limit")).then(|| format!("the harness failed: {why}"))
        }
        (_, Status::Nondeterministic) => Some("one pass is not like itself".to_owned()),
        (Ending::Judged(_) | Ending::Skipped { .. }, _) => {
            seen.judged.set(seen.judged.get() + 1);
            None
        }
    };
    problem.map_or(Ok(()), |problem| {
        Err(TestCaseError::fail(format!(
            "{} altered:\n{text}\n{problem}",
            source.name
        )))
    })
}

/// The `number`th share of the files: the same ones in every run.
fn tries(number: u8) {
    let all = env::var("CREDSIM_ALTERED").map_or(FILES, |files| files.parse().expect("a number"));
    let config = Config {
        cases: all / TESTS,
        failure_persistence: None,
        max_shrink_iters: 200,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[number; 32]);
    let strategy = (0.0..1.0_f64, prop::collection::vec(edit(), 1..3));
    let seen = Seen::default();
    let ended = TestRunner::new_with_rng(config, rng).run(&strategy, |(which, edits)| {
        let source = &SOURCES[index(which, SOURCES.len())];
        let text = (edits.iter()).fold(text_of(source).to_owned(), |text, edit| apply(&text, edit));
        play(source, text, &seen)
    });
    if let Err(error) = ended {
        panic!("{error}");
    }
    let (invalid, judged) = (seen.invalid.get(), seen.judged.get());
    assert!(
        invalid > all / TESTS / 10 && judged > all / TESTS / 10,
        "{invalid} files were refused and {judged} played: the alterations are too coarse or too fine"
    );
}

#[test]
fn altered_files_are_refused_or_played_to_an_end_1() {
    tries(1);
}

#[test]
fn altered_files_are_refused_or_played_to_an_end_2() {
    tries(2);
}

#[test]
fn altered_files_are_refused_or_played_to_an_end_3() {
    tries(3);
}

#[test]
fn altered_files_are_refused_or_played_to_an_end_4() {
    tries(4);
}
