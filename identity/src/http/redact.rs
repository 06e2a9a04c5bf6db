//! Makes texts of services, proxies and tools safe to show in errors and logs.

use std::collections::BTreeSet;

use serde_json::Value;

/// The length of an excerpt, in characters.
const EXCERPT: usize = 400;

/// Returns `text` on one line, without control characters; blanks are joined to single spaces.
pub(crate) fn one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    words
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Returns `text` with each JSON Web Token replaced by `***`. Services, proxies and tools have put
/// tokens into error messages.
fn without_tokens(text: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
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

/// Returns the first 400 characters of `text` on one line, without tokens.
pub(crate) fn excerpt(text: &str) -> String {
    let line = without_tokens(&one_line(text));
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
    const MARKS: [&str; 3] = ["access_token", "client_secret", "eyJ"];
    if MARKS.iter().any(|word| body.contains(word)) {
        return format!("an unexpected answer of {} bytes", body.len());
    }
    excerpt(&without_secret(body, secret))
}

/// Returns `text` with each occurrence of `secret` replaced by `***`, also where it is escaped as
/// in a form, in JSON or in HTML: a service may repeat what it was sent.
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
    let spellings = BTreeSet::from_iter([form, json, secret.to_owned()].into_iter().chain(pages));
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
    fn an_excerpt_is_one_short_line() {
        assert_eq!(excerpt("  two\r\n\u{1b}lines\t "), "two lines");
        assert_eq!(excerpt(&"é".repeat(1000)).chars().count(), EXCERPT + 1);
    }

    proptest::proptest! {
        #[test]
        fn any_text_becomes_one_short_line(text in ".*") {
            let line = excerpt(&text);
            assert!(line.chars().count() <= EXCERPT + 1);
            assert!(!line.contains(char::is_control));
        }
    }
}
