//! Where scenarios come from: files and folders, and those compiled into the binary.

use std::{borrow::Cow, collections::BTreeSet, fmt, path::Path};

use super::{
    Loaded,
    check::Asserting,
    file::{self, Unreadable},
};
use crate::scenario::{Invalid, diagnostics::closest};

mod embedded {
    include!(concat!(env!("OUT_DIR"), "/scenarios.rs"));
}

/// The folder of the bundled scenarios in the repository.
const FOLDER: &str = "scenarios";

/// A scenario file before it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its path under `scenarios/` without the suffix, or the path as it was given.
    pub name: String,
    /// The path as diagnostics and reports show it.
    pub path: String,
    /// What it holds, or why it can't be read.
    bytes: Result<Cow<'static, [u8]>, Unreadable>,
}

impl Source {
    /// A scenario file whose content is known already.
    pub fn of_text(name: &str, path: &str, text: String) -> Self {
        Self {
            name: name.to_owned(),
            path: path.to_owned(),
            bytes: Ok(Cow::Owned(text.into_bytes())),
        }
    }

    /// Its content; `None` if it cannot be read or is not UTF-8.
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(self.bytes.as_ref().ok()?).ok()
    }

    /// Reads it, to be watched: it may have no expectation.
    ///
    /// # Errors
    /// Everything else that is wrong with it.
    pub fn parse(&self) -> Result<Loaded, Invalid> {
        self.read(Asserting::Anything)
    }

    /// Reads it, to be judged: it must have at least one expectation.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse_asserting(&self) -> Result<Loaded, Invalid> {
        self.read(Asserting::Something)
    }

    fn read(&self, asserting: Asserting) -> Result<Loaded, Invalid> {
        let bytes = self
            .bytes
            .as_ref()
            .map_err(|error| super::parse::unreadable(&self.path, error))?;
        match std::str::from_utf8(bytes) {
            Ok(text) => super::parse::read(&self.name, &self.path, text, asserting),
            Err(error) => Err(super::parse::not_text(
                &self.path,
                bytes,
                error.valid_up_to(),
            )),
        }
    }
}

/// A path or name that leads to no scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotFound {
    /// What is wrong, in lower case and without a full stop.
    pub message: String,
    /// What to do.
    pub help: String,
}

impl fmt::Display for NotFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.message, self.help)
    }
}

impl std::error::Error for NotFound {}

/// The bundled scenarios, sorted by name.
pub fn bundled() -> Vec<Source> {
    let source = |(name, text): &(&str, &'static str)| Source {
        name: (*name).to_owned(),
        path: format!("{FOLDER}/{name}.toml"),
        bytes: Ok(Cow::Borrowed(text.as_bytes())),
    };
    embedded::SCENARIOS.iter().map(source).collect()
}

/// The scenarios that a path or a name stands for: a file, every `*.toml` below a folder, a
/// bundled scenario by name, or all bundled ones whose name begins so or matches a pattern with
/// `*` (within a folder) and `**`. A path wins over a bundled name.
///
/// # Errors
/// There is no such file, folder or name, or it can't be read.
pub fn find(selector: &str) -> Result<Vec<Source>, NotFound> {
    let path = Path::new(selector);
    if path.is_dir() {
        return folder(selector, path);
    }
    if path.exists() {
        let source = file(path);
        if let Err(Unreadable::Failed(error)) = &source.bytes {
            return Err(NotFound {
                message: format!("the file `{selector}` can't be read: {error}"),
                help: "check its permissions".to_owned(),
            });
        }
        return Ok(vec![source]);
    }
    named(selector, bundled())
}

