//! Secrets that are recognised by their form, whatever holds them.

use std::borrow::Cow;

use super::MASK;

/// The fewest characters of a token: no service gives out a shorter one.
const SHORTEST_TOKEN: usize = 40;

/// The fewest characters of a refresh token or an authorization code of Entra; real ones have several
/// hundred.
const SHORTEST_REFRESH_TOKEN: usize = 100;

/// The fewest characters of a word that holds a secret: a client secret from its fourth to its last.
const SHORTEST: usize = 37;

/// The kind of secret that a word looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape<'a> {
    /// A signed or encrypted JWT: this part of the word.
    Token(&'a str),
    /// A refresh token or an authorization code of Entra.
    RefreshToken,
    /// A client secret that Entra generated.
    ClientSecret,
}

/// The words of `text`, each of which could be a secret: the longest runs of letters, digits and
/// `-._~`.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(is_separator).filter(|word| !word.is_empty())
}

fn is_separator(c: char) -> bool {
    !(c.is_ascii_alphanumeric() || "-._~".contains(c))
}

/// The kind of secret that a word looks like, or holds after an option such as `-p`.
pub fn shape(word: &str) -> Option<Shape<'_>> {
    // Most words are short.
    if word.len() < SHORTEST {
        return None;
    }
    let from = |mark: &str| word.find(mark).and_then(|at| word.get(at..));
    // All JWTs begin with `{"` in base64url.
    let token = from("eyJ").filter(|it| it.len() >= SHORTEST_TOKEN && it.contains('.'));
    if let Some(token) = token {
        return Some(Shape::Token(token));
    }
    let is_long = |it: &str| it.len() >= SHORTEST_REFRESH_TOKEN;
    if from("0.A").is_some_and(is_long) || from("1.A").is_some_and(is_long) {
        return Some(Shape::RefreshToken);
    }
    holds_client_secret(word).then_some(Shape::ClientSecret)
}

/// Whether a word holds a client secret that Entra generated: 40 characters, with a digit and the
/// version mark `Q~` in the fourth to sixth place.
fn holds_client_secret(word: &str) -> bool {
    word.match_indices("Q~").any(|(mark, _)| {
        mark.checked_sub(4)
            .and_then(|start| word.as_bytes().get(start..))
            .is_some_and(|it| it.len() >= SHORTEST && it.get(3).is_some_and(u8::is_ascii_digit))
    })
}

/// `text` with every word covered that looks like a secret. Borrows if there is none.
pub fn masked(text: &str) -> Cow<'_, str> {
    if !words(text).any(|word| shape(word).is_some()) {
        return Cow::Borrowed(text);
    }
    let cover = |piece: &str| {
        let word = piece.trim_end_matches(is_separator);
        let end = piece.get(word.len()..).unwrap_or_default();
        match shape(word) {
            Some(_) => format!("{MASK}{end}"),
            None => piece.to_owned(),
        }
    };
    Cow::Owned(text.split_inclusive(is_separator).map(cover).collect())
}

/// A part of a URL without its percent-encoding. Unlike in a form, `+` is no space.
pub fn percent_decoded(part: &str) -> Cow<'_, str> {
    if !part.contains('%') {
        return Cow::Borrowed(part);
    }
    let whole = part
        .replace('&', "%26")
        .replace('+', "%2B")
        .replace('=', "%3D");
    form_urlencoded::parse(whole.as_bytes())
        .next()
        .map(|(text, _)| Cow::Owned(text.into_owned()))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_their_form() {
        // All made up.
        let secret = format!("abc8Q~{}", "x".repeat(34));
        let token = format!("eyJ{}.{}.sig", "a".repeat(30), "b".repeat(30));
        let refresh = format!("1.AX{}.Ag{}", "a".repeat(60), "b".repeat(200));
        assert_eq!(shape(&secret), Some(Shape::ClientSecret));
        assert_eq!(shape(&token), Some(Shape::Token(&token)));
        assert_eq!(shape(&refresh), Some(Shape::RefreshToken));
        for found in [&secret, &token, &refresh] {
            for (before, after) in [
                ("Bearer ", "."),
                ("a=", "&b"),
                ("{\"t\":\"", "\"}"),
                ("", ""),
            ] {
                let text = masked(&format!("{before}{found}{after}")).into_owned();
                let after = after.trim_start_matches('.');
                assert_eq!(text, format!("{before}***{after}"));
            }
            assert_eq!(masked(&format!("-p{found}")), "***");
        }
    }

    #[test]
    fn what_is_harmless_stays() {
        for harmless in [
            "s3cret",
            "abc8Q~short",
            &"x".repeat(40),
            &format!("abcdQ~{}", "x".repeat(34)),
            "eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZX19fQ==",
            "azsdk-js-identity/4.13.1 core-rest-pipeline/1.0.Alpha",
            "https://vault.azure.net/.default é",
        ] {
            assert_eq!(masked(harmless), harmless);
        }
    }

    #[test]
    fn a_part_of_a_url_is_decoded_whole() {
        assert_eq!(percent_decoded("a%7Eb+c=d&e"), "a~b+c=d&e");
        assert_eq!(percent_decoded(""), "");
    }
}
