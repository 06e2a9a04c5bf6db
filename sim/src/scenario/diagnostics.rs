//! What is wrong with a scenario file, where, and what to do about it.

use std::{fmt, ops::Range};

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde::Serialize;

use crate::redact::{MASK, escaped_lines, masked_in_place, printable};

/// The fewest bytes of a secret of the file that is looked for in what a diagnostic quotes: a shorter
/// one is part of too many words.
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

/// A message as a GitHub workflow command wants it.
pub(crate) fn github_text(text: &str) -> String {
    escaped_lines(text)
        .replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// A property of a GitHub workflow command.
pub(crate) fn github_property(text: &str) -> String {
    github_text(text).replace(':', "%3A").replace(',', "%2C")
}

/// Everything that is wrong with one file; never empty.
#[derive(Clone, Debug)]
pub struct Invalid {
    text: String,
    diagnostics: Vec<Diagnostic>,
}

impl Invalid {
    pub(crate) fn new(path: &str, text: &str, mut problems: Vec<Problem>) -> Self {
        problems.sort_by_key(|problem| problem.span.start);
        let (shown, secrets) = masked_in_place(text);
        let diagnostics = problems
            .into_iter()
            .map(|problem| problem.within(path, text, &secrets))
            .collect();
        Self {
            text: shown.into_owned(),
            diagnostics,
        }
    }

    /// The same, of the same file at another path.
    #[must_use]
    pub fn at_path(mut self, path: &str) -> Self {
        for diagnostic in &mut self.diagnostics {
            path.clone_into(&mut diagnostic.path);
        }
        self
    }

    /// Everything that is wrong, in the order of the file.
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
            .collect::<Vec<_>>();
        rendered.join("\n\n")
    }

    /// The diagnostics as GitHub annotations, one line each.
    pub fn github(&self) -> String {
        let lines = self
            .diagnostics
            .iter()
            .map(Diagnostic::github)
            .collect::<Vec<_>>();
        lines.join("\n")
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Invalid {}

/// A diagnostic in the making: it knows its bytes, not yet its line.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    span: Range<usize>,
    message: String,
    label: String,
    expected: Option<String>,
    help: Option<String>,
}

impl Problem {
    pub(crate) fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            span,
            message: message.into(),
            label: String::new(),
            expected: None,
            help: None,
        }
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
    let mut best = (0.6, None);
    for candidate in known {
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
