//! Azure credentials and token caches that keep their documented promises.
//!
//! The rule where SDKs disagree: keep what the documentation promises; never lose a token that is
//! still valid; never change identity silently; never ask more often than the service allows;
//! block nobody who holds a valid token.
//!
//! Everything a credential uses of its host comes from a [`platform::Platform`], so a simulator
//! can stand in for the clock, the network and the commands.

pub mod adapters;
pub mod cache;
pub mod chain;
mod credential;
pub mod credentials;
pub mod developer;
mod entra;
mod error;
mod jwt;
pub mod managed_identity;
mod options;
pub mod platform;
mod principal;
pub mod redis;
mod request;
pub mod retry;
mod secret;
pub mod source;
mod token;
mod wire;

/// What only tests of this repository use; no part of the interface.
#[doc(hidden)]
pub mod internals {
    pub use crate::cache::fast_path::FastPath;
}

pub use cache::{Cached, fast_path::TokenRef};
pub use chain::{
    ChainRecord, ChainedTokenCredential, ContinueAfter, DefaultAzureCredential, FallbackPolicy,
    Identity, IdentityChange, Observer, Outcome, Tried,
};
pub use credential::{TokenCredential, TokenCredentialExt};
pub use credentials::{ClientSecretCredential, EnvironmentCredential};
pub use developer::{AzureCliCredential, AzureDeveloperCliCredential, AzurePowerShellCredential};
pub use error::{Error, ErrorKind};
pub use managed_identity::{ManagedIdentityCredential, ManagedIdentityId};
pub use options::{CommonOptions, EntraOptions, ToolOptions};
pub use platform::Platform;
pub use principal::Principal;
pub use request::{DEFAULT_MIN_REMAINING, TokenRequest};
pub use retry::{RetryOptions, RetryPolicy};
pub use secret::Secret;
pub use source::{CachedCredential, TokenSource};
pub use token::AccessToken;
