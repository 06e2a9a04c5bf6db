//! Chains of credentials: the first member that can gives the token, and nobody is left in doubt
//! about who that was.

mod absence;
mod chained;
mod default;
mod failure;
mod hit;
mod kept;
mod known;
mod members;
mod memory;
mod record;
mod selection;
mod standin;
mod upward;
mod walk;

pub use chained::{ChainedTokenCredential, ChainedTokenCredentialBuilder};
pub use default::{DefaultAzureCredential, DefaultAzureCredentialBuilder};
pub use record::{ChainRecord, Identity, IdentityChange, Observer, ObserverRef, Outcome, Tried};

/// After which failures of a member a chain goes on to the next (PR-02).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ContinueAfter {
    /// Only when the member's source is not there for this host. A source that is there and fails
    /// ends the chain with its error.
    #[default]
    Unavailable,
    /// After any failure, but never when the member was disposed.
    Failure,
}

/// What a chain does when another credential or another principal answers than before (PR-04).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum FallbackPolicy {
    /// It hands the token out, warns, and tells the observer.
    #[default]
    Report,
    /// It is an error, and nothing new is handed out until the previous identity answers again. A
    /// token of the previous identity that its member had cached is handed out to its end (PR-23).
    Refuse,
}
