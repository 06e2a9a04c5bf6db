//! What the TOML parser says, in our words.

use super::diagnostics::Problem;

/// The first mistake in a text that is not TOML.
pub(super) fn problem(text: &str, error: &toml::de::Error) -> Problem {
    let span = error.span().unwrap_or(text.len()..text.len());
    let here = text.get(span.clone()).unwrap_or_default();
    let (what, expected) = match error.message().split_once(", expected ") {
        None | Some((_, "nothing")) => (error.message(), None),
        Some((what, expected)) => (what, Some(expected.replace(", ", " or "))),
    };
    let (message, label, expected, help) = match what {
        "duplicate key" => (
            format!("`{here}` is given twice"),
            "this is the second time",
            None,
            "keep one of them; what there can be several of has two brackets: `[[call]]`".into(),
        ),
        "string values must be quoted" => (
            "a string without quotes".into(),
            "neither a string nor a number",
            Some("\"text\", a number, `true`, `false`, a `[list]` or a `{ table }`".into()),
            format!("write `\"{here}\"`"),
        ),
        "key with no value" | "missing assignment between key-value pairs" => (
            "a key without a value".into(),
            "`= value` is missing",
            expected,
            "write `key = \"value\"`".into(),
        ),
        "invalid basic string"
        | "invalid multi-line basic string"
        | "invalid multi-line literal string" => (
            "a string without an end".into(),
            "the closing quotes are missing",
            expected,
            "a string ends in its line, unless it begins and ends with three quotes".into(),
        ),
        "missing comma between array elements" => (
            "no comma between two elements of a list".into(),
            "the list goes on here",
            expected,
            "write a comma before this, or close the list above with `]`".into(),
        ),
        "unclosed array" | "unexpected `=` in array" => (
            "a list goes on where none should".into(),
            "still inside a list",
            expected,
            "close the list above with `]`".into(),
        ),
        what if what.contains("recursi") => (
            "this is nested too deeply".into(),
            "too many levels",
            Some("no more than 80 levels".into()),
            "no scenario needs more than ten".into(),
        ),
        what => (
            format!("not TOML: {what}"),
            "the reader stops here",
            expected,
            "https://toml.io describes the syntax of TOML".into(),
        ),
    };
    let mut problem = Problem::new(span, message);
    problem.label(label).help(help);
    if let Some(expected) = expected {
        problem.expected(expected);
    }
    problem
}
