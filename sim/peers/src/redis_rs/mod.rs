//! The published [`redis`] crate.
//!
//! Its `EntraIdCredentialsProvider` and its `MultiplexedConnection` run unmodified, in virtual
//! time: the credential of `azure_identity` sends its requests through the HTTP client of a
//! simulated host, the connection speaks over a stream of the engine, and the clock of the
//! machine shows what the host's clock shows.
//!
//! What is not the crate's: its `Client` and its `ConnectionManager` connect by themselves, to
//! real TCP only. [`connector`] makes a connection as the `Client` would, and [`managed`] makes
//! it again as the `ConnectionManager` would.

pub mod connector;
pub mod managed;
pub mod provider;
pub mod reply;
pub mod subject;
pub mod subscriber;
pub mod transport;

pub use subject::RedisRs;
