//! The Redis layer against a real redis-server. Tokens live for seconds, on the real clock.
//! Skipped where there is no redis-server; with `CREDSIM_REQUIRE` that fails.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests of the real machine"
)]

mod blocking;
mod cluster;
mod manager;
mod pubsub;
mod server;
mod single;
mod tls;
mod transactions;
