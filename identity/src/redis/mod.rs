//! Entra ID for Redis: a token manager, the credentials provider on top of it, and factories.
//!
//! Redis takes the object id of the identity as user name and its access token as password (RD-01).
//! A token ends after an hour or a day, and the server then closes every connection that was
//! authenticated with it last (RS-41). The [`EntraIdCredentialsProvider`] renews the token in time
//! and notifies each connection. It depends on no Redis client and opens no connection.
//!
//! ```
//! # use credsim_identity::{Error, Platform, TokenCredential};
//! # async fn example(credential: impl TokenCredential, platform: Platform) -> Result<(), Error> {
//! use credsim_identity::redis::EntraIdCredentialsProvider;
//!
//! let provider = EntraIdCredentialsProvider::builder(credential)
//!     .platform(platform)
//!     .build()?;
//! let mut subscription = provider.subscribe();
//! while let Some(change) = subscription.next().await {
//!     match change {
//!         Ok(credentials) => println!("AUTH as {}", credentials.user_name()),
//!         Err(error) => eprintln!("no newer token: {error}"),
//!     }
//! }
//! # Ok(())
//! # }
//! ```

mod authority;
mod board;
mod builder;
mod config;
#[cfg(feature = "redis")]
pub mod connection;
mod credentials;
mod event;
mod factory;
mod interest;
mod manager;
mod observer;
mod owner;
mod provider;
mod provider_options;
mod retry_policy;
mod schedule;
mod settings;
mod shared;
mod state;
mod subscription;
mod user;
mod waiting;
mod watch;

pub use authority::AuthorityConfig;
pub use builder::EntraIdCredentialsProviderBuilder;
pub use config::TokenManagerConfig;
pub use credentials::RedisCredentials;
pub use event::RedisEvent;
pub use factory::EntraIdCredentialsProviderFactory;
pub use observer::RedisObserver;
pub use provider::EntraIdCredentialsProvider;
pub use provider_options::EntraIdProviderOptions;
pub use retry_policy::TokenRetryPolicy;
pub use subscription::CredentialsSubscription;

/// The scope of Azure Cache for Redis and Azure Managed Redis (RD-50).
pub const REDIS_SCOPE_DEFAULT: &str = "https://redis.azure.com/.default";

/// The resource of [`REDIS_SCOPE_DEFAULT`], in the form that managed identities take (RD-50).
pub const REDIS_SCOPE: &str = "https://redis.azure.com";

/// The name of the provider in errors and logs.
const NAME: &str = "EntraIdCredentialsProvider";
