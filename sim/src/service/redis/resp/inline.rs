//! Inline commands: a line of words, as a person types it into telnet.
//!
//! Byte for byte as a real server reads them, and so apart from
//! [`split_command_line`](crate::scenario::command_line::split_command_line): these are bytes and
//! no text, `\n`, `\x41` and `\'` are escapes within quotes, and a NUL ends the line. On lines
//! without these both give the same words, which a test asserts.

use bytes::Bytes;

/// The words of a line; none if its quotes are unbalanced. A NUL ends the line, as in C.
pub fn words(line: &[u8]) -> Option<Vec<Bytes>> {
    let line = line.split(|byte| *byte == 0).next().unwrap_or_default();
    let mut words = Vec::new();
    let mut rest = line;
    loop {
        while let [first, tail @ ..] = rest
            && is_space(*first)
        {
            rest = tail;
        }
        if rest.is_empty() {
            return Some(words);
        }
        let (word, tail) = word(rest)?;
        words.push(Bytes::from(word));
        rest = tail;
    }
}

/// The first word of `rest`, and what follows it.
fn word(mut rest: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut word = Vec::new();
    loop {
        match rest {
            [] => return Some((word, rest)),
            [b' ' | b'\n' | b'\r' | b'\t', tail @ ..] => return Some((word, tail)),
            [b'"', tail @ ..] => return closed(double_quoted(tail, &mut word)?, word),
            [b'\'', tail @ ..] => return closed(single_quoted(tail, &mut word)?, word),
            [byte, tail @ ..] => {
                word.push(*byte);
                rest = tail;
            }
        }
    }
}

/// After a closing quote nothing but a space may follow.
fn closed(rest: &[u8], word: Vec<u8>) -> Option<(Vec<u8>, &[u8])> {
    match rest {
        [] => Some((word, rest)),
        [first, ..] if is_space(*first) => Some((word, rest)),
        _ => None,
    }
}

fn double_quoted<'a>(mut rest: &'a [u8], word: &mut Vec<u8>) -> Option<&'a [u8]> {
    loop {
        match rest {
            [b'\\', b'x', high, low, tail @ ..]
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                word.push(digit(*high) << 4 | digit(*low));
                rest = tail;
            }
            [b'\\', escaped, tail @ ..] => {
                word.push(match escaped {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'b' => 0x08,
                    b'a' => 0x07,
                    other => *other,
                });
                rest = tail;
            }
            [b'"', tail @ ..] => return Some(tail),
            [byte, tail @ ..] => {
                word.push(*byte);
                rest = tail;
            }
            [] => return None,
        }
    }
}

fn single_quoted<'a>(mut rest: &'a [u8], word: &mut Vec<u8>) -> Option<&'a [u8]> {
    loop {
        match rest {
            [b'\\', b'\'', tail @ ..] => {
                word.push(b'\'');
                rest = tail;
            }
            [b'\'', tail @ ..] => return Some(tail),
            [byte, tail @ ..] => {
                word.push(*byte);
                rest = tail;
            }
            [] => return None,
        }
    }
}

fn digit(hex: u8) -> u8 {
    char::from(hex)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
        .unwrap_or(0)
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::scenario::command_line::{Quotes, split_command_line};

    proptest! {
        /// Lines without escapes mean the same to the protocol, to scenario files and to the
        /// command line of a driver.
        #[test]
        fn without_escapes_all_splitters_agree(
            parts in proptest::collection::vec(("[a-zA-Z0-9 :*$]{0,6}", 0usize..3), 0..6),
            gap in "[ \t]{1,3}",
        ) {
            let parts: Vec<_> = parts
                .into_iter()
                .map(|(word, quote)| match (quote, word.contains(' ') || word.is_empty()) {
                    (0, false) => word,
                    (0 | 1, _) => format!("'{word}'"),
                    (_, _) => format!("\"{word}\""),
                })
                .collect();
            let line = parts.join(&gap);
            let wire: Option<Vec<String>> = words(line.as_bytes()).map(|words| {
                let text = |word: &Bytes| String::from_utf8_lossy(word).into_owned();
                words.iter().map(text).collect()
            });
            for quotes in [Quotes::WholeWords, Quotes::Anywhere] {
                prop_assert_eq!(split_command_line(&line, quotes).ok(), wire.clone(), "{}", line);
            }
        }
    }
}
