//! What a driver says on its standard error: kept for the day on which something goes wrong.

use std::{
    collections::VecDeque,
    fmt::Write as _,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::redact::Secrets;

/// How many lines are kept.
const LINES: usize = 20;

/// The longest part of a line that is shown, in characters.
const SHOWN: usize = 300;

/// The last lines, and the secrets that none may hold.
#[derive(Clone, Default)]
pub struct Said(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    lines: VecDeque<String>,
    secrets: Secrets,
}

impl Said {
    /// Keeps a line.
    pub fn line(&self, line: &str) {
        let mut inner = self.lock();
        if inner.lines.len() == LINES {
            inner.lines.pop_front();
        }
        inner.lines.push_back(line.to_owned());
    }

    /// From now on no text with `secret` is shown.
    pub fn never(&self, secret: &str) {
        self.lock().secrets.add(secret, "secret");
    }

    /// `text` as it may be shown: withheld if it holds a secret, and cut where it is long.
    pub fn vetted(&self, text: &str) -> String {
        self.lock().vetted(text)
    }

    /// The last lines, as a paragraph of an error; empty if there are none.
    pub fn paragraph(&self) -> String {
        let inner = self.lock();
        let mut text = String::new();
        for (index, line) in inner.lines.iter().enumerate() {
            let head = ["", "\n  it said on standard error:"][usize::from(index == 0)];
            // Writing to a string can't fail.
            let _ = write!(text, "{head}\n    {}", inner.vetted(line));
        }
        text
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn vetted(&self, text: &str) -> String {
        let text = self.secrets.withheld(text);
        match text.char_indices().nth(SHOWN) {
            Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
            None => text.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_kept_without_secrets() {
        let said = Said::default();
        assert_eq!(said.paragraph(), "");
        said.never("s3cret");
        said.never("");
        for number in 0..LINES {
            said.line(&format!("line {number}"));
        }
        said.line("the secret is s3cret!");
        said.line("Bearer eyJhbGciOiJub25lIn0.eyJvaWQiOiJ4In0.c2ln");
        said.line(&"ä".repeat(SHOWN + 1));
        let text = said.paragraph();
        assert!(
            text.starts_with("\n  it said on standard error:\n    line 3\n"),
            "{text}"
        );
        assert_eq!(text.matches("(withheld: it holds a secret)").count(), 2);
        assert!(text.ends_with(&format!("{}...", "ä".repeat(SHOWN))));
        assert!(!text.contains("s3cret") && !text.contains("eyJ"));
    }
}
