//! The published [`azure_identity`](::azure_identity) crate.
//!
//! Its credentials run unmodified, in virtual time: they send their requests through the HTTP
//! client of a simulated host, start their commands there, and the clock of the machine shows
//! what the host's clock shows.
//!
//! What is not the crate's: `reqwest`, which `azure_core` brings and which needs real sockets.
//! [`transport`] keeps its time limits, and none of its connections.

pub mod commands;
pub mod credential;
pub mod paced;
pub mod subject;
pub mod supports;
pub mod transport;

pub use subject::AzureIdentity;
