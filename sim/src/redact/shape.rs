//! Secrets that are recognised by their form, whatever holds them.

use std::{borrow::Cow, ops::Range};

use base64::{Engine as _, alphabet, engine::general_purpose as base64_engine};

/// The fewest characters of a token: no service gives out a shorter one.
const SHORTEST_TOKEN: usize = 40;

/// The fewest characters of a refresh token or an authorization code of Entra; real ones have
/// several hundred.
const SHORTEST_REFRESH_TOKEN: usize = 100;

/// The fewest characters of a word that holds a secret: a client secret from its fourth to its
/// last.
const SHORTEST: usize = 37;

/// The fewest characters of a key in base64, padding left out: a key of 30 bytes. Those of Azure
/// have 32 or 64, and so have the signatures made with them.
const SHORTEST_KEY: usize = 40;

/// The fewest characters in base64 that are decoded to look for a secret in them.
pub(super) const SHORTEST_ENCODED: usize = 16;

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
/// `-._~`, and JWTs with the padding of base64 in them.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    word_ranges(text).filter_map(|range| text.get(range))
}

/// Where the [words](words) of `text` stand.
pub(super) fn word_ranges(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let begins = text.get(at..)?.find(|c| !is_separator(c))?;
        let start = at + begins;
        let rest = text.get(start..)?;
        let mut end = start + rest.find(is_separator).unwrap_or(rest.len());
        if let Some(token) = text.get(start..end).and_then(|word| word.find("ey")) {
            end = end.max(start + token + token_length(text.get(start + token..)?));
        }
        at = end;
        Some(start..end)
    })
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
    // Nearly all JWTs begin with `{"` in base64url; in others a blank or a line break stands
    // between.
    let token = from("eyJ").filter(|it| it.len() >= SHORTEST_TOKEN && it.contains('.'));
    let token = token.or_else(|| {
        from("ey")
            .or_else(|| from("ew"))
            .filter(|it| has_header(it))
    });
    if let Some(token) = token {
        return Some(Shape::Token(token));
    }
    let is_long = |it: &str| it.len() >= SHORTEST_REFRESH_TOKEN;
    if from("0.A").is_some_and(is_long) || from("1.A").is_some_and(is_long) {
        return Some(Shape::RefreshToken);
    }
    holds_client_secret(word).then_some(Shape::ClientSecret)
}

/// Whether a word begins with the header of a JWT and has more parts.
fn has_header(word: &str) -> bool {
    let Some((header, _)) = word.split_once('.') else {
        return false;
    };
    decoded(header).is_some_and(|header| header.contains("\"alg\""))
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

/// The length of the JWT at the beginning of `text`, whose parts may be padded with `=`; 0 if there
/// are not two parts at least.
pub(super) fn token_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let run = |from: usize, is_in: fn(u8) -> bool| {
        let rest = bytes.get(from..).unwrap_or_default();
        from + rest.iter().take_while(|byte| is_in(**byte)).count()
    };
    let (mut end, mut parts) = (0, 0);
    loop {
        let part = run(end, |byte| {
            byte.is_ascii_alphanumeric() || b"-_+/".contains(&byte)
        });
        let padded = run(part, |byte| byte == b'=');
        if part == end {
            // A token of which the signature is missing ends in a point.
            break if parts > 1 { end } else { 0 };
        }
        parts += 1;
        end = padded;
        match bytes.get(padded) {
            Some(b'.') => end = padded + 1,
            _ if parts > 1 => break end,
            _ => break 0,
        }
    }
}

/// The runs of base64, either alphabet, with their padding, that are long enough to hold a secret.
pub(super) fn encoded_ranges(text: &str) -> impl Iterator<Item = Range<usize>> {
    let bytes = text.as_bytes();
    let is_in = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_+/".contains(byte);
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let start = at + bytes.get(at..)?.iter().position(is_in)?;
            let rest = bytes.get(start..)?;
            let length = rest.iter().take_while(|byte| is_in(byte)).count();
            let padding = rest.iter().skip(length).take_while(|byte| **byte == b'=');
            let end = start + length + padding.count();
            at = end;
            if length >= SHORTEST_ENCODED {
                return Some(start..end);
            }
        }
    })
}

/// Whether a run of base64 is a key or a signature: padded, and not encoded JSON. `next` is what
/// follows it.
pub(super) fn is_key(run: &str, next: Option<u8>) -> bool {
    let key = run.trim_end_matches('=');
    let has = |is: fn(&u8) -> bool| key.as_bytes().iter().any(is);
    let is_padded = matches!(run.len() - key.len(), 1 | 2) && run.len().is_multiple_of(4);
    // In `name=value` the mark is no padding.
    let ends = next.is_none_or(|next| !next.is_ascii_alphanumeric() && next != b'/');
    is_padded
        && ends
        && key.len() >= SHORTEST_KEY
        && !key.starts_with("eyJ")
        && has(u8::is_ascii_digit)
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
}

/// The text that a run of base64 stands for, in UTF-8 or, as PowerShell takes it, with two bytes
/// for each character; none if it stands for something else.
pub(super) fn decoded(run: &str) -> Option<String> {
    let lenient = base64_engine::GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(base64::engine::DecodePaddingMode::RequireNone);
    let is_url_safe = run.contains(['-', '_']);
    let alphabet = if is_url_safe {
        &alphabet::URL_SAFE
    } else {
        &alphabet::STANDARD
    };
    let engine = base64_engine::GeneralPurpose::new(alphabet, lenient);
    let bytes = engine.decode(run.trim_end_matches('=')).ok()?;
    let is_text =
        |text: &str| !text.contains(|c: char| c.is_control() && !matches!(c, '\r' | '\n' | '\t'));
    if bytes.get(1) == Some(&0) {
        let units = bytes
            .chunks_exact(2)
            .map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
        return String::from_utf16(&units.collect::<Vec<_>>())
            .ok()
            .filter(|text| is_text(text));
    }
    String::from_utf8(bytes).ok().filter(|text| is_text(text))
}

/// Whether `run` has the form of a GUID, which is no base64.
pub(super) fn is_guid(run: &str) -> bool {
    run.len() == 36 && [8, 13, 18, 23].iter().all(|at| run.as_bytes()[*at] == b'-')
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
    use super::super::masked;
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
