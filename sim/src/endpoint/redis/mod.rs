//! A Redis cache that lets people in by their Entra token.

mod command;
pub mod resp;
mod server;
mod store;
#[cfg(test)]
mod tests;
