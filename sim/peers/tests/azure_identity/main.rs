//! The published crate on a simulated host: what no expectation of a scenario says.

#![cfg(all(target_os = "linux", target_env = "gnu"))]
#![allow(clippy::unwrap_used, reason = "a test")]

mod cache;
mod skips;
mod wire;
mod world;
