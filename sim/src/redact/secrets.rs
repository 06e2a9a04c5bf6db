//! Secrets that are known: texts that hold one are withheld.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};

use super::{looks_like_token, name::is_secret_in_prose};

/// Stands in the place of a text that holds a secret.
pub const WITHHELD: &str = "(withheld: it holds a secret)";

/// A secret shorter than this can't be told from ordinary text.
const SHORT: usize = 6;

/// A secret of lower-case letters only that is shorter than this can't be told from ordinary text.
const LONGEST_WORD: usize = 12;

/// The secrets that no text may hold, each with its kind, which findings name.
#[derive(Clone, Default)]
pub struct Secrets(Vec<(Known, &'static str)>);

/// A secret with its spellings.
#[derive(Clone)]
struct Known {
    secret: String,
    /// How it stands in what is encoded: percent-encoded, and in base64 at each of the three places
    /// where it can begin.
    encoded: Vec<String>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = self.0.iter().map(|(_, kind)| kind);
        f.debug_list().entries(kinds).finish()
    }
}

impl Secrets {
    /// Adds a secret. An empty one is left out: it would be found in every text.
    pub fn add(&mut self, secret: impl Into<String>, kind: &'static str) {
        let secret = secret.into();
        if !secret.is_empty() {
            let encoded = encoded(&secret);
            self.0.push((Known { secret, encoded }, kind));
        }
    }

    /// The kind of the first secret that `text` holds: of those that were added, or `token` for
    /// what looks like a JSON Web Token, as a token may be unknown or stand there in part.
    pub fn find(&self, text: &str) -> Option<&'static str> {
        let mut known = self.0.iter();
        known
            .find(|(known, _)| known.is_in(text))
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

impl Known {
    fn is_in(&self, text: &str) -> bool {
        holds(text, &self.secret) || self.encoded.iter().any(|it| text.contains(it.as_str()))
    }
}

/// The fewest characters of a secret that is looked for in base64: of a shorter one, too little is
/// left where it does not begin with a group of three bytes.
const SHORTEST_ENCODED: usize = 8;

/// The encoded spellings of `secret`, without those that are spelled like itself.
fn encoded(secret: &str) -> Vec<String> {
    if secret.len() < SHORTEST_ENCODED {
        return Vec::new();
    }
    let percent: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let mut all = vec![percent.replace('+', "%20"), percent];
    for before in 0..3 {
        let bytes = [vec![0; before], secret.as_bytes().to_owned()].concat();
        let whole = bytes.len() / 3 * 3;
        let text = STANDARD_NO_PAD.encode(&bytes[..whole]);
        // The first group also encodes what stands before.
        let text = text
            .get(if before == 0 { 0 } else { 4 }..)
            .unwrap_or_default();
        all.push(text.replace('+', "-").replace('/', "_"));
        all.push(text.to_owned());
    }
    all.sort();
    all.dedup();
    all.retain(|text| text != secret && text.len() >= SHORTEST_ENCODED);
    all
}

/// Whether `text` holds `secret`.
///
/// A secret that could be a word of ordinary text (fewer than 6 characters, or fewer than 12 that
/// are all lower-case letters, such as `wrong` or `password`) counts where it is all of the text,
/// or the value of something with the name of a secret: `client_secret=wrong`, `"password":
/// "wrong"`, `ClientSecret("wrong")`, `--password wrong`. Elsewhere it is not found: nothing tells
/// it from the word.
pub fn holds(text: &str, secret: &str) -> bool {
    if !is_common(secret) {
        return text.contains(secret);
    }
    text.trim() == secret
        || text.match_indices(secret).any(|(at, found)| {
            let (before, rest) = text.split_at(at);
            is_named_value(before, rest.get(found.len()..).unwrap_or_default())
        })
}

/// Whether `secret` could be a word of ordinary text.
fn is_common(secret: &str) -> bool {
    let is_word = secret.bytes().all(|byte| byte.is_ascii_lowercase());
    secret.len() < SHORT || is_word && secret.len() < LONGEST_WORD
}

/// Whether what stands between `before` and `after` is the whole value of something with the name
/// of a secret.
fn is_named_value(before: &str, after: &str) -> bool {
    const QUOTES: &[char] = &['"', '\'', '`', '\\'];
    let outside = before.trim_end_matches(QUOTES);
    let is_quoted = outside.len() < before.len();
    let outside = outside.strip_suffix("Some(").unwrap_or(outside);
    let spaced = outside.trim_end();
    let is_colon = spaced.ends_with(':');
    let held_by = spaced.strip_suffix(['=', ':', '(']);
    // The name of an option stands before a space only.
    let is_option = held_by.is_none() && spaced.len() < outside.len();
    let named = held_by.unwrap_or(spaced).trim_end();
    let named = named.trim_end_matches(QUOTES);
    let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let name = named
        .rsplit(|c: char| !is_name(c))
        .next()
        .unwrap_or_default();
    // `secret: a` begins a sentence where another word follows.
    let in_prose = is_colon && !is_quoted && after.starts_with(' ');
    let sentence_ends = after.strip_prefix('.').is_some_and(ends_value);
    (ends_value(after) || sentence_ends)
        && !in_prose
        && (!is_option || name.starts_with('-'))
        && is_secret_in_prose(name)
}

/// Whether a value has ended before `after`.
fn ends_value(after: &str) -> bool {
    let ends = |c: char| c.is_whitespace() || "\"'`\\,;&|)]}>".contains(c);
    after.chars().next().is_none_or(ends)
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
    fn a_secret_that_is_a_common_word_counts_as_a_named_value_only() {
        for secret in ["a", "7", "is", "wrong", "secret"] {
            let secrets = secrets(&[secret]);
            for text in [
                "a client secret is wrong, in 7 of 7 calls",
                "the secret: a string, is 7 letters long; a-secret=wrong-one",
                "token-type: is, secret-file=a AZURE_CLIENT_ID=a client_id: \"7\"",
                "\"error\":\"wrong\" kind='secret' at=7",
                "secret=a7 secret=isis secret=wrongs secret=secrets",
            ] {
                assert_eq!(secrets.find(text), None, "{secret:?} in {text}");
            }
        }
    }

    #[test]
    fn a_secret_that_is_a_common_word_is_found_where_something_with_such_a_name_holds_it() {
        for secret in ["a", "7", "wrong", "secret", "q&a"] {
            let secrets = secrets(&[secret]);
            for pattern in [
                "@",
                " @\n",
                "secret=@",
                "warning: client_secret=@ status=400",
                "grant_type=x&client_secret=@&scope=y",
                "the client secret: @, for app 1",
                "password: @\nnext: 1",
                r#"{"client_secret":"@","x":1}"#,
                r#"{"client_secret" : "@"}"#,
                r#"text="{\"clientSecret\":\"@\"}""#,
                r#"Options { client_id: "1", client_secret: Some("@") }"#,
                r#"Options { tenant: None, secret: Secret("@") }"#,
                r#"ClientSecret("@")"#,
                "AZURE_CLIENT_SECRET='@' az login",
                "az login --service-principal --password @ --tenant x",
                "secret=x, then secret=@.",
            ] {
                let text = pattern.replace('@', secret);
                assert_eq!(secrets.find(&text), Some("client secret"), "{text}");
            }
        }
    }

    #[test]
    fn a_known_secret_is_found_in_every_encoding() {
        let secret = "Hunter2/Sekr1t+~";
        let secrets = secrets(&[secret]);
        assert_eq!(format!("{secrets:?}"), "[\"client secret\"]");
        for before in ["", "a", "ab", "abc"] {
            let base64 = STANDARD_NO_PAD.encode(format!("{before}{secret}:x"));
            let url_safe = base64.replace('+', "-").replace('/', "_");
            for text in [base64, url_safe] {
                assert_eq!(secrets.find(&text), Some("client secret"), "{before}");
            }
        }
        for text in ["Hunter2%2FSekr1t%2B%7E", "a=Hunter2%2FSekr1t%2B%7E&b"] {
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
