//! What is wrong with a scenario file, where, and what to do about it.

use std::{fmt, ops::Range};

use crate::wording::{Number, counted};
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde::Serialize;

use crate::redact::{
    MASK, escaped_lines, is_hidden, masked, masked_in_place, printable, redis_secrets,
};

/// The fewest bytes of a secret of the file that is looked for in what a diagnostic quotes: a
/// shorter one is part of too many words.
const SHORTEST_SECRET: usize = 4;

/// One thing that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Diagnostic {
    /// The file.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, counted in characters.
    pub column: usize,
    /// The bytes of the text that it is about.
    pub span: Range<usize>,
    /// What is wrong, in lower case and without a full stop.
    pub message: String,
    /// What stands under the caret.
    pub label: String,
    /// What was expected there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl Diagnostic {
    /// One line that GitHub shows beside the line of the file.
    pub fn github(&self) -> String {
        let mut says = vec![self.label.clone()];
        says.extend(
            self.expected
                .iter()
                .map(|expected| format!("expected: {expected}")),
        );
        says.extend(self.help.iter().map(|help| format!("help: {help}")));
        format!(
            "::error file={},line={},col={},title={}::{}",
            github_property(&self.path),
            self.line,
            self.column,
            github_property(&self.message),
            github_text(&says.join("\n")),
        )
    }

    fn group<'a>(&'a self, text: &'a str) -> Group<'a> {
        let source = Snippet::source(text).path(self.path.as_str()).annotation(
            AnnotationKind::Primary
                .span(self.span.clone())
                .label(self.label.as_str()),
        );
        let expected = self
            .expected
            .iter()
            .map(|expected| Level::NOTE.with_name("expected").message(expected.as_str()));
        let help = self
            .help
            .iter()
            .map(|help| Level::HELP.message(help.as_str()));
        Level::ERROR
            .primary_title(self.message.as_str())
            .element(source)
            .elements(expected)
            .elements(help)
    }
}

