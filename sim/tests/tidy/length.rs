//! How long files and functions may be, and how wide comments.

use crate::{
    assert_none, rust_files,
    tokens::{functions, tokens},
};

/// A file longer than this needs a reason.
const LONG_FILE: usize = 600;

/// Even a file with a reason ends here.
const TOO_LONG_FILE: usize = 900;

/// Files that may be long, and why.
const LONG_FILES: &[(&str, &str)] = &[];

/// A function whose body is longer than this needs a reason.
const LONG_FUNCTION: usize = 70;

/// Functions that may be long, by their file, and why.
const LONG_FUNCTIONS: &[(&str, &str, &str)] = &[
    (
        "sim/src/trace/redis.rs",
        "say",
        "one arm for each kind of event",
    ),
    (
        "sim/src/trace/text.rs",
        "say",
        "one arm for each kind of event",
    ),
];

/// The width of a comment's line, in characters, as that of the code.
const WIDE: usize = 100;

/// A row of a table cannot be broken.
#[test]
fn comments_are_no_wider_than_code() {
    let mut wrong = Vec::new();
    for (path, text) in rust_files() {
        for (number, line) in (1..).zip(text.lines()) {
            let width = line.chars().count();
            let comment = line.trim_start().strip_prefix("//");
            let comment = comment.map(|text| text.trim_start_matches(['/', '!']).trim_start());
            if width > WIDE && comment.is_some_and(|text| !text.starts_with('|')) {
                wrong.push(format!(
                    "{path}:{number} is {width} wide, and may be {WIDE}"
                ));
            }
        }
    }
    assert_none("too wide", &wrong);
}

#[test]
fn files_are_short() {
    let mut wrong = Vec::new();
    let mut used = Vec::new();
    for (path, text) in rust_files() {
        let lines = text.lines().count();
        let exception = LONG_FILES.iter().find(|(allowed, _)| *allowed == path);
        if lines > LONG_FILE {
            used.extend(exception);
        }
        let most = if exception.is_some() {
            TOO_LONG_FILE
        } else {
            LONG_FILE
        };
        if lines > most {
            wrong.push(format!("{path} has {lines} lines, and may have {most}"));
        }
    }
    let unused = LONG_FILES.iter().filter(|it| !used.contains(it));
    wrong.extend(unused.map(|(path, _)| format!("{path} needs no exception")));
    assert_none("too long", &wrong);
}

#[test]
fn functions_are_short() {
    let mut wrong = Vec::new();
    let mut used = Vec::new();
    for (path, text) in rust_files() {
        for function in functions(&tokens(text)) {
            if function.lines <= LONG_FUNCTION {
                continue;
            }
            let is_it = |it: &&(&str, &str, &str)| it.0 == path && it.1 == function.name;
            match LONG_FUNCTIONS.iter().find(is_it) {
                Some(exception) => used.push(exception),
                None => wrong.push(format!(
                    "{path}:{}: `{}` has {} lines, and may have {LONG_FUNCTION}",
                    function.line, function.name, function.lines
                )),
            }
        }
    }
    let unused = LONG_FUNCTIONS.iter().filter(|it| !used.contains(it));
    wrong.extend(unused.map(|(path, name, _)| format!("{path}: `{name}` needs no exception")));
    assert_none("too long", &wrong);
}
