//! Redis commands as people type them.

/// The words of a command: separated by spaces, `"..."` and `'...'` hold spaces together.
///
/// # Errors
/// What is wrong, in a few words.
pub fn parse_command(text: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (word, after) = match first {
            '"' | '\'' => {
                let inside = &rest[1..];
                let end = inside.find(first).ok_or("a quote is not closed")?;
                (&inside[..end], &inside[end + 1..])
            }
            _ => rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len())),
        };
        if after.starts_with(|next: char| !next.is_whitespace()) {
            return Err("a quoted word goes on behind its quote");
        }
        words.push(word.to_owned());
        rest = after.trim_start();
    }
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
