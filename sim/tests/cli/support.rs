//! Runs the command and reads its output.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// The path of the `credsim` binary.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_credsim");
/// A scenario that passes, as a path from the repository's root.
pub const GOOD: &str = "sim/tests/cli/good.toml";
/// A scenario in which three of four expectations fail.
pub const FAILING: &str = "fixtures/failing/wrong-identity.toml";

/// The result of a run of the command.
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// Runs `credsim` in the repository's root, without the environment variables of the test run.
pub fn credsim(args: &[&str]) -> Ran {
    finish(command(PROGRAM).args(args))
}

/// A command in the repository's root.
pub fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root()).stdin(Stdio::null());
    for variable in [
        "NO_COLOR",
        "CLICOLOR",
        "CLICOLOR_FORCE",
        "COLUMNS",
        "GITHUB_STEP_SUMMARY",
    ] {
        command.env_remove(variable);
    }
    command
}

/// Runs it to its end.
pub fn finish(command: &mut Command) -> Ran {
    let output = command.output().unwrap();
    Ran {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

/// An empty folder for one test.
pub fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("cli")
        .join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// The path of a file in a folder of the tests, as an argument of the command line.
pub fn file(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// The text of the scenario that passes.
pub fn good() -> String {
    fs::read_to_string(root().join(GOOD)).unwrap()
}

/// The last line on standard error.
pub fn last_line(ran: &Ran) -> &str {
    ran.err.lines().last().unwrap_or_default()
}

/// The text without what depends on the machine: real times and digests.
pub fn steady(text: &str) -> String {
    let mut steady = String::new();
    for line in text.lines() {
        let mut rest = line;
        let mut kept = String::new();
        while !rest.is_empty() {
            let start = rest.find(|c: char| c != ' ').unwrap_or(rest.len());
            let (gap, after) = rest.split_at(start);
            let end = after.find(' ').unwrap_or(after.len());
            let (word, after) = after.split_at(end);
            rest = after;
            let unit = [" ms", " s"].into_iter().find(|unit| {
                after
                    .strip_prefix(unit)
                    .is_some_and(|a| a.is_empty() || a.starts_with(' '))
            });
            if let Some(unit) = unit.filter(|_| word.parse::<f64>().is_ok()) {
                rest = &after[unit.len()..];
                // A column of times is padded on its left.
                kept += if gap.len() > 1 { "  [time]" } else { " [time]" };
            } else if is_digest(word) {
                kept += &format!("{gap}[digest]");
            } else {
                kept += &format!("{gap}{word}");
            }
        }
        steady += kept.trim_end();
        steady.push('\n');
    }
    steady
}

fn is_digest(word: &str) -> bool {
    let word = word.trim_matches('`');
    word.len() == 16 && word.chars().all(|c| c.is_ascii_hexdigit())
}

/// A text on one line: where lines break depends on how long the paths in it are.
pub fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
