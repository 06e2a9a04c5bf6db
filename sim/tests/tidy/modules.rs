//! The modules of a crate, and which of them use which, read from their source.
//!
//! A module is a file. It uses another where a path in a `use` line or in its code leads there; a
//! name that a module only passes on (`pub use`) leads to the module that defines it. What is
//! compiled for tests only does not count.

use std::collections::{BTreeMap, BTreeSet};

use crate::tokens::{Token, closing, tokens};

/// A module's path from the crate's root; the root's is empty.
pub type Path = Vec<String>;

/// What is read from the file of a module.
#[derive(Default)]
struct Module {
    /// What it defines: types, functions, constants, macros.
    defines: BTreeSet<String>,
    /// The names that it imports, and from where.
    imports: BTreeMap<String, Path>,
    /// The modules and types whose names it imports all.
    globs: Vec<Path>,
    /// All paths in it, and whether a `pub use` names it, which passes on and uses nothing.
    paths: Vec<(Path, bool)>,
}

/// The modules of a crate.
pub struct Modules(BTreeMap<Path, Module>);

impl Modules {
    /// Reads the files of a crate, each by its path below `src`.
    pub fn read(files: &[(&str, &str)]) -> Self {
        let all: BTreeSet<Path> = files.iter().map(|(file, _)| module_of(file)).collect();
        let mut modules = BTreeMap::new();
        let mut for_tests = Vec::new();
        for (file, source) in files {
            let path = module_of(file);
            let mut reader = Reader {
                here: &path,
                all: &all,
                module: Module::default(),
                for_tests: &mut for_tests,
            };
            reader.read(&tokens(source));
            modules.insert(path.clone(), reader.module);
        }
        modules.retain(|path, _| !for_tests.iter().any(|test: &Path| path.starts_with(test)));
        Self(modules)
    }

    /// All modules.
    pub fn all(&self) -> impl Iterator<Item = &Path> {
        self.0.keys()
    }

    /// The modules that `path` uses, itself excepted. What a `pub use` passes on is used only if
    /// `passed_on`.
    pub fn uses(&self, path: &Path, passed_on: bool) -> BTreeSet<&Path> {
        let paths = self.0[path].paths.iter();
        let paths = paths.filter(|(_, is_passed_on)| passed_on || !is_passed_on);
        let used = paths.filter_map(|(used, _)| self.defining(used, 0));
        used.filter(|used| *used != path).collect()
    }

    /// The module that defines what a path names.
    fn defining(&self, path: &[String], depth: usize) -> Option<&Path> {
        // Two modules may pass on all names of each other.
        if depth > 8 {
            return None;
        }
        let (known, module) = (0..=path.len())
            .rev()
            .find_map(|length| self.0.get_key_value(&path[..length]))?;
        let Some(name) = path.get(known.len()) else {
            return Some(known);
        };
        if module.defines.contains(name) {
            return Some(known);
        }
        if let Some(from) = module.imports.get(name) {
            return self.defining(from, depth + 1);
        }
        let in_globs = module.globs.iter().find_map(|glob| {
            let mut path = glob.clone();
            path.push(name.clone());
            let found = self.defining(&path, depth + 1)?;
            self.0[found].defines.contains(name).then_some(found)
        });
        // A macro may define what is not seen here.
        in_globs.or((!known.is_empty()).then_some(known))
    }
}

/// `a/b.rs` and `a/b/mod.rs` are `a::b`.
fn module_of(file: &str) -> Path {
    let file = file.strip_suffix(".rs").unwrap_or(file);
    let file = file.strip_suffix("/mod").unwrap_or(file);
    let parts = file.split('/').filter(|part| *part != "lib");
    parts.map(str::to_owned).collect()
}

struct Reader<'a> {
    here: &'a Path,
    all: &'a BTreeSet<Path>,
    module: Module,
    for_tests: &'a mut Vec<Path>,
}