/// The scenarios that several selectors stand for, each once, in the order given; all bundled
/// ones if there is no selector. One that leads nowhere doesn't stop the others.
pub fn select(selectors: &[String]) -> (Vec<Source>, Vec<NotFound>) {
    if selectors.is_empty() {
        return (bundled(), Vec::new());
    }
    let (mut found, mut missing, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
    for selector in selectors {
        match find(selector) {
            Ok(sources) => {
                found.extend(
                    sources
                        .into_iter()
                        .filter(|source| seen.insert(source.path.clone())),
                );
            }
            Err(error) => missing.push(error),
        }
    }
    (found, missing)
}

fn named(selector: &str, bundled: Vec<Source>) -> Result<Vec<Source>, NotFound> {
    // Reports name bundled scenarios by their path in the repository: that must work as well.
    let name = selector
        .strip_prefix(FOLDER)
        .and_then(|rest| rest.strip_prefix('/'));
    let name = name.unwrap_or(selector).trim_start_matches("./");
    let name = name.strip_suffix(".toml").unwrap_or(name);
    if let Some(exact) = bundled.iter().find(|source| source.name == name) {
        return Ok(vec![exact.clone()]);
    }
    let is_pattern = name.contains('*');
    let fits = |source: &&Source| {
        if is_pattern {
            matches(name, &source.name)
        } else {
            source.name.starts_with(name)
        }
    };
    let found = bundled.iter().filter(fits).cloned().collect::<Vec<_>>();
    if !found.is_empty() && !name.is_empty() {
        return Ok(found);
    }
    let names = bundled.iter().map(|source| source.name.as_str());
    let near = closest(name, names.clone()).or_else(|| {
        // People remember the last part of a name best.
        let parts = names.map(|name| (name, name.rsplit('/').next().unwrap_or(name)));
        let parts = parts.collect::<Vec<_>>();
        let near = closest(name, parts.iter().map(|(_, part)| *part))?;
        parts
            .iter()
            .find(|(_, part)| *part == near)
            .map(|(name, _)| *name)
    });
    Err(NotFound {
        message: if selector.ends_with(".toml") {
            format!("there is no file `{selector}`, and no bundled scenario of that name")
        } else {
            format!("there is no file, folder or bundled scenario `{selector}`")
        },
        help: match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`credsim list` shows the bundled ones".to_owned(),
        },
    })
}

/// Whether `name` matches a pattern: `**` stands for any text, `*` for any text without a slash.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(rest) = name.strip_prefix(before) else {
        return false;
    };
    let (after, across) = match after.strip_prefix('*') {
        Some(after) => (after, true),
        None => (after, false),
    };
    let reach = if across {
        rest.len()
    } else {
        rest.find('/').unwrap_or(rest.len())
    };
    (0..=reach).any(|end| rest.is_char_boundary(end) && matches(after, &rest[end..]))
}

/// Every `*.toml` below a folder, sorted by path. What can't be read there is invalid, and doesn't
/// stop the others.
#[expect(clippy::disallowed_methods, reason = "files of this machine")]
fn folder(selector: &str, path: &Path) -> Result<Vec<Source>, NotFound> {
    let unreadable = |error: std::io::Error| NotFound {
        message: format!("the folder `{selector}` can't be read: {error}"),
        help: "check its permissions".to_owned(),
    };
    let mut sources = Vec::new();
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if folder == path => return Err(unreadable(error)),
            Err(error) => {
                let error = Unreadable::Failed(error.to_string());
                sources.push(source(&folder, Err(error)));
                continue;
            }
        };
        for entry in entries {
            let entry = entry.map_err(unreadable)?;
            // A link to a folder isn't followed: it may lead back up.
            if entry.file_type().map_err(unreadable)?.is_dir() {
                folders.push(entry.path());
            } else if entry
                .path()
                .extension()
                .is_some_and(|suffix| suffix == "toml")
            {
                sources.push(file(&entry.path()));
            }
        }
    }
    if sources.is_empty() {
        return Err(NotFound {
            message: format!("there is no scenario below `{selector}`"),
            help: "scenario files end in `.toml`".to_owned(),
        });
    }
    sources.sort_by(|one, other| Path::new(&one.path).cmp(Path::new(&other.path)));
    Ok(sources)
}

fn file(path: &Path) -> Source {
    source(path, file::read(path))
}

fn source(path: &Path, bytes: Result<Vec<u8>, Unreadable>) -> Source {
    let path = path.to_string_lossy();
    Source {
        name: name_of(&path),
        path: path.into_owned(),
        bytes: bytes.map(Cow::Owned),
    }
}

