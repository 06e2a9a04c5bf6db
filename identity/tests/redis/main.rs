//! The credentials provider for Redis on a host whose time is tokio's, paused: when it asks, what
//! it hands out, what it tells.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests"
)]

#[path = "../core_support/mod.rs"]
mod core_support;
mod support;

mod clocks;
mod factory;
mod manager;
mod random;
mod refresh;
mod retry;
mod secrets;
mod subscribers;
mod user_name;
