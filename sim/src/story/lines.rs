//! Where things stand in a scenario file.

use toml::de::DeValue;

use crate::scenario::document::Document;

/// The line of each `[[expect]]` in the file, from 1.
pub(super) fn of_expectations(document: &Document<'_>) -> Vec<usize> {
    let expectations = document.root().get("expect").map(|value| value.get_ref());
    let Some(DeValue::Array(expectations)) = expectations else {
        return Vec::new();
    };
    let line_of = |start| document.text(&(0..start)).matches('\n').count() + 1;
    let starts = expectations.iter().map(|value| value.span().start);
    starts.map(line_of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<usize> {
        let document = Document::parse(text).map_err(|_| "not TOML").unwrap();
        of_expectations(&document)
    }

    #[test]
    fn both_spellings_have_lines() {
        let text = "title = \"t\"\n\n[[expect]]\nwhy = \"a\"\n\n[[expect]]\nwhy = \"b\"\n";
        assert_eq!(lines(text), [3, 6]);
        let text = "expect = [\n  { why = \"a\" },\n  { why = \"b\" },\n]\n";
        assert_eq!(lines(text), [2, 3]);
        assert!(lines("title = \"t\"").is_empty());
    }
}
