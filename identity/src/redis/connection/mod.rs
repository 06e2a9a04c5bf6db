//! Connections to Redis that outlive their tokens (feature `redis`), over the `redis` crate.
//!
//! [`EntraConnection`] is one connection, [`EntraConnectionManager`] replaces it when it breaks,
//! [`EntraPubSub`] subscribes and [`EntraCluster`] talks to a cluster. All of them authenticate
//! with an [`EntraIdCredentialsProvider`](super::EntraIdCredentialsProvider), send each new token
//! in time, and never inside a caller's transaction (PR-34, PR-35).
//!
//! ```no_run
//! # use credsim_identity::{TokenCredential, redis::EntraIdCredentialsProvider};
//! # async fn example(credential: impl TokenCredential) -> Result<(), Box<dyn std::error::Error>> {
//! use credsim_identity::redis::connection::{
//!     ConnectionOptions, EntraConnectionManager, RedisEndpoint,
//! };
//!
//! let provider = EntraIdCredentialsProvider::builder(credential).build()?;
//! let endpoint = RedisEndpoint::parse("rediss://contoso.redis.cache.windows.net:6380")?;
//! let mut redis =
//!     EntraConnectionManager::connect(endpoint, &provider, ConnectionOptions::default()).await?;
//! let () = redis::cmd("SET").arg("greeting").arg("hello").query_async(&mut redis).await?;
//! # Ok(())
//! # }
//! ```

mod availability;
mod backoff;
mod blocking;
mod cluster;
mod command;
mod dial;
mod endpoint;
mod error;
mod failure;
mod gate;
mod inheritance;
mod keeper;
mod manager;
mod options;
mod pubsub;
mod reauthentication;
mod refusal;
mod registry;
mod schedule;
mod session;
mod single;
mod streaming;
mod tokens;
mod transaction;
mod transition;
mod wire;
mod worker;

pub use cluster::EntraCluster;
pub use endpoint::{AZURE_CACHE_PORT, AZURE_MANAGED_REDIS_PORT, RedisEndpoint};
pub use manager::EntraConnectionManager;
pub use options::ConnectionOptions;
pub use pubsub::{EntraPubSub, PubSubEvent};
pub use single::EntraConnection;
