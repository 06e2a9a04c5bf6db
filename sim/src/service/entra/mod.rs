//! Microsoft Entra ID at `login.microsoftonline.com`.

mod error;
pub mod matcher;
mod metadata;
pub(crate) mod server;
#[cfg(test)]
mod tests;
mod token;
pub mod world;

pub(crate) use error::{Refusal, refuse};

/// The name of Entra's public cloud.
pub const ENTRA_HOST: &str = "login.microsoftonline.com";
