//! A command line, taken apart.

/// The words of a command line such as `node 'my drivers/driver.mjs'`: separated by blanks, held
/// together by single or double quotes. Nothing else is special: no variables, no patterns, no
/// backslashes.
///
/// # Errors
/// There are no words, or a quote is not closed.
pub fn words(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in text.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            None if c == '\'' || c == '"' => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            None if c.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(c),
        }
    }
    if let Some(open) = quote {
        return Err(format!("a quote ({open}) is not closed in `{text}`"));
    }
    words.extend(word);
    if words.is_empty() {
        return Err("expected a program and its arguments, such as 'node driver.mjs'".to_owned());
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn blanks_separate_and_quotes_hold_together() {
        let of = |text| words(text).unwrap();
        assert_eq!(of(" node  driver.mjs "), ["node", "driver.mjs"]);
        assert_eq!(of("'a b'/c \"it's\" ''"), ["a b/c", "it's", ""]);
        assert_eq!(
            of(r"C:\driver.exe $HOME *"),
            [r"C:\driver.exe", "$HOME", "*"]
        );
        assert!(
            words("node 'driver.mjs")
                .unwrap_err()
                .contains("not closed")
        );
        assert!(words("  ").is_err());
    }
}
