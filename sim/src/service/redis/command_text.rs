//! Redis commands as scenario files write them.

use crate::scenario::command_line::{Quotes, Unbalanced, split_command_line};

/// Splits a command such as `SET greeting "hello world"` into its words.
///
/// # Errors
/// What is wrong, in a few words.
pub fn parse_command(text: &str) -> Result<Vec<String>, &'static str> {
    let words = split_command_line(text, Quotes::WholeWords).map_err(|why| match why {
        Unbalanced::NotClosed(_) => "a quote is not closed",
        Unbalanced::GoesOn => "a quoted word goes on behind its quote",
    })?;
    match words.first() {
        None => Err("it is empty"),
        Some(name) if name.is_empty() => Err("its name is empty"),
        Some(_) => Ok(words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_taken_as_a_person_means_them() {
        let parse = |text| parse_command(text).unwrap();
        assert_eq!(parse(" SET  a 1 "), ["SET", "a", "1"]);
        assert_eq!(parse("SET a 'x y' \"\""), ["SET", "a", "x y", ""]);
        for (text, why) in [
            ("", "it is empty"),
            ("SET \"a", "a quote is not closed"),
            ("SET 'a'b c", "a quoted word goes on behind its quote"),
            ("'' a", "its name is empty"),
        ] {
            assert_eq!(parse_command(text), Err(why), "{text}");
        }
    }
}
