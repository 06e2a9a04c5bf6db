//! The Redis layer on a virtual host, against a server that does what a real one cannot be asked
//! to do: not answer, answer late, hang up.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod cluster;
#[path = "../core_support/mod.rs"]
mod core_support;
mod edges;
mod fake;
mod handover;
mod keeper;
mod long;
mod no_token;
mod peer;
mod reconnect;
mod server_faults;
mod single;
mod subscriber_faults;
mod subscriber_times;
#[allow(dead_code, reason = "shared with the tests of the provider")]
#[path = "../redis/support.rs"]
mod support;
