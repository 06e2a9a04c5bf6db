//! Credentials for Microsoft Entra ID: access tokens for applications on Azure and on a developer's
//! machine, with a cache that returns a valid token at once and refreshes it in time.
//!
//! The crate supports managed identities, client secrets, the environment variables of the Azure
//! SDKs, `az`, `azd` and PowerShell, chains of credentials, and connections to Redis that stay
//! authenticated. Where Azure SDKs differ, it keeps five rules: do what the documentation promises;
//! never lose a token that is still valid; never change the identity silently; never send more
//! requests than a service allows; never block a caller for whom there is a valid token.
//!
//! With the feature `reqwest`, which brings an HTTP client, inside a tokio runtime:
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
//!     let token = credential.token(&request).await?; // almost always from the cache
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
//! | in more than one of these places | [`DefaultAzureCredential`], or a [`ChainedTokenCredential`] of chosen members |
//! | anywhere, with tokens from another source | a [`TokenSource`] in a [`CachedCredential`], or a [`TokenCredential`] in [`Cached`] |
//!
//! # Which call
//!
//! | call | when to use it | what it costs |
//! |---|---|---|
//! | [`get_token(&request)`](TokenCredential::get_token) | any credential, also `dyn TokenCredential`; the caller owns the token | a boxed future; a cached token is shared, not copied |
//! | [`token(&request)`](TokenCredentialExt::token) | hot paths: the request is created once and kept, and the cache lends the token | no lock and no allocation for a cached token |
//! | [`cached(&request)`](TokenCredentialExt::cached) | to see what the cache holds: sends no request and does not wait | a look-up under the lock of the cache |
//!
//! All three work on a concrete type, on `Arc<dyn TokenCredential>` and on a chain. A token that
//! the first two return is valid for at least 30 s ([`TokenRequest::with_min_remaining`] changes
//! that), unless the service did not return a newer one in time. Tokens are refreshed in the
//! background (PR-20 to PR-23). A caller that keeps its token, and does not ask before each use,
//! should ask again from [`AccessToken::refresh_on`] on.
//!
//! An [`Error`] has one of five kinds, which differ in what the caller can do: see [`ErrorKind`].
//! No error, no log event and no `Debug` output holds a secret.
//!
//! # Features
//!
//! All are off by default.
//!
//! | feature | what it adds |
//! |---|---|
//! | `reqwest` | the HTTP client of [`Platform::system`] (rustls with ring, HTTP/1.1). Without it, set [`Platform::http`] to a client of your own; developer tools need none |
//! | `azure-core` | `adapters::azure_core`: credentials of this crate for clients of the Azure SDK for Rust, and theirs for chains and caches of this crate |
//! | `redis` | `redis::connection`: connections of the `redis` crate that send each new token in time |
//!
//! # Modules
//!
//! | module | what it holds |
//! |---|---|
//! | [`managed_identity`], [`credentials`], [`developer`] | the credentials: of an Azure host, of an application, of a developer |
//! | [`chain`] | chains of credentials, and the observer that is notified of the member that answered |
//! | [`source`] | the trait for a credential of your own, which gets a cache from this crate |
//! | [`cache`] | the cache of tokens and its promises |
//! | [`http`] | requests to token services: how often and after which waits they are repeated, and their time limits |
//! | [`platform`] | the functions of the host: clock, network, files, commands. A test or a simulator can replace them; [`Platform::system`] lists which exist on which operating system |
//! | [`redis`] | tokens as passwords for Redis |
//! | [`adapters`] | bridges to other crates, by feature |
//! | [`logging`] | log events, and the level that `AZURE_LOG_LEVEL` sets |
//!
//! The folder `examples/` has complete programs: a service with a managed identity, a default chain
//! with an observer, a client of the Azure SDK for Rust, and Redis.
//!
//! # The ids in the documentation
//!
//! An id in parentheses at the end of a sentence refers to the source of that sentence. Ids that
//! begin with `PR-`, such as `PR-12`, are promises of this crate, in `fixtures/promises.toml` of
//! the repository. All others, such as `MI-60` or `EN-42`, are facts about services, tools and
//! SDKs, with their sources, in `fixtures/facts/`. Each promise has scenarios that fail when it is
//! broken. Every sentence is complete without its id.

pub mod adapters;
pub mod cache;
pub mod chain;
mod credential;
pub mod credentials;
pub mod developer;
mod entra;
mod error;
mod federation;
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

/// For tests of this repository only; not part of the public interface.
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
pub use credentials::{
    AzurePipelinesCredential, ClientAssertionCredential, ClientSecretCredential,
    EnvironmentCredential, GitHubActionsCredential, WorkloadIdentityCredential,
};
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
