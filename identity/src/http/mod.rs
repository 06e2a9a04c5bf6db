//! Requests to token services: their retries, their time limits and how their answers are read.
//!
//! A credential sends its requests under a [`RetryPolicy`]: how often a request is repeated, after
//! which waits, and how long each attempt may take (PR-10 to PR-15). A caller changes parts of it
//! with [`RetryOptions`]:
//!
//! ```
//! use std::time::Duration;
//! use credsim_identity::{ManagedIdentityCredential, RetryOptions, RetryPolicy};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), credsim_identity::Error> {
//! // A job that fails early: waits of 0.2 and 0.4 s, and at most 5 s where the service asks.
//! let options = RetryOptions {
//!     max_retries: Some(2),
//!     retry_delay: Some(Duration::from_millis(200)),
//!     retry_after_cap: Some(Duration::from_secs(5)),
//!     ..RetryOptions::default()
//! };
//! let credential = ManagedIdentityCredential::builder().retry(options.clone()).build()?;
//! # let _ = credential;
//!
//! // What that means for a managed identity, as a policy:
//! let policy = RetryPolicy::managed_identity().with(&options);
//! assert!(policy.retries(503) && !policy.retries(400));
//! assert_eq!(policy.nominal_wait(2, Some(503)), Duration::from_millis(400));
//! # Ok(())
//! # }
//! ```
//!
//! A [`TokenSource`](crate::TokenSource) of your own sends its requests with [`send`], which keeps
//! a policy in the same way; an [`Error`](crate::Error) that has a [`Failure`] as its cause is
//! [transient](crate::Error::is_transient) if another attempt may succeed.

pub(crate) mod error;
mod exchange;
mod failure;
pub(crate) mod identification;
pub(crate) mod json;
pub(crate) mod log;
pub(crate) mod redact;
mod reply;
mod retry;
mod retry_after;
mod retry_options;
mod retry_policy;
mod sent;

pub(crate) use exchange::Exchange;
pub use failure::Failure;
pub use reply::Reply;
pub use retry::send;
pub use retry_options::RetryOptions;
pub use retry_policy::RetryPolicy;
#[cfg(test)]
pub(crate) use sent::Sent;
