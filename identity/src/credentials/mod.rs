//! Credentials backed by Microsoft Entra ID: one file each.

mod client_secret;
mod environment;

pub use client_secret::{ClientSecretCredential, ClientSecretCredentialBuilder};
pub use environment::{EnvironmentCredential, EnvironmentCredentialBuilder};
