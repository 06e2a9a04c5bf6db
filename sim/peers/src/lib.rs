//! The published [`redis`] crate as a subject of credsim.
//!
//! Its `EntraIdCredentialsProvider` and its `MultiplexedConnection` run unmodified, in virtual
//! time: the credential of `azure_identity` sends its requests through the HTTP client of a
//! simulated host, the connection speaks over a stream of the engine, and the clock of the
//! machine shows what the host's clock shows.
//!
//! The credential reads the environment of this process, not that of the simulated host: with
//! `IDENTITY_ENDPOINT` or `MSI_ENDPOINT` set it would look for another kind of managed identity.

pub mod client;
pub mod interposed;
pub mod transport;
