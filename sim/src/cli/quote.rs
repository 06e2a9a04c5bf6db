//! Words for a command line that somebody will paste.

/// `word` as a POSIX shell needs it.
pub fn shell(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%,=".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::shell;

    #[test]
    fn only_what_needs_quotes_gets_them() {
        assert_eq!(shell("chain/silent-fallback"), "chain/silent-fallback");
        assert_eq!(shell("my scenarios/a.toml"), "'my scenarios/a.toml'");
        assert_eq!(shell("it's"), r"'it'\''s'");
        assert_eq!(shell(""), "''");
    }
}
