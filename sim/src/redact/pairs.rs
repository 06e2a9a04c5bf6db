//! Values that stand behind the names of secrets in a text of any kind.

use std::ops::Range;

use super::{
    MASK,
    name::{is_secret_in_prose, is_secret_name},
    percent_decoded,
};

/// Where the parts of a value end that stands without quotes.
const ENDS: &[char] = &['&', ';', '"', '\'', '<', '>', '`'];

/// Values that are no secrets whatever their name is.
const HARMLESS: &[&str] = &[
    MASK,
    "false",
    "null",
    "nil",
    "no",
    "none",
    "off",
    "on",
    "true",
    "undefined",
    "yes",
];

/// Finds the values after names of secrets: `name=value` and, `with_colons`, `name: value` and
/// `"name": "value"`.
pub(super) fn pairs(text: &str, with_colons: bool, spans: &mut Vec<Range<usize>>) {
    let is_word = !text.contains(char::is_whitespace);
    let mut end = 0;
    for (at, mark) in text.match_indices(['=', ':']) {
        // Within a value that is covered.
        if at < end {
            continue;
        }
        let (before, after) = (&text[..at], &text[at + 1..]);
        let is_colon = mark == ":";
        // `token::kind`, `token://place` and `a == b` are no pairs.
        let is_other = if is_colon {
            before.ends_with(':') || after.starts_with([':', '/'])
        } else {
            before.ends_with(['=', '!']) || after.starts_with('=')
        };
        let Some(name) = Name::before(before).filter(|_| !is_other) else {
            continue;
        };
        if is_colon && !with_colons || is_assigned_an_expression(&name, after) {
            continue;
        }
        let decoded = percent_decoded(name.text);
        let is_secret = if name.is_quoted || name.in_query || is_word {
            is_secret_name(&decoded)
        } else {
            is_secret_in_prose(&decoded)
        };
        if !is_secret {
            continue;
        }
        let found = value(after, is_colon, &name).map(|it| at + 1 + it.start..at + 1 + it.end);
        if let Some(found) = found
            && !text.get(found.clone()).is_some_and(|value| {
                HARMLESS.contains(&value) || is_number_of_an_error(&decoded, value)
            })
        {
            end = found.end;
            spans.push(found);
        }
    }
}

/// Whether this is `$token = Get-AzAccessToken`: what a script assigns to a variable without quotes
/// is a command or an expression, not text.
fn is_assigned_an_expression(name: &Name<'_>, after: &str) -> bool {
    let value = after.trim_start().trim_start_matches('\\');
    name.text.starts_with('$') && name.is_apart && !value.starts_with(['"', '\'', '`'])
}

/// Whether `code=700016` names an error, as in the links of Entra: an authorization code has
/// letters.
fn is_number_of_an_error(name: &str, value: &str) -> bool {
    name.eq_ignore_ascii_case("code") && value.bytes().all(|byte| byte.is_ascii_digit())
}

/// The name before a mark.
struct Name<'a> {
    text: &'a str,
    /// Whether it stands in quotes.
    is_quoted: bool,
    /// Whether it begins a field of a query.
    in_query: bool,
    /// Whether it begins the text, or a member of an object.
    is_first: bool,
    /// Whether blanks stand between it and the mark.
    is_apart: bool,
}

impl<'a> Name<'a> {
    fn before(before: &'a str) -> Option<Self> {
        let near = before.trim_end_matches([' ', '\t']);
        let bare = near.trim_end_matches(['"', '\'', '`', '\\']);
        let is_part = |c: char| c.is_ascii_alphanumeric() || "_-.$%".contains(c);
        let text = bare
            .rsplit(|c| !is_part(c))
            .next()
            .filter(|name| !name.is_empty())?;
        let outside = &bare[..bare.len() - text.len()];
        Some(Self {
            text,
            // In "`no more tokens`: why" the quotes hold more than a name.
            is_quoted: bare.len() < near.len() && outside.ends_with(['"', '\'', '`']),
            is_first: outside.is_empty() || outside.ends_with(['{', ',', '(', '[', '\n']),
            in_query: outside.ends_with(['?', '&', ';']),
            is_apart: near.len() < before.len(),
        })
    }

    /// Whether it is that of a header or a setting that people write before a colon and a blank.
    /// `invalid_token: why` is prose.
    fn is_before_a_blank(&self) -> bool {
        let name = self.text.to_ascii_lowercase();
        let is_header = matches!(name.as_str(), "authorization" | "cookie" | "pwd");
        let has_mark = name.contains(['-', '_']);
        let is_key = has_mark
            && ["key", "authorization", "cookie", "secret"]
                .iter()
                .any(|it| name.ends_with(it));
        is_header || is_key || name.contains("passw")
    }
}

/// Where the value after a mark stands, if there is one.
fn value(after: &str, is_colon: bool, name: &Name<'_>) -> Option<Range<usize>> {
    let near = after.trim_start_matches([' ', '\t']);
    let start = after.len() - near.len();
    let bare = near.trim_start_matches('\\');
    let slashes = near.len() - bare.len();
    if let Some(quote) = bare
        .chars()
        .next()
        .filter(|c| matches!(c, '"' | '\'' | '`'))
    {
        // A quote may end behind a sentence: `it says "this is no token:", and`.
        if is_colon && !name.is_quoted && !name.is_first && !name.is_before_a_blank() {
            return None;
        }
        // Three quotes begin a text of several lines.
        let triple = [quote; 3].iter().collect::<String>();
        if let Some(rest) = bare.strip_prefix(triple.as_str()) {
            let inside = start + slashes + 3;
            let end = rest.find(triple.as_str()).unwrap_or(rest.len());
            return (end > 0).then_some(inside..inside + end);
        }
        let inside = start + slashes + 1;
        let rest = after.get(inside..)?;
        let end = closing(rest, quote, slashes);
        return (end > 0).then_some(inside..inside + end);
    }
    let is_json = name.is_quoted && is_colon;
    let length = if near.starts_with('[') && (is_json || !is_colon) {
        near.find(']').unwrap_or(near.len())
    } else if near.starts_with('{') {
        // Its own members are looked at one by one.
        return None;
    } else if is_json {
        near.find([',', '}', ']', '\n']).unwrap_or(near.len())
    } else if start > 0 && is_colon {
        // A header: a scheme and more may stand before the secret itself.
        let ends = |c: char| matches!(c, '\n' | '\r' | '"' | '\'');
        name.is_before_a_blank()
            .then(|| near.find(ends).unwrap_or(near.len()))?
    } else if start > 0 && !(name.is_apart && name.text.contains(['_', '-', '$'])) {
        // `the secret= and`: a sentence.
        return None;
    } else {
        let ends = |c: char| c.is_whitespace() || ENDS.contains(&c);
        near.find(ends).unwrap_or(near.len())
    };
    (length > 0).then_some(start..start + length)
}

/// The length of what stands before the closing quote, which as many backslashes escape as the
/// opening one.
fn closing(rest: &str, quote: char, slashes: usize) -> usize {
    let ends = |(at, _): &(usize, &str)| {
        let before = &rest[..*at];
        let escapes = before.len() - before.trim_end_matches('\\').len();
        escapes <= slashes
    };
    let end = rest.match_indices(quote).find(ends);
    end.map_or(rest.len(), |(at, _)| {
        rest[..at].trim_end_matches('\\').len()
    })
}