/// The name of the scenario at `path`: what follows the last folder called `scenarios`, without
/// the suffix; the whole path if there is no such folder.
fn name_of(path: &str) -> String {
    let unified = path.replace('\\', "/");
    let marker = format!("{FOLDER}/");
    let start = unified
        .rfind(&marker)
        .filter(|start| *start == 0 || unified.as_bytes().get(start - 1) == Some(&b'/'));
    match start {
        Some(start) => {
            let name = &unified[start + marker.len()..];
            name.strip_suffix(".toml").unwrap_or(name).to_owned()
        }
        None => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn library() -> Vec<Source> {
        let source = |name: &str| Source {
            name: name.to_owned(),
            path: format!("scenarios/{name}.toml"),
            bytes: Ok(Cow::Borrowed(b"")),
        };
        [
            "cache/burst",
            "chain/silent-fallback",
            "chain/silent-fallback-removed",
            "chain/ci/deep",
        ]
        .map(source)
        .to_vec()
    }

    fn names(selector: &str) -> Vec<String> {
        let found = named(selector, library()).unwrap();
        found.into_iter().map(|source| source.name).collect()
    }

    #[test]
    fn a_whole_name_is_one_scenario_and_its_beginning_several() {
        assert_eq!(names("chain/silent-fallback"), ["chain/silent-fallback"]);
        assert_eq!(
            names("scenarios/chain/silent-fallback.toml"),
            ["chain/silent-fallback"]
        );
        assert_eq!(names("chain/silent").len(), 2);
        assert_eq!(names("chain/").len(), 3);
    }

    #[test]
    fn a_star_stays_in_its_folder() {
        assert_eq!(names("chain/*").len(), 2);
        assert_eq!(names("chain/**").len(), 3);
        assert_eq!(names("*/*fall*removed"), ["chain/silent-fallback-removed"]);
        assert!(named("*burst", library()).is_err());
    }

    #[test]
    fn an_unknown_name_offers_the_nearest() {
        let error = named("chain/silent-falback-x", library()).unwrap_err();
        assert_eq!(error.help, "did you mean `chain/silent-fallback`?");
        let error = named("brst", library()).unwrap_err();
        assert_eq!(error.help, "did you mean `cache/burst`?");
        let error = named("zzz.toml", library()).unwrap_err();
        assert_eq!(error.help, "`credsim list` shows the bundled ones");
    }

    #[test]
    fn a_file_has_the_name_that_the_bundle_gives_it() {
        assert_eq!(name_of("scenarios/chain/x.toml"), "chain/x");
        assert_eq!(name_of("../repo/scenarios/chain/x.toml"), "chain/x");
        assert_eq!(name_of("my-scenarios/x.toml"), "my-scenarios/x.toml");
    }

    #[test]
    fn a_folder_stands_for_every_scenario_below_it() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures");
        let (found, missing) =
            select(&[folder.to_owned(), format!("{folder}/invalid"), "x".into()]);
        assert!(found.len() > 100 && found.is_sorted_by(|one, other| one.path < other.path));
        assert_eq!(missing.len(), 1);
        assert!(find(concat!(env!("CARGO_MANIFEST_DIR"), "/src")).is_err());
    }

    #[test]
    fn the_bundle_is_sorted_and_every_scenario_in_it_is_valid() {
        let bundled = bundled();
        assert!(bundled.is_sorted_by(|one, other| one.name < other.name));
        for source in bundled {
            if let Err(invalid) = source.parse_asserting() {
                panic!("{invalid}");
            }
        }
    }

    #[test]
    fn a_file_without_expectations_is_for_watching_only() {
        let text = bundled().remove(0).text().expect("text").to_owned();
        let (head, _) = text.split_once("[[expect]]").expect("an expectation");
        let source = Source::of_text("watched", "watched.toml", head.to_owned());
        assert!(source.parse().is_ok());
        let refused = source.parse_asserting().expect_err("it asserts nothing");
        assert!(refused.to_string().contains("it expects nothing"));
        // In the bundled library it stays refused: the test above reads all of it in this way.
    }
}
