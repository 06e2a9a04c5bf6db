//! A simulated host: the platform that it lends to credentials, its HTTP client and its clock.

mod connect;
mod http;
mod instance;
mod platform;
mod state;
#[cfg(test)]
mod tests;
mod tls;

pub use instance::Leftovers;
pub use platform::Lender;
pub use state::{HostClock, HostState};

/// The host on which the subject runs.
pub(crate) const APP: &str = "app";
