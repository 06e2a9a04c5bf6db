//! The published crate on a simulated host, against a Redis made by hand.

#![cfg(all(target_os = "linux", target_env = "gnu"))]
#![allow(clippy::unwrap_used, reason = "a test")]

mod clock;
mod connections;
mod renewal;
mod responder;
mod wire;
mod world;
