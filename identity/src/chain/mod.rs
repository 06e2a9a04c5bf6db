//! Chains of credentials. A chain asks its members in order and returns the token of the first that
//! answers. The record of the walk lists that member, and why the others were passed over.
//!
//! A chain goes on to the next member if the source of a member does not exist on this host. A
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
//!
//! # Members that give no answer
//!
//! On a laptop the address of the metadata service may lead nowhere, and a managed identity fails
//! only after its time limits: 20 s or more in a [`ChainedTokenCredential`], 1 s in a
//! [`DefaultAzureCredential`]. A chain waits for such a member once:
//!
//! - The first call waits until the member has failed. When another member has answered then, the
//!   calls of the next 5 minutes do not wait for it. Only missing answers count: a time-out, a
//!   refused connection or no route. A member that fails quickly for another reason, such as a tool
//!   without a login, is asked in every walk.
//! - Meanwhile calls ask the member in the background, at most every 30 s. Once it answers, the
//!   next walk takes it again in its place. If it gives no answer again, its 5 minutes start anew.
//! - The [record](ChainRecord) of a walk lists it as passed over after 0 s, with its last error and
//!   the remark that it was not waited for.
//! - If no other member answers, the call waits for it before it fails.
//!
//! So in a long-running process one call in 5 minutes at most is slow, and none while callers keep
//! asking. The state belongs to the chain, and calls that force a refresh obey it as well (PR-07).

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

/// The failures after which a chain goes on to its next member (PR-02).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ContinueAfter {
    /// Only if the source of the member does not exist for this host. A source that exists and
    /// fails ends the chain with its error.
    #[default]
    Unavailable,
    /// Any failure, except that the member was disposed.
    Failure,
}

/// What a chain does when another credential or another principal answers than before (PR-04).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum FallbackPolicy {
    /// The token is returned, a warning is logged, and the observer is notified.
    #[default]
    Report,
    /// The call fails, until the previous identity answers again. A token of the previous identity
    /// that its member had cached is returned until its end (PR-23).
    Refuse,
}
