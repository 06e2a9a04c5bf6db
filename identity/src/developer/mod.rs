//! Credentials that ask a developer's tool, which is signed in as the developer.

mod azure_cli;
mod azure_developer_cli;
mod azure_powershell;
mod tool;

pub use azure_cli::{AzureCliCredential, AzureCliCredentialBuilder};
pub use azure_developer_cli::{AzureDeveloperCliCredential, AzureDeveloperCliCredentialBuilder};
pub use azure_powershell::{AzurePowerShellCredential, AzurePowerShellCredentialBuilder};
