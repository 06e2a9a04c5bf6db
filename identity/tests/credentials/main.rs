//! The credentials on a host made of closures: what they send, what they make of answers, and how
//! chains choose. Time is tokio's, paused.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests"
)]

mod chain;
mod chain_absence;
mod chain_change;
mod chain_force;
mod chain_hit;
mod chain_upward;
mod default_chain;
mod developer;
mod entra;
mod federation;
mod logs;
mod managed_identity;
mod options;
mod powershell;
mod puppet;
mod quotes;
mod service_fabric;
mod signed_in;
mod stub;