/// A message as a GitHub workflow command wants it, without secrets and without the beginning of an
/// older form of such commands, which counts anywhere in a line.
pub(crate) fn github_text(text: &str) -> String {
    escaped_lines(&masked(text))
        .replace("##[", "#\\#[")
        .replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// A property of a GitHub workflow command.
pub(crate) fn github_property(text: &str) -> String {
    github_text(text).replace(':', "%3A").replace(',', "%2C")
}

/// The secrets in the commands for Redis of a file: words of a string that begins with one in
/// capitals.
fn command_secrets(text: &str) -> Vec<&str> {
    let strings = text
        .lines()
        .flat_map(|line| line.split('"').skip(1).step_by(2));
    let mut all = Vec::new();
    for string in strings {
        let words: Vec<&str> = string.split_whitespace().collect();
        let is_command = words.first().is_some_and(|name| {
            name.len() > 2 && name.bytes().all(|letter| letter.is_ascii_uppercase())
        });
        if is_command {
            let secrets = words.iter().zip(redis_secrets(&words));
            all.extend(secrets.filter_map(|(word, is_secret)| is_secret.then_some(*word)));
        }
    }
    all
}

/// `text` with a visible stand-in of the same length in bytes for each hidden character beyond
/// ASCII. The snippets show those of ASCII by themselves, and know spans of bytes.
fn visible(text: &str) -> String {
    let letters = text.chars().map(|letter| match letter.len_utf8() {
        2 if is_hidden(letter) => "??".to_owned(),
        3 if is_hidden(letter) => char::REPLACEMENT_CHARACTER.to_string(),
        4 if is_hidden(letter) => format!("{}?", char::REPLACEMENT_CHARACTER),
        _ => letter.to_string(),
    });
    letters.collect()
}

/// How many diagnostics of one file are shown: the first ones. The others are counted.
pub const MOST_DIAGNOSTICS: usize = 50;

/// Everything that is wrong with one file; never empty.
#[derive(Clone, Debug)]
pub struct Invalid {
    text: String,
    diagnostics: Vec<Diagnostic>,
    /// How many more there are.
    left_out: usize,
}

impl Invalid {
    pub(crate) fn new(path: &str, text: &str, problems: Problems) -> Self {
        let (problems, left_out) = problems.first();
        let (shown, mut secrets) = masked_in_place(text);
        let mut shown = shown.into_owned();
        for secret in command_secrets(text) {
            let at = secret.as_ptr().addr() - text.as_ptr().addr();
            if shown.is_char_boundary(at) && shown.is_char_boundary(at + secret.len()) {
                shown.replace_range(at..at + secret.len(), &"*".repeat(secret.len()));
            }
            secrets.push(secret);
        }
        let diagnostics = problems
            .into_iter()
            .map(|problem| problem.within(path, text, &secrets))
            .collect();
        Self {
            text: visible(&shown),
            diagnostics,
            left_out,
        }
    }

    /// How many mistakes there are, those that are not shown included.
    pub fn count(&self) -> usize {
        self.diagnostics.len() + self.left_out
    }

    /// How many mistakes are not shown, because the first 50 stand before them in the file.
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// Says how many are not shown, if any.
    pub fn more(&self) -> Option<String> {
        (self.left_out > 0).then(|| {
            format!(
                "{} in this file {} not shown: mend the first {MOST_DIAGNOSTICS}, then check it again",
                counted(self.left_out, "more mistake"),
                Number::of(self.left_out).pick("is", "are"),
            )
        })
    }

    /// The same, of the same file at another path.
    #[must_use]
    pub fn at_path(mut self, path: &str) -> Self {
        for diagnostic in &mut self.diagnostics {
            path.clone_into(&mut diagnostic.path);
        }
        self
    }

    /// What is wrong, in the order of the file: the first 50.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// The diagnostics for a person, each with the line it is about; coloured when told so.
    pub fn render(&self, coloured: bool) -> String {
        let renderer = if coloured {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        let rendered = self
            .diagnostics
            .iter()
            .map(|diagnostic| renderer.render(&[diagnostic.group(&self.text)]))
            .chain(self.more())
            .collect::<Vec<_>>();
        rendered.join("\n\n")
    }

    /// The diagnostics as GitHub annotations, one line each.
    pub fn github(&self) -> String {
        self.annotations().join("\n")
    }

    /// The diagnostics as GitHub annotations, and one that counts those that are not shown.
    pub fn annotations(&self) -> Vec<String> {
        let more = self.more().zip(self.diagnostics.first());
        let more = more.map(|(more, first)| {
            let file = github_property(&first.path);
            format!("::error file={file}::{}", github_text(&more))
        });
        let all = self.diagnostics.iter().map(Diagnostic::github);
        all.chain(more).collect()
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Invalid {}

/// The problems of one file: the first [`MOST_DIAGNOSTICS`] of them by their place in the file, and
/// how many there are. Memory stays bounded however many are pushed, in whatever order.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    kept: Vec<Problem>,
    left_out: usize,
    /// A problem that begins here or later is not shown: enough others stand before it.
    last_shown: Option<usize>,
    /// Takes the words for a problem that is not shown.
    unshown: Option<Problem>,
}

impl Problems {
    /// One problem.
    pub(crate) fn one(problem: Problem) -> Self {
        let mut problems = Self::default();
        problems.push(problem);
        problems
    }

    /// Adds a problem, whose words may still follow.
    pub(crate) fn push(&mut self, mut problem: Problem) -> &mut Problem {
        if self.kept.len() >= 2 * MOST_DIAGNOSTICS {
            self.prune();
        }
        let start = problem.span.start;
        if self.last_shown.is_some_and(|last| start >= last) {
            self.left_out += 1;
            problem.is_unshown = true;
            return self.unshown.insert(problem);
        }
        let index = self.kept.len();
        self.kept.push(problem);
        &mut self.kept[index]
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// The first problems in the order of the file, and how many more there are.
    fn first(mut self) -> (Vec<Problem>, usize) {
        self.prune();
        (self.kept, self.left_out)
    }

    fn prune(&mut self) {
        // Stable: problems at one place stay in the order in which they were found.
        self.kept.sort_by_key(|problem| problem.span.start);
        if self.kept.len() >= MOST_DIAGNOSTICS {
            self.left_out += self.kept.len() - MOST_DIAGNOSTICS;
            self.kept.truncate(MOST_DIAGNOSTICS);
            self.last_shown = self.kept.last().map(|problem| problem.span.start);
        }
    }
}

/// A diagnostic in the making: it knows its bytes, not yet its line.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    span: Range<usize>,
    message: String,
    label: String,
    expected: Option<String>,
    help: Option<String>,
    /// Enough others stand before it, so nothing needs to be searched for its help.
    is_unshown: bool,
}

impl Problem {
    pub(crate) fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            span,
            message: message.into(),
            label: String::new(),
            expected: None,
            help: None,
            is_unshown: false,
        }
    }

    /// Whether it is only counted. What takes long to say need not be said of it.
    pub(crate) fn is_unshown(&self) -> bool {
        self.is_unshown
    }

    pub(crate) fn label(&mut self, label: impl Into<String>) -> &mut Self {
        self.label = label.into();
        self
    }

    pub(crate) fn expected(&mut self, expected: impl Into<String>) -> &mut Self {
        self.expected = Some(expected.into());
        self
    }

    pub(crate) fn help(&mut self, help: impl Into<String>) -> &mut Self {
        self.help = Some(help.into());
        self
    }

    /// Offers the one of `known` that `word` is probably meant to be, if any is near.
    pub(crate) fn did_you_mean<'a>(
        &mut self,
        word: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> &mut Self {
        if self.is_unshown {
            return self;
        }
        if let Some(near) = closest(word, known) {
            self.help(format!("did you mean `{near}`?"));
        }
        self
    }

    /// The diagnostic, with what it quotes in a form that is only shown. `secrets` are those of the
    /// file, which it must not quote.
    fn within(self, path: &str, text: &str, secrets: &[&str]) -> Diagnostic {
        let shown = |text: &str| {
            let known = secrets
                .iter()
                .filter(|secret| secret.len() >= SHORTEST_SECRET);
            let text = known.fold(text.to_owned(), |text, secret| text.replace(secret, MASK));
            printable(&text)
        };
        let span = on_one_line(text, self.span);
        let before = &text[..span.start];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Diagnostic {
            path: path.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            span,
            message: shown(&self.message),
            label: shown(&self.label),
            expected: self.expected.as_deref().map(shown),
            help: self.help.as_deref().map(shown),
        }
    }
}

/// The part of `span` on its first line, moved to where characters begin and end.
fn on_one_line(text: &str, span: Range<usize>) -> Range<usize> {
    let mut start = span.start.min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let rest = &text[start..];
    let line = rest.find(['\r', '\n']).unwrap_or(rest.len());
    let mut end = start + span.end.saturating_sub(start).min(line);
    while !text.is_char_boundary(end) {
        end += 1;
    }
    start..end
}

/// The one of `known` that is nearest to `word`, if it is near enough to be meant.
pub(crate) fn closest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let letters = lower.chars().count();
    let mut best = (0.6, None);
    for candidate in known {
        // Each letter too many is an edit: lengths that differ by half are never near, and
        // comparing takes memory and time that grow with the product of the two.
        if 2 * letters.abs_diff(candidate.chars().count()) > letters.max(candidate.len()) {
            continue;
        }
        let likeness = strsim::normalized_damerau_levenshtein(&lower, &candidate.to_lowercase());
        if likeness > best.0 {
            best = (likeness, Some(candidate));
        }
    }
    best.1
}

/// The names in backticks, as a list in words: "`a`, `b` or `c`".
pub(crate) fn one_of<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names = names
        .into_iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>();
    match names.as_slice() {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
