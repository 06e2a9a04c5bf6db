//! A simulated host: the platform that it lends to credentials, its HTTP client, its clock, its
//! files, its processes, its browser and its secret store.

mod browser;
mod connect;
mod disk;
mod files;
mod http;
mod instance;
mod keyring;
mod loopback;
mod platform;
mod processes;
mod state;
#[cfg(test)]
mod tests;
mod tls;

pub use browser::Browser;
pub use disk::Disk;
pub use instance::Leftovers;
pub use keyring::{Keyring, KeyringState};
pub use platform::Lender;
pub use processes::{Processes, SUBJECT};
pub use state::{FilesOutside, HostClock, HostState};

/// The host on which the subject runs.
pub(crate) const APP: &str = "app";
