//! Chains of credentials: the first member that can give a token does, and the record of the walk
//! says which member that was and why the others were passed over.
//!
//! A chain goes on to the next member when the source of a member does not exist on this host. A
//! source that exists and fails ends the chain with its error (PR-02).
//!
//! ```no_run
//! use credsim_identity::{
//!     AzureCliCredential, ChainedTokenCredential, FallbackPolicy, ManagedIdentityCredential,
//!     TokenCredential, TokenRequest,
//! };
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), credsim_identity::Error> {
//! let chain = ChainedTokenCredential::builder()
//!     .credential(ManagedIdentityCredential::builder().build()?)
//!     .credential(AzureCliCredential::builder().build()?)
//!     // A change of identity is an error instead of a warning.
//!     .fallback_policy(FallbackPolicy::Refuse)
//!     .build()?;
//! let token = chain.get_token(&TokenRequest::new(["https://vault.azure.net/.default"])).await?;
//! println!("{} answered", token.answered_by());
//! if let Some(walk) = token.chain() {
//!     for tried in &walk.tried {
//!         println!("{} took {:?}: {:?}", tried.credential, tried.took, tried.outcome);
//!     }
//! }
//! # Ok(())
//! # }
//! ```

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
