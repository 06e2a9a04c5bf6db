//! What was found out about one expectation or invariant.

use serde::Serialize;

use super::Evidence;

/// Whether one thing holds, and why one thinks so.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Finding {
    /// What it is: `expect[2] token-from`, or the invariant's name: `no-expired-token`.
    pub name: String,
    /// Which expectation of the file, from 1; none for an invariant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expectation: Option<usize>,
    /// Whether it holds.
    #[serde(flatten)]
    pub outcome: Judgement,
    /// What was looked at and found, in a sentence: also when it holds. Empty when nothing could
    /// be looked at.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub found: String,
    /// What was expected, in a sentence.
    pub expected: String,
    /// Why it matters: the scenario's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The seed that shows it, if it does not hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// The few trace lines that matter, if it does not hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<String>,
}

/// Whether something holds, as far as that could be seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Judgement {
    /// It holds.
    Holds,
    /// It does not.
    Fails,
    /// It was not observed: what it needs cannot be seen. Never counted as passed.
    NotObserved {
        /// Why, in words.
        reason: String,
    },
    /// It does not hold, and a `[[known-failure]]` of the subject says so. No failure.
    KnownFailure(Known),
    /// A `[[known-failure]]` of the subject says that it does not hold, and it was not observed.
    /// Counts against the run: the entry could be wrong, and nothing would show it.
    KnownFailureNotObserved {
        /// What the entry says.
        #[serde(flatten)]
        known: Known,
        /// Why it could not be checked, in words.
        #[serde(rename = "not-observed")]
        not_observed: String,
    },
}

/// What a `[[known-failure]]` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Known {
    /// Name and version of the subject.
    pub subject: String,
    /// The promise that it breaks, by id.
    pub breaks: String,
    /// The fact that records it, by id.
    pub fact: String,
    /// What it does instead.
    pub reason: String,
}

impl Finding {
    pub(super) fn new(
        name: &str,
        outcome: Judgement,
        found: impl Into<String>,
        expected: impl Into<String>,
    ) -> Self {
        Self {
            name: name.to_owned(),
            expectation: None,
            outcome,
            found: found.into(),
            expected: expected.into(),
            why: None,
            seed: None,
            evidence: Vec::new(),
        }
    }

    /// It holds: what was found, and what was expected.
    pub fn holds(name: &str, found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::new(name, Judgement::Holds, found, expected)
    }

    /// It does not hold: what was found, what was expected, and the lines that show it.
    pub fn fails(
        name: &str,
        found: impl Into<String>,
        expected: impl Into<String>,
        evidence: Evidence,
    ) -> Self {
        Self {
            evidence: evidence.lines(),
            ..Self::new(name, Judgement::Fails, found, expected)
        }
    }

    /// It was not observed: why, and what was expected.
    pub fn not_observed(
        name: &str,
        reason: impl Into<String>,
        expected: impl Into<String>,
    ) -> Self {
        let reason = reason.into();
        Self::new(name, Judgement::NotObserved { reason }, "", expected)
    }

    /// Whether it holds.
    pub fn is_held(&self) -> bool {
        self.outcome == Judgement::Holds
    }

    /// Whether it counts against the run: it fails and no known failure says so, or it is known to
    /// fail and could not be checked.
    pub fn is_failure(&self) -> bool {
        match self.outcome {
            Judgement::Fails | Judgement::KnownFailureNotObserved { .. } => true,
            Judgement::Holds | Judgement::NotObserved { .. } | Judgement::KnownFailure(_) => false,
        }
    }

    /// Whether it is known to fail and could not be checked.
    pub fn is_unchecked(&self) -> bool {
        matches!(self.outcome, Judgement::KnownFailureNotObserved { .. })
    }

    /// Why it was not observed, if so.
    pub fn unseen(&self) -> Option<&str> {
        match &self.outcome {
            Judgement::NotObserved { reason } => Some(reason),
            Judgement::Holds
            | Judgement::Fails
            | Judgement::KnownFailure(_)
            | Judgement::KnownFailureNotObserved { .. } => None,
        }
    }

    /// What is known of it, if it is a known failure.
    pub fn known(&self) -> Option<&Known> {
        match &self.outcome {
            Judgement::KnownFailure(known) => Some(known),
            Judgement::Holds
            | Judgement::Fails
            | Judgement::NotObserved { .. }
            | Judgement::KnownFailureNotObserved { .. } => None,
        }
    }
}

impl std::fmt::Display for Known {
    /// `azure-identity-js 4.13.1 breaks PR-24 (CA-12): every caller sends a request of its own`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} breaks {} ({}): {}",
            self.subject, self.breaks, self.fact, self.reason
        )
    }
}
