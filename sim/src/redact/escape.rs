//! Texts that files, clients and services wrote, in a form that a terminal or a CI log only shows.

use std::borrow::Cow;

/// Whether a terminal does something else with it than to show it: control characters, characters
/// that turn the direction of the text around them, those that have no width, and line separators.
pub fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// `text` with escapes (`\u{1b}`, `\n`) for what is [hidden](is_hidden), so that it stays on one
/// line. Borrows if there is none.
pub fn escaped(text: &str) -> Cow<'_, str> {
    escaped_but(text, is_hidden)
}

/// As [`escaped`], but line breaks stay: for a text of several lines that is indented when it is
/// printed.
pub fn escaped_lines(text: &str) -> Cow<'_, str> {
    escaped_but(text, |letter| letter != '\n' && is_hidden(letter))
}

fn escaped_but(text: &str, is_escaped: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_escaped(letter) {
            shown.extend(letter.escape_default());
        } else {
            shown.push(letter);
        }
    }
    Cow::Owned(shown)
}

/// A JSON document whose strings hold no hidden character and no command for GitHub Actions: the
/// same document for a program, with escapes where a terminal or a CI would do something. Line
/// breaks between values stay.
pub fn escaped_json(document: &str) -> Cow<'_, str> {
    // JSON itself is of visible ASCII and line breaks: what else is hidden stands in a string, and
    // the serializer has written escapes for the control characters of ASCII but this one.
    let is_in_string = |letter: char| letter == '\u{7f}' || !letter.is_ascii() && is_hidden(letter);
    // Outside of strings, JSON has no such mark.
    if document.contains("##[") {
        let document = document.replace("##[", "#\\u0023[");
        return Cow::Owned(escaped_json(&document).into_owned());
    }
    if !document.contains(is_in_string) {
        return Cow::Borrowed(document);
    }
    let mut shown = String::with_capacity(document.len());
    for letter in document.chars() {
        if is_in_string(letter) {
            let mut units = [0; 2];
            for unit in letter.encode_utf16(&mut units) {
                shown.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            shown.push(letter);
        }
    }
    Cow::Owned(shown)
}

/// `text`, which may quote what a file or a client wrote, so that GitHub Actions finds no command
/// in it. It takes a line for one that begins with `::` after any blanks, or that holds `##[`.
pub fn without_commands(text: &str) -> Cow<'_, str> {
    let begins = |line: &str| visible_start(line).starts_with("::");
    if !text.contains("##[") && !text.lines().any(begins) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let line = line.replace("##[", "#\\#[");
        let start = visible_start(&line);
        if start.starts_with("::") {
            let (before, _) = line.split_at(line.len() - start.len());
            shown.push_str(before);
            shown.push('\\');
            shown.push_str(start);
        } else {
            shown.push_str(&line);
        }
    }
    Cow::Owned(shown)
}

/// A line from its first visible character on: styles are stripped where no terminal is.
fn visible_start(line: &str) -> &str {
    let mut rest = line;
    loop {
        let trimmed = rest.trim_start();
        let style = trimmed.strip_prefix("\u{1b}[").and_then(|style| {
            let end = style.find(|c: char| c.is_ascii_alphabetic())?;
            style.get(end + 1..)
        });
        match style {
            Some(after) => rest = after,
            None => return trimmed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One of each kind.
    const HIDDEN: &str = "\u{0}\u{7}\u{1b}\r\n\t\u{7f}\u{85}\u{9b}\u{61c}\u{180e}\u{200b}\u{200f}\u{2028}\u{202e}\u{2066}\u{feff}\u{e0041}";

    #[test]
    fn what_is_hidden_is_spelled_out() {
        assert_eq!(
            escaped("a\u{1b}[31m\nb\u{202e}"),
            "a\\u{1b}[31m\\nb\\u{202e}"
        );
        assert_eq!(escaped_lines("a\r\nb"), "a\\r\nb");
        assert!(!escaped(HIDDEN).contains(is_hidden));
        assert!(matches!(escaped("Zürich 日本 🙂"), Cow::Borrowed(_)));
    }

    #[test]
    fn json_means_the_same_when_it_is_escaped() {
        let json = serde_json::to_string_pretty(&[HIDDEN, "é🙂", "###[x]"]).unwrap();
        let safe = escaped_json(&json);
        assert!(!safe.contains("##["));
        assert!(!safe.replace('\n', "").contains(is_hidden));
        let back: Vec<String> = serde_json::from_str(&safe).unwrap();
        assert_eq!(back, [HIDDEN, "é🙂", "###[x]"]);
    }

    #[test]
    fn no_line_is_a_command() {
        let text = "ok\n  ::error::x\n\u{1b}[2m ::debug::y\n##[error]z ##[add-mask]\na::b\n";
        let shown = without_commands(text);
        assert_eq!(
            shown,
            "ok\n  \\::error::x\n\u{1b}[2m \\::debug::y\n#\\#[error]z #\\#[add-mask]\na::b\n"
        );
        assert!(matches!(without_commands("a::b\n"), Cow::Borrowed(_)));
    }

    proptest::proptest! {
        #[test]
        fn nothing_hidden_is_left(text in "[\u{0}-\u{ff}\u{2000}-\u{2100}]{0,40}") {
            proptest::prop_assert!(!escaped(&text).contains(is_hidden));
        }
    }
}
