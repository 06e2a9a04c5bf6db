//! A Redis that lets people in by their Entra token: its wire, its commands, its cluster. No TLS
//! and no scripts.
//!
//! `server` is a Redis without sockets and clocks, the same as a real one byte for byte; around it
//! are the connections, with their tokens and their faults.

mod actions;
mod command;
mod entra;
mod hub;
pub mod resp;
mod serve;
mod server;
mod session;
mod store;
#[cfg(test)]
mod tests;
mod told;

pub use actions::apply;
pub use hub::Hub;
pub use serve::serve;
