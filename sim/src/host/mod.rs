//! A simulated host: the platform that it lends to credentials, its HTTP client and its clock.

mod http;
mod platform;

pub use platform::{HostClock, HostState, Leftovers, Lender};

/// The host on which the subject runs.
pub(crate) const APP: &str = "app";
