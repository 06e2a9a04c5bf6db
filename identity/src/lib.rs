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
pub mod credentials;
pub mod developer;
mod entra;
mod error;
mod hit;
pub mod managed_identity;
pub mod platform;
pub mod redis;
mod request;
pub mod retry;
mod token;
mod token_credential;
mod wire;

pub use cache::Cached;
pub use chain::{
    ChainRecord, ChainedTokenCredential, ContinueAfter, DefaultAzureCredential, FallbackPolicy,
    Identity, IdentityChange, Observer, Outcome, Tried,
};
pub use credentials::{ClientSecretCredential, EnvironmentCredential};
pub use developer::{AzureCliCredential, AzureDeveloperCliCredential, AzurePowerShellCredential};
pub use error::{Error, ErrorKind};
pub use hit::TokenRef;
pub use managed_identity::{ManagedIdentityCredential, ManagedIdentityId};
pub use platform::Platform;
pub use request::{DEFAULT_MIN_REMAINING, TokenRequest};
pub use retry::{RetryOptions, RetryPolicy};
pub use token::{AccessToken, Principal};
pub use token_credential::{TokenCredential, TokenFuture};
