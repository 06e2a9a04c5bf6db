//! Promises that other subjects are known to break.

use schemars::JsonSchema;
use serde::Deserialize;

/// A promise that a subject is known to break, checked both ways: if it starts to keep it, the
/// entry must go.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct KnownFailure {
    /// Name and version of the subject: `azure-identity-js 4.13.1`.
    pub subject: String,
    /// What does not hold with it: `expect[2]` is the second `[[expect]]`, `single-flight` an
    /// invariant.
    pub fails: Vec<String>,
    /// The promise, by id.
    pub breaks: String,
    /// The fact that records it, by id.
    pub fact: String,
    /// What it does instead.
    pub reason: String,
}

impl KnownFailure {
    /// The name of the subject, without its version.
    pub fn sdk(&self) -> &str {
        sdk_of(&self.subject)
    }
}

/// `azure-identity-js` of `azure-identity-js 4.13.1`.
pub fn sdk_of(subject: &str) -> &str {
    subject.rsplit_once(' ').map_or(subject, |(name, _)| name)
}

/// Whether this is a name and a version, as in `azure-identity-js 4.13.1`.
pub fn names_version(subject: &str) -> bool {
    let (name, version) = subject.rsplit_once(' ').unwrap_or_default();
    !name.trim().is_empty() && version.starts_with(|first: char| first.is_ascii_digit())
}

/// The number in `expect[2]`; none if the text is not of this form.
pub fn expectation_number(failing: &str) -> Option<usize> {
    let digits = failing.strip_prefix("expect[")?.strip_suffix(']')?;
    let plain = digits.bytes().all(|digit| digit.is_ascii_digit()) && !digits.starts_with('0');
    plain.then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expectations_have_one_spelling() {
        assert_eq!(expectation_number("expect[12]"), Some(12));
        for wrong in [
            "expect[0]",
            "expect[02]",
            "expect[+2]",
            "expect[]",
            "expect 2",
            "2",
        ] {
            assert_eq!(expectation_number(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_version_stands_after_the_last_space() {
        assert_eq!(sdk_of("azure-identity-js 4.13.1"), "azure-identity-js");
        assert_eq!(sdk_of("identity"), "identity");
        assert!(names_version("azure-identity-js 4.13.1"));
        for none in ["identity", "identity 4.13.1 ", " 4.13.1", "identity latest"] {
            assert!(!names_version(none), "{none}");
        }
    }
}
