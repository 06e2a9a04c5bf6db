//! Makes texts of services, proxies and tools safe to show in errors and logs.

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use serde_json::Value;

/// The length of an excerpt, in characters.
const EXCERPT: usize = 400;

/// The names of secrets in the answers and requests of these services, without `-` and `_`. `code`
/// is not among them: every error has one.
const SECRET_NAMES: &[&str] = &[
    "accesstoken",
    "apikey",
    "assertion",
    "authorization",
    "clientassertion",
    "clientsecret",
    "codeverifier",
    "cookie",
    "devicecode",
    "idtoken",
    "identityheader",
    "password",
    "refreshtoken",
    "secret",
    "setcookie",
    "sharedaccesskey",
    "sig",
    "subscriptionkey",
    "token",
];

/// Returns `text` on one line, without characters that a terminal would obey; blanks are joined to
/// single spaces.
pub(crate) fn one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || is_hidden(c));
    words
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Returns whether `letter` is a control character, a mark that changes the direction of text, or
/// one without width.
fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{61c}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
        )
}

/// Returns `text` with each JSON Web Token replaced by `***`, with or without the padding of
/// base64. Services, proxies and tools have put tokens into error messages.
fn without_tokens(text: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-_.+/=".contains(c);
    let mut safe = String::with_capacity(text.len());
    let mut rest = text;
    // Every JWT starts with this: it is `{"` in base64.
    while let Some(at) = rest.find("eyJ") {
        let (before, token) = rest.split_at(at);
        let end = token.find(|c| !is_part(c)).unwrap_or(token.len());
        let (token, after) = token.split_at(end);
        safe.push_str(before);
        // A lone encoded object, such as the claims of a challenge, has no second part.
        let is_token = token
            .split_once('.')
            .is_some_and(|(_, more)| !more.is_empty());
        safe.push_str(if is_token { "***" } else { token });
        rest = after;
    }
    safe + rest
}

/// Returns `text` with the values replaced by `***` that stand behind the name of a secret:
/// `client_secret=x`, `"access_token": "x"`, `--password x`, `Authorization: Bearer x`.
fn without_named(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['=', ':', ' ']) {
        let (before, after) = rest.split_at(at);
        safe.push_str(before);
        let Some(value) = named_value(&safe, after) else {
            let next = after.chars().next().map_or(0, char::len_utf8);
            let (mark, more) = after.split_at(next);
            safe.push_str(mark);
            rest = more;
            continue;
        };
        let (mark, found) = after.split_at(value.start);
        safe.push_str(mark);
        safe.push_str("***");
        rest = found.get(value.len()..).unwrap_or_default();
    }
    safe + rest
}

/// Returns where a secret stands in `after`, which begins with the mark behind a name; `None` if
/// `before` does not end with the name of one.
fn named_value(before: &str, after: &str) -> Option<std::ops::Range<usize>> {
    let bare = before.trim_end_matches(['"', '\'', '\\', ' ']);
    let is_quoted = bare.len() < before.trim_end().len();
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let written = bare.rsplit(|c| !is_part(c)).next()?;
    let name: String = written
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    if !SECRET_NAMES.contains(&name.to_ascii_lowercase().as_str()) {
        return None;
    }
    let value = after.get(1..)?;
    let is_header = |name: &str| matches!(name, "authorization" | "cookie" | "setcookie");
    let is_header = is_header(&name.to_ascii_lowercase());
    let blanks = value.len() - value.trim_start().len();
    match after.as_bytes().first()? {
        b' ' if !written.starts_with("--") || value.starts_with('-') => return None,
        // `the token: it has ended` is a sentence.
        b':' if !is_quoted && !is_header => return None,
        b'=' if blanks > 0 => return None,
        _ => {}
    }
    let text = value.trim_start();
    let inside = text.trim_start_matches(['"', '\'', '\\']);
    let start = 1 + blanks + (text.len() - inside.len());
    let ends = |c: char| match is_header && !is_quoted {
        true => matches!(c, '"' | '\''),
        false if start > 1 + blanks => matches!(c, '"' | '\''),
        false => c.is_whitespace() || "&;,\"'<>)}]".contains(c),
    };
    let length = inside.find(ends).unwrap_or(inside.len());
    let is_scalar = !inside.starts_with(['{', '[']);
    (length > 0 && is_scalar && !inside.starts_with("***")).then_some(start..start + length)
}

