//! How a chain walks: options shared by `DefaultAzureCredential` and `ChainedTokenCredential`.

use schemars::JsonSchema;
use serde::Deserialize;

/// After which errors a chain goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ContinueAfter {
    /// Only when the source is not there.
    #[default]
    Unavailable,
    /// After any failure.
    Failure,
}

/// What a chain does when another identity would answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FallbackPolicy {
    /// Hands the token out and reports the change.
    #[default]
    Report,
    /// Hands nothing out: an error.
    Refuse,
}

impl ContinueAfter {
    /// As the option of ours.
    pub(super) fn ours(self) -> credsim_identity::ContinueAfter {
        match self {
            Self::Unavailable => credsim_identity::ContinueAfter::Unavailable,
            Self::Failure => credsim_identity::ContinueAfter::Failure,
        }
    }
}

impl FallbackPolicy {
    /// As the option of ours.
    pub(super) fn ours(self) -> credsim_identity::FallbackPolicy {
        match self {
            Self::Report => credsim_identity::FallbackPolicy::Report,
            Self::Refuse => credsim_identity::FallbackPolicy::Refuse,
        }
    }
}

/// Describes the walk as the end of a sentence about the chain.
pub(super) fn describe(after: ContinueAfter, policy: FallbackPolicy) -> String {
    let mut text = String::new();
    if after == ContinueAfter::Failure {
        text += ", goes on after any failure";
    }
    if policy == FallbackPolicy::Refuse {
        text += ", refuses to change identity";
    }
    text
}
