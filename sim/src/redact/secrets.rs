//! Secrets that are known: texts that hold one are withheld.

use super::looks_like_token;

/// Stands in the place of a text that holds a secret.
pub const WITHHELD: &str = "(withheld: it holds a secret)";

/// A secret shorter than this counts only where it stands as a word of its own: a secret `b` is not
/// told by every word with a `b` in it.
const SHORT: usize = 6;

/// The secrets that no text may hold, each with its kind, which findings name.
#[derive(Clone, Debug, Default)]
pub struct Secrets(Vec<(String, &'static str)>);

impl Secrets {
    /// Adds a secret. An empty one is left out: it would be found in every text.
    pub fn add(&mut self, secret: impl Into<String>, kind: &'static str) {
        let secret = secret.into();
        if !secret.is_empty() {
            self.0.push((secret, kind));
        }
    }

    /// The kind of the first secret that `text` holds: of those that were added, or `token` for what
    /// looks like a JSON Web Token, as a token may be unknown or stand there in part.
    pub fn find(&self, text: &str) -> Option<&'static str> {
        let mut known = self.0.iter();
        known
            .find(|(secret, _)| holds(text, secret))
            .map(|(_, kind)| *kind)
            .or_else(|| looks_like_token(text).then_some("token"))
    }

    /// `text`, or [`WITHHELD`] if it holds a secret.
    pub fn withheld<'a>(&self, text: &'a str) -> &'a str {
        match self.find(text) {
            Some(_) => WITHHELD,
            None => text,
        }
    }
}

/// Whether `text` holds `secret`; a short one only as a word of its own.
pub fn holds(text: &str, secret: &str) -> bool {
    if secret.len() >= SHORT {
        return text.contains(secret);
    }
    let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    text.match_indices(secret).any(|(at, found)| {
        let (before, rest) = text.split_at(at);
        let after = rest.get(found.len()..).unwrap_or_default();
        !is_part(before.chars().next_back()) && !is_part(after.chars().next())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(all: &[&str]) -> Secrets {
        let mut secrets = Secrets::default();
        for secret in all {
            secrets.add(*secret, "client secret");
        }
        secrets
    }

    #[test]
    fn known_secrets_and_tokens_are_found() {
        let secrets = secrets(&["", "s3cret"]);
        assert_eq!(secrets.find("nothing here"), None);
        assert_eq!(secrets.find("is s3cret!"), Some("client secret"));
        assert_eq!(secrets.find("xs3cretx"), Some("client secret"));
        let token = "Bearer eyJhbGciOiJub25lIn0.eyJvaWQiOiJ4In0.c2ln";
        assert_eq!(secrets.find(token), Some("token"));
        assert_eq!(secrets.withheld(token), WITHHELD);
        assert_eq!(secrets.withheld("nothing here"), "nothing here");
    }

    #[test]
    fn a_short_secret_counts_as_a_word_only() {
        let secrets = secrets(&["b"]);
        assert_eq!(secrets.find("a subject became blue, ab_b"), None);
        for text in ["b", "secret=b", "the secret is \"b\"", "äb b"] {
            assert_eq!(secrets.find(text), Some("client secret"), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_with_any_secret_is_survived(text: String, secret: String) {
            let _ = secrets(&[&secret]).find(&text);
        }
    }
}