/// Returns `text` with each client secret that Entra generated replaced by `***`: 40 characters,
/// with a digit and `Q~` in the fourth to sixth place.
fn without_client_secrets(text: &str) -> String {
    let is_end = |c: char| !(c.is_ascii_alphanumeric() || "-._~".contains(c));
    let is_secret = |word: &str| {
        word.match_indices("Q~").any(|(mark, _)| {
            let start = mark
                .checked_sub(4)
                .and_then(|start| word.as_bytes().get(start..));
            start.is_some_and(|it| it.len() >= 37 && it.get(3).is_some_and(u8::is_ascii_digit))
        })
    };
    let pieces = text.split_inclusive(is_end).map(|piece| {
        let word = piece.trim_end_matches(is_end);
        match is_secret(word) {
            true => format!("***{}", piece.get(word.len()..).unwrap_or_default()),
            false => piece.to_owned(),
        }
    });
    pieces.collect()
}

/// Returns the first 400 characters of `text` on one line, without tokens and without what else is
/// a secret by its name or its form.
pub(crate) fn excerpt(text: &str) -> String {
    let line = without_named(&without_tokens(&one_line(text)));
    let line = without_client_secrets(&line);
    match line.char_indices().nth(EXCERPT) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// Returns an excerpt of a body in an unknown form, for an error message, without `secret`.
///
/// Such a body may come from a proxy and repeat a token or the posted form. If it looks like that,
/// only its size is returned.
pub(crate) fn quoted(body: &str, secret: &str) -> String {
    // `eyJ` starts every JWT.
    const MARKS: [&str; 10] = [
        "access_token",
        "accesstoken",
        "assertion",
        "client_secret",
        "eyj",
        "id_token",
        "password",
        "private key",
        "refresh_token",
        "sig=",
    ];
    let lower = body.to_ascii_lowercase();
    // JSON may spell a secret with escapes of its own choice.
    let json: Value = serde_json::from_str(body).unwrap_or(Value::Null);
    if MARKS.iter().any(|word| lower.contains(word)) || holds(&json, secret) {
        return format!("an unexpected answer of {} bytes", body.len());
    }
    excerpt(&without_secret(body, secret))
}

/// Returns whether a string of `json` holds `secret`.
fn holds(json: &Value, secret: &str) -> bool {
    match json {
        Value::String(text) => !secret.is_empty() && text.contains(secret),
        Value::Array(items) => items.iter().any(|item| holds(item, secret)),
        Value::Object(members) => members.iter().any(|(name, value)| {
            holds(value, secret) || !secret.is_empty() && name.contains(secret)
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Returns how `secret` stands in base64 at each of the three places where it can begin. Short
/// secrets are left out: too little of them is left.
fn encoded(secret: &str) -> Vec<String> {
    const SHORTEST: usize = 8;
    let from = |before: usize| {
        let bytes = [vec![0; before], secret.as_bytes().to_owned()].concat();
        let text = STANDARD_NO_PAD.encode(&bytes[..bytes.len() / 3 * 3]);
        // The first group also encodes what stands before.
        text.get(if before == 0 { 0 } else { 4 }..)
            .unwrap_or_default()
            .to_owned()
    };
    let all = (0..3).map(from).filter(|_| secret.len() >= SHORTEST);
    all.flat_map(|text| [text.replace('+', "-").replace('/', "_"), text])
        .collect()
}

/// Returns `text` with each occurrence of `secret` replaced by `***`, also where it is escaped as
/// in a form, in JSON or in HTML, or encoded in base64: a service may repeat what it was sent.
pub(crate) fn without_secret(text: &str, secret: &str) -> String {
    if secret.is_empty() {
        return text.to_owned();
    }
    let form = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let json = Value::from(secret).to_string();
    let html = |quote, apostrophe| {
        let brackets = secret.replace('&', "&amp;").replace('<', "&lt;");
        let quotes = brackets.replace('>', "&gt;").replace('"', quote);
        quotes.replace('\'', apostrophe)
    };
    let pages = [
        html("&quot;", "&#39;"),
        html("&quot;", "&#x27;"),
        html("&#34;", "&#39;"),
    ];
    // Without the quotes around it, and only those.
    let json = json[1..json.len() - 1].to_owned();
    // A set, because most secrets need no escapes.
    let plain = [form, json, secret.to_owned()].into_iter();
    let spellings = BTreeSet::from_iter(plain.chain(pages).chain(encoded(secret)));
    spellings.iter().fold(text.to_owned(), |text, spelling| {
        text.replace(spelling, "***")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_redacted_in_every_spelling() {
        for (secret, spelling) in [
            (r#"a~b+c"d"#, r#"a~b+c"d"#),
            (r#"a~b+c"d"#, "a%7Eb%2Bc%22d"),
            (r#"a~b+c"d"#, r#"a~b+c\"d"#),
            (r#"a~b+c"d"#, "a~b+c&quot;d"),
            (r#"a~b+c"d"#, "a~b+c&#34;d"),
            ("a'b<c&d", "a&#39;b&lt;c&amp;d"),
            ("a'b<c&d", "a&#x27;b&lt;c&amp;d"),
            ("\"a\"", r#"\"a\""#),
        ] {
            let text = without_secret(&format!("<{spelling}>"), secret);
            assert_eq!(text, "<***>", "{secret} as {spelling}");
        }
        assert_eq!(without_secret("text", ""), "text");
    }

    #[test]
    fn an_excerpt_holds_no_token() {
        assert_eq!(
            excerpt("got Bearer eyJhbGc.eyJvaWQ.c2ln, sorry"),
            "got Bearer ***, sorry"
        );
        assert_eq!(
            excerpt("run: az login --claims-challenge eyJhY2Nlc3M= now."),
            "run: az login --claims-challenge eyJhY2Nlc3M= now."
        );
    }

    #[test]
    fn an_excerpt_holds_no_secret_by_name_or_form() {
        let generated = format!("abc8Q~{}", "x".repeat(34));
        for (text, shown) in [
            ("a?client_secret=S&b=c", "a?client_secret=***&b=c"),
            (
                r#"{"accessToken": "S", "a": 1}"#,
                r#"{"accessToken": "***", "a": 1}"#,
            ),
            (r#"{\"password\":\"S\",\"a\":1}"#, r#"{\"password\":\"***"#),
            (
                "az login --password S --tenant t",
                "az login --password *** --tenant t",
            ),
            ("sent Authorization: Basic S S", "sent Authorization: ***"),
            ("https://h/?sv=1&sig=S", "https://h/?sv=1&sig=***"),
            ("got eyJhbGc=.eyJvaWQ=.c2ln=, sorry", "got ***, sorry"),
            ("the token: it has ended", "the token: it has ended"),
            (
                "AADSTS7000215: Invalid client secret provided.",
                "AADSTS7000215: Invalid client secret provided.",
            ),
            (
                "invalid_client: the code is 5",
                "invalid_client: the code is 5",
            ),
        ] {
            let line = excerpt(text);
            assert!(line.starts_with(shown), "{text}: {line}");
            assert!(
                !line
                    .replace("AADSTS", "")
                    .replace("***", "")
                    .split(|c: char| !c.is_alphanumeric())
                    .any(|word| word == "S"),
                "{line}"
            );
        }
        assert_eq!(excerpt(&format!("bad {generated}.")), "bad ***");
    }

    #[test]
    fn a_body_of_unexpected_form_that_repeats_the_request_is_not_quoted() {
        for body in [
            r#"{"error":{"sent":{"Password":"x"}}}"#,
            r#"["\u0048unter2"]"#,
            "-----BEGIN PRIVATE KEY-----",
            "refresh_token=x",
        ] {
            let expected = format!("an unexpected answer of {} bytes", body.len());
            assert_eq!(quoted(body, "Hunter2"), expected, "{body}");
        }
        let basic = STANDARD_NO_PAD.encode("client:Hunter2-Sekr1t");
        assert!(!quoted(&format!("Basic {basic}"), "Hunter2-Sekr1t").contains(&basic));
    }

    #[test]
    fn an_excerpt_is_one_short_line() {
        assert_eq!(excerpt("a\u{202e}b\u{2028}c\u{200f}"), "a b c");
        assert_eq!(excerpt("  two\r\n\u{1b}lines\t "), "two lines");
        assert_eq!(excerpt(&"é".repeat(1000)).chars().count(), EXCERPT + 1);
    }

    proptest::proptest! {
        #[test]
        fn any_text_becomes_one_short_line(text in ".*") {
            let line = excerpt(&text);
            assert!(line.chars().count() <= EXCERPT + 1);
            assert!(!line.contains(is_hidden));
        }
    }
}
