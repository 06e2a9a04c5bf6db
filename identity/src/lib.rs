//! Credentials for Microsoft Entra ID: access tokens for applications on Azure, on a developer's
//! machine and in between, with a cache that hands out a valid token at once and renews it in time.
//!
//! Managed identity, client secret, the environment, `az`, `azd` and PowerShell, chains of them, and
//! connections to Redis that stay authenticated. Where SDKs disagree, five rules decide: keep what
//! the documentation promises; never lose a token that is still valid; never change the identity
//! silently; never ask a service more often than it allows; never block a caller for whom there is
//! a valid token.
//!
//! ```no_run
//! use credsim_identity::{ManagedIdentityCredential, TokenCredentialExt, TokenRequest};
//!
//! # async fn send(_: &str) {}
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), credsim_identity::Error> {
//! let credential = ManagedIdentityCredential::builder().build()?;
//! let request = TokenRequest::new(["https://vault.azure.net/.default"]); // once
//! loop {
//!     let token = credential.token(&request).await?; // from the cache, except once in a while
//!     send(token.secret()).await;
//! }
//! # }
//! ```
//!
//! # Which credential
//!
//! | where the application runs | credential |
//! |---|---|
//! | on Azure, with a managed identity | [`ManagedIdentityCredential`] |
//! | anywhere, as an application with a secret | [`ClientSecretCredential`], [`EnvironmentCredential`] |
//! | on a developer's machine | [`AzureCliCredential`], [`AzureDeveloperCliCredential`], [`AzurePowerShellCredential`] |
//! | sometimes here, sometimes there | [`DefaultAzureCredential`], or a [`ChainedTokenCredential`] of chosen members |
//! | with tokens from elsewhere | a [`TokenSource`] in a [`CachedCredential`], or a [`TokenCredential`] in [`Cached`] |
//!
//! # Which call
//!
//! | call | when to use it | what it costs |
//! |---|---|---|
//! | [`get_token(&request)`](TokenCredential::get_token) | any credential, also `dyn TokenCredential`; the caller gets a token of its own | a boxed future; a token in the cache is shared, not copied |
//! | [`token(&request)`](TokenCredentialExt::token) | hot paths: the request is made once and kept, the token is lent by the cache | for a token in the cache no lock and no allocation |
//! | [`cached(&request)`](TokenCredentialExt::cached) | what the cache holds now; nothing is asked and nothing is waited for | a look into the cache |
//!
//! All three work on a concrete type, on `Arc<dyn TokenCredential>` and on a chain. A token that the
//! first two return is valid for at least 30 s unless the service could not give a newer one in time
//! ([`TokenRequest::with_min_remaining`] changes the 30 s), and is renewed in the background
//! (PR-20 to PR-23). A caller that keeps its token instead of asking for each use asks again from
//! [`AccessToken::refresh_on`] on.
//!
//! An [`Error`] is of one of five kinds, named by what the caller can do about it: see
//! [`ErrorKind`]. No error, no log event and no `Debug` output holds a secret.
//!
//! # Features
//!
//! All are off by default.
//!
//! | feature | what it adds |
//! |---|---|
//! | `reqwest` | the HTTP client of [`Platform::system`] (rustls with ring, HTTP/1.1). Without it, give the platform a client of your own; developer tools need none |
//! | `azure-core` | `adapters::azure_core`: credentials of this crate for clients of the Azure SDK for Rust, and theirs for chains and caches of this crate |
//! | `redis` | `redis::connection`: connections of the `redis` crate that send each new token in time |
//!
//! # Modules
//!
//! | module | what it holds |
//! |---|---|
//! | [`managed_identity`], [`credentials`], [`developer`] | the credentials, by where their tokens come from |
//! | [`chain`] | chains of credentials, and the observer that is told which member answered |
//! | [`source`] | the trait for a credential of your own: what to ask, without how to cache it |
//! | [`cache`] | the cache of tokens and its promises |
//! | [`http`] | requests to token services: how often and after which waits they are repeated, and their time limits |
//! | [`platform`] | everything that a credential uses of its host: clock, network, files, commands. A test or a simulator can stand in for it |
//! | [`redis`] | tokens as passwords of Redis |
//! | [`adapters`] | bridges to other crates, by feature |
//! | [`logging`] | what is logged, and `AZURE_LOG_LEVEL` |
//!
//! The folder `examples/` has whole programs: a service with a managed identity, a default chain
//! with an observer, a client of `azure_core`, and Redis.
//!
//! # The ids in the documentation
//!
//! An id in parentheses at the end of a sentence says where that sentence comes from. Ids that begin
//! with `PR-`, such as `PR-12`, are promises of this crate, with their numbers, in
//! `fixtures/promises.toml` of the repository. All others, such as `MI-60` or `EN-42`, are facts
//! about services, tools and SDKs, with their sources, in `fixtures/facts/`. Each promise has
//! scenarios that fail when it is broken. Every sentence is complete without its id.

pub mod adapters;
pub mod cache;
pub mod chain;
mod credential;
pub mod credentials;
pub mod developer;
mod entra;
mod error;
pub mod http;
mod jwt;
pub mod logging;
pub mod managed_identity;
mod options;
pub mod platform;
mod principal;
pub mod redis;
mod request;
mod secret;
pub mod source;
mod token;

/// What only tests of this repository use; no part of the interface.
#[doc(hidden)]
pub mod internals {
    pub use crate::cache::fast_path::FastPath;
}

#[doc(inline)]
pub use cache::{Cached, fast_path::TokenRef};
#[doc(inline)]
pub use chain::{
    ChainRecord, ChainedTokenCredential, ContinueAfter, DefaultAzureCredential, FallbackPolicy,
    Identity, IdentityChange, Observer, Outcome, Tried,
};
#[doc(inline)]
pub use credential::{TokenCredential, TokenCredentialExt};
#[doc(inline)]
pub use credentials::{ClientSecretCredential, EnvironmentCredential};
#[doc(inline)]
pub use developer::{AzureCliCredential, AzureDeveloperCliCredential, AzurePowerShellCredential};
#[doc(inline)]
pub use error::{Error, ErrorKind};
#[doc(inline)]
pub use http::{RetryOptions, RetryPolicy};
#[doc(inline)]
pub use logging::{LogFilter, LogLevel};
#[doc(inline)]
pub use managed_identity::{ManagedIdentityCredential, ManagedIdentityId};
#[doc(inline)]
pub use options::{CommonOptions, EntraOptions, ToolOptions};
#[doc(inline)]
pub use platform::Platform;
#[doc(inline)]
pub use principal::Principal;
#[doc(inline)]
pub use request::{DEFAULT_MIN_REMAINING, TokenRequest};
#[doc(inline)]
pub use secret::Secret;
#[doc(inline)]
pub use source::{CachedCredential, TokenSource};
#[doc(inline)]
pub use token::AccessToken;