impl Reader<'_> {
    fn read(&mut self, tokens: &[Token]) {
        let text = |index: usize| tokens.get(index).map_or("", |token| token.text.as_str());
        let mut at = 0;
        while at < tokens.len() {
            if is_for_tests(tokens, at) {
                let end = item_end(tokens, at);
                if let Some(module) = (at..end).find(|index| text(*index) == "mod") {
                    self.for_tests.push(child(self.here, text(module + 1)));
                }
                at = end + 1;
                continue;
            }
            let is_path_start = at == 0 || !["::", "."].contains(&text(at - 1));
            match text(at) {
                "use" if is_path_start => {
                    let passes_on = at > 0 && ["pub", ")"].contains(&text(at - 1));
                    at = self.tree(tokens, at + 1, &[], passes_on);
                }
                "struct" | "enum" | "trait" | "type" | "fn" | "const" | "static" | "union" => {
                    self.module.defines.insert(text(at + 1).to_owned());
                }
                "macro_rules" => {
                    self.module.defines.insert(text(at + 2).to_owned());
                }
                first if is_path_start && text(at + 1) == "::" => {
                    let mut path = vec![first.to_owned()];
                    while text(at + 1) == "::" && is_name(text(at + 2)) {
                        path.push(text(at + 2).to_owned());
                        at += 2;
                    }
                    if let Some(path) = self.absolute(&path) {
                        self.module.paths.push((path, false));
                    }
                }
                _ => {}
            }
            at += 1;
        }
    }

    /// Reads the tree of a `use` from `at`; gives where it ends.
    fn tree(
        &mut self,
        tokens: &[Token],
        mut at: usize,
        before: &[String],
        passes_on: bool,
    ) -> usize {
        let text = |index: usize| tokens.get(index).map_or("", |token| token.text.as_str());
        let mut path = before.to_vec();
        loop {
            match text(at) {
                "::" => at += 1,
                "{" => {
                    at += 1;
                    while text(at) != "}" && at < tokens.len() {
                        at = self.tree(tokens, at, &path, passes_on);
                        at += usize::from(text(at) == ",");
                    }
                    return at + 1;
                }
                "*" => {
                    if let Some(path) = self.absolute(&path) {
                        self.module.globs.push(path.clone());
                        self.module.paths.push((path, passes_on));
                    }
                    return at + 1;
                }
                name if is_name(name) && name != "as" => {
                    path.push(name.to_owned());
                    at += 1;
                }
                end => {
                    let is_renamed = end == "as";
                    if path.last().is_some_and(|name| name == "self") && path.len() > 1 {
                        path.pop();
                    }
                    let name = match is_renamed {
                        true => text(at + 1).to_owned(),
                        false => path.last().cloned().unwrap_or_default(),
                    };
                    if let Some(path) = self.absolute(&path) {
                        self.module.imports.insert(name, path.clone());
                        self.module.paths.push((path, passes_on));
                    }
                    return at + 2 * usize::from(is_renamed);
                }
            }
        }
    }

    /// A path from the crate's root; none if it leads out of the crate.
    fn absolute(&self, path: &[String]) -> Option<Path> {
        let mut base = self.here.clone();
        let mut rest = path;
        match path.first()?.as_str() {
            "crate" => {
                base.clear();
                rest = &path[1..];
            }
            "self" => rest = &path[1..],
            "super" => {}
            name if self.all.contains(&child(self.here, name)) => {}
            _ => return None,
        }
        while rest.first().is_some_and(|part| part == "super") {
            base.pop()?;
            rest = &rest[1..];
        }
        base.extend(rest.iter().cloned());
        Some(base)
    }
}

fn child(path: &Path, name: &str) -> Path {
    let mut path = path.clone();
    path.push(name.to_owned());
    path
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Whether `#[cfg(test)]` or `#[test]` begins at `at`.
fn is_for_tests(tokens: &[Token], at: usize) -> bool {
    let texts: Vec<_> = tokens[at..]
        .iter()
        .take(7)
        .map(|it| it.text.as_str())
        .collect();
    texts.starts_with(&["#", "[", "cfg", "(", "test", ")"])
        || texts.starts_with(&["#", "[", "cfg", "(", "all", "(", "test"])
        || texts.starts_with(&["#", "[", "test", "]"])
}

/// The last token of the item that begins at `at`, its attributes included.
fn item_end(tokens: &[Token], at: usize) -> usize {
    let mut depth = 0;
    for (index, token) in tokens.iter().enumerate().skip(at) {
        match token.text.as_str() {
            "(" | "[" => depth += 1,
            ")" | "]" => depth -= 1,
            ";" | "," if depth == 0 => return index,
            "{" if depth == 0 => return closing(tokens, index),
            _ => {}
        }
    }
    tokens.len() - 1
}

#[test]
fn a_name_that_is_passed_on_leads_to_where_it_is_defined() {
    let files = [
        ("lib.rs", "pub mod a; pub mod b;"),
        (
            "a/mod.rs",
            "mod one; mod two; #[cfg(test)] mod tests; pub use one::One; pub use two::*;",
        ),
        ("a/one.rs", "pub struct One; fn f() { super::Two; }"),
        ("a/two.rs", "pub struct Two; // use crate::b;"),
        ("a/tests.rs", "use crate::b::B;"),
        (
            "b.rs",
            "use std::fmt; use crate::a::{One as First, two}; #[cfg(test)] mod t { use crate::c; }",
        ),
    ];
    let modules = Modules::read(&files);
    let names: Vec<_> = modules.all().map(|path| path.join("::")).collect();
    assert_eq!(names, ["", "a", "a::one", "a::two", "b"]);
    let uses = |path: &str, passed_on| {
        let path: Path = path.split("::").map(str::to_owned).collect();
        let used: Vec<_> = modules
            .uses(&path, passed_on)
            .into_iter()
            .map(|it| it.join("::"))
            .collect();
        used.join(" ")
    };
    assert_eq!(uses("a", true), "a::one a::two");
    assert_eq!(uses("a", false), "");
    assert_eq!(uses("a::one", true), "a::two");
    assert_eq!(uses("b", true), "a::one a::two");
}
