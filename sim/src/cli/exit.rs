//! What the process exits with.

/// Everything held.
pub const PASSED: u8 = 0;
/// An expectation or an invariant does not hold.
pub const FAILED: u8 = 1;
/// The command line makes no sense, or a scenario file is invalid.
pub const USAGE: u8 = 2;
/// The harness failed: nothing can be said about the subject.
pub const HARNESS: u8 = 3;
/// Nothing was selected: a name or path leads nowhere, or all that was selected is left out.
pub const NOTHING: u8 = 4;
/// Two passes of the same run were not the same.
pub const NONDETERMINISM: u8 = 5;

/// What `--help` says about it.
pub(super) const HELP: &str = "\
Exit codes:
  0  everything held
  1  a scenario failed
  2  wrong usage, or an invalid scenario file
  3  the harness failed
  4  nothing was selected, or a name leads nowhere
  5  two passes of the same run differ (run --twice)
Of several, the first of 3, 2, 5, 1, 4 counts.
serve --until-exit exits with what its command exits with, if that is not 0.";

/// Which of several codes counts, most serious first.
const ORDER: [u8; 5] = [HARNESS, USAGE, NONDETERMINISM, FAILED, NOTHING];

/// The one code for several outcomes.
pub fn first_of(codes: &[u8]) -> u8 {
    ORDER
        .into_iter()
        .find(|code| codes.contains(code))
        .unwrap_or(PASSED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_serious_outcome_counts() {
        assert_eq!(first_of(&[]), 0);
        assert_eq!(first_of(&[PASSED, PASSED]), 0);
        assert_eq!(first_of(&[PASSED, NOTHING]), 4);
        assert_eq!(first_of(&[NOTHING, FAILED, PASSED]), 1);
        assert_eq!(first_of(&[NOTHING, FAILED, NONDETERMINISM]), 5);
        assert_eq!(first_of(&[NONDETERMINISM, USAGE, FAILED]), 2);
        assert_eq!(
            first_of(&[FAILED, USAGE, NONDETERMINISM, NOTHING, HARNESS]),
            3
        );
    }

    #[test]
    fn the_help_names_every_code_and_the_order() {
        for code in 0..=5 {
            assert!(HELP.contains(&format!("\n  {code}  ")), "{code}");
        }
        let order = ORDER.map(|code| code.to_string()).join(", ");
        assert!(HELP.contains(&order), "{order}");
    }
}
