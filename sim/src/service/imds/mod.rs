//! The instance metadata service, as far as it hands out tokens.

pub mod matcher;
pub(crate) mod server;
#[cfg(test)]
mod tests;
pub mod world;

/// The address of the instance metadata service.
pub const IMDS_HOST: &str = "169.254.169.254";
