//! Where things stand in a scenario file.

use toml::de::{DeTable, DeValue};

use super::Loaded;

impl Loaded {
    /// The line of each `[[expect]]` in the file, from 1.
    pub fn expectation_lines(&self) -> Vec<usize> {
        of_expectations(&self.text)
    }
}

fn of_expectations(text: &str) -> Vec<usize> {
    let Ok(document) = DeTable::parse(text) else {
        return Vec::new();
    };
    let Some(DeValue::Array(expectations)) = document.get_ref().get("expect").map(|v| v.get_ref())
    else {
        return Vec::new();
    };
    expectations
        .iter()
        .map(|expectation| {
            let start = expectation.span().start.min(text.len());
            text.as_bytes()[..start]
                .iter()
                .filter(|byte| **byte == b'\n')
                .count()
                + 1
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::of_expectations;

    #[test]
    fn both_spellings_have_lines() {
        let text = "title = \"t\"\n\n[[expect]]\nwhy = \"a\"\n\n[[expect]]\nwhy = \"b\"\n";
        assert_eq!(of_expectations(text), [3, 6]);
        assert_eq!(
            of_expectations("expect = [\n  { why = \"a\" },\n  { why = \"b\" },\n]\n"),
            [2, 3]
        );
        assert!(of_expectations("title = \"t\"").is_empty());
    }
}
