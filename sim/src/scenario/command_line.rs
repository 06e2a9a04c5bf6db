//! Command lines as people type them, split into words.

/// Which rules differ between the command lines that people type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quotes {
    /// A quote is special at the beginning of a word only, and must enclose the whole word: `it's`
    /// is a word as it stands, and `'a'b` is an error.
    WholeWords,
    /// A quote is special everywhere: `'a b'/c` is one word without quotes.
    Anywhere,
}

/// Why a command line can't be split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unbalanced {
    /// This quote is not closed.
    NotClosed(char),
    /// A word goes on after the quote that should end it.
    GoesOn,
}

/// Splits a command line into its words: separated by white space, held together by single or
/// double quotes. Nothing else is special: no variables, no patterns, no backslashes.
///
/// The inline commands of the Redis protocol (`service::redis::resp::inline`) are split apart from
/// this, because a server must read them byte for byte as a real one does: bytes instead of text,
/// escapes within quotes, and a NUL that ends the line. What PowerShell makes of a script
/// (`command::pwsh`) is no splitting: its arguments arrive as a list.
///
/// # Errors
/// Its quotes are not balanced as `quotes` wants them.
pub fn split_command_line(text: &str, quotes: Quotes) -> Result<Vec<String>, Unbalanced> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut open = None;
    let mut is_whole = false;
    for c in text.chars() {
        match open {
            Some(quote) if c == quote => {
                open = None;
                is_whole = quotes == Quotes::WholeWords;
            }
            None if c.is_whitespace() => {
                words.extend(word.take());
                is_whole = false;
            }
            None if is_whole => return Err(Unbalanced::GoesOn),
            None if matches!(c, '\'' | '"') && (quotes == Quotes::Anywhere || word.is_none()) => {
                open = Some(c);
                word.get_or_insert_default();
            }
            Some(_) | None => word.get_or_insert_default().push(c),
        }
    }
    if let Some(quote) = open {
        return Err(Unbalanced::NotClosed(quote));
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_separate_and_quotes_hold_together() {
        use Quotes::{Anywhere, WholeWords};
        let split = |text, quotes| split_command_line(text, quotes);
        let same = [
            ("", vec![]),
            (" node  driver.mjs\t", vec!["node", "driver.mjs"]),
            ("a 'x y' \"it's\" ''", vec!["a", "x y", "it's", ""]),
            (
                r"C:\driver.exe $HOME *",
                vec![r"C:\driver.exe", "$HOME", "*"],
            ),
        ];
        for (text, words) in same {
            for quotes in [Anywhere, WholeWords] {
                let expected = words.iter().map(|word| (*word).to_owned()).collect();
                assert_eq!(split(text, quotes), Ok(expected), "{text}");
            }
        }
        let words = |words: &[&str]| Ok(words.iter().map(|word| (*word).to_owned()).collect());
        assert_eq!(split("'a b'/c", Anywhere), words(&["a b/c"]));
        assert_eq!(split("'a b'/c", WholeWords), Err(Unbalanced::GoesOn));
        assert_eq!(split("it's", WholeWords), words(&["it's"]));
        assert_eq!(split("it's", Anywhere), Err(Unbalanced::NotClosed('\'')));
        assert_eq!(
            split("SET \"a", WholeWords),
            Err(Unbalanced::NotClosed('"'))
        );
    }
}
