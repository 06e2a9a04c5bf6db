//! From the text of a file to a scenario that can be played, or to everything that is wrong.

use super::{
    Loaded, check as validate,
    check::Asserting,
    file::{LARGEST_FILE, Unreadable},
    lines, shape,
};
use crate::limits::Limits;
use crate::scenario::{
    Invalid,
    diagnostics::{Problem, Problems},
    document::Document,
};
use crate::wording::bytes;

/// Reads a scenario that is known as `name` from the text of the file at `path`.
///
/// # Errors
/// Everything that is wrong with it. A file that is not TOML stops at the first mistake, and one
/// that does not fit the model is not asked whether it makes sense.
pub fn parse(name: &str, path: &str, text: &str) -> Result<Loaded, Invalid> {
    read(name, path, text, Asserting::Something)
}

/// Reads a scenario as [`parse`] does; `asserting` says whether it may have no expectation.
///
/// # Errors
/// Everything that is wrong with it, as for [`parse`].
pub(crate) fn read(
    name: &str,
    path: &str,
    text: &str,
    asserting: Asserting,
) -> Result<Loaded, Invalid> {
    let invalid = |problems| Invalid::new(path, text, problems);
    let document = Document::parse(text).map_err(|problem| invalid(Problems::one(problem)))?;
    // The schema first: it finds everything, and serde lets an array be too long.
    let problems = shape::check(&document);
    if !problems.is_empty() {
        return Err(invalid(problems));
    }
    let scenario = document.read().map_err(|error| {
        // The schema is generated from the model; should the two ever differ, the file is refused
        // all the same.
        let mut problem = Problem::new(error.span().unwrap_or_default(), "not a scenario");
        problem.label(error.message());
        invalid(Problems::one(problem))
    })?;
    let problems = validate::check(&scenario, &document, asserting);
    if !problems.is_empty() {
        return Err(invalid(problems));
    }
    Ok(Loaded {
        name: name.to_owned(),
        path: path.to_owned(),
        text: text.to_owned(),
        scenario,
        expectation_lines: lines::of_expectations(&document),
    })
}

impl Loaded {
    /// Finds out whether it can fit into `limits`, as far as callers, seeds and bodies show.
    ///
    /// # Errors
    /// What can't fit, at the keys that say it.
    pub fn fits(&self, limits: &Limits) -> Result<(), Invalid> {
        let invalid = |problems| Invalid::new(&self.path, &self.text, problems);
        let document = Document::parse(&self.text);
        let document = document.map_err(|problem| invalid(Problems::one(problem)))?;
        let problems = validate::size::check(&self.scenario, &document, limits);
        if problems.is_empty() {
            return Ok(());
        }
        Err(invalid(problems))
    }
}

/// What is wrong with a file that is not even text.
pub(crate) fn not_text(path: &str, bytes: &[u8], valid_up_to: usize) -> Invalid {
    let text = String::from_utf8_lossy(bytes);
    let mut problem = Problem::new(valid_up_to..valid_up_to + 1, "this is not UTF-8 text");
    problem
        .label("no character begins with this byte")
        .expected("a TOML file, which is always UTF-8")
        .help("save the file as UTF-8");
    Invalid::new(path, &text, Problems::one(problem))
}

/// What is wrong with a file that can't be read at all.
pub(crate) fn unreadable(path: &str, why: &Unreadable) -> Invalid {
    let mut problem = Problem::new(0..0, "this file can't be read");
    match why {
        Unreadable::Failed(error) => problem
            .label(error)
            .expected("a file that this user may read")
            .help("check where it leads and its permissions, or remove it"),
        Unreadable::NoFile(what) => problem
            .label(format!("this is {what}"))
            .expected("a regular file: what is read must have an end")
            .help("write the scenario to a file and name that"),
        Unreadable::TooLarge => problem
            .label(format!("it is larger than {}", bytes(LARGEST_FILE)))
            .expected(format!(
                "a scenario file of at most {}",
                bytes(LARGEST_FILE)
            ))
            .help("split it into several scenarios: the bundled ones have a few kilobytes"),
    };
    Invalid::new(path, "", Problems::one(problem))
}
