//! Credentials that run a developer's tool, which is signed in as the developer.
//!
//! Each call runs the tool and takes as long as that does, often a second or more. These
//! credentials cache nothing, because a developer may sign in as another person at any time; wrap
//! one in [`Cached`](crate::Cached) where tokens are asked for often (PR-27).
//!
//! ```no_run
//! use std::time::Duration;
//! use credsim_identity::{AzureCliCredential, Cached, ErrorKind, TokenCredential, TokenRequest};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), credsim_identity::Error> {
//! let az = AzureCliCredential::builder()
//!     .tenant_id("contoso.example")
//!     .process_timeout(Duration::from_secs(30))
//!     .build()?;
//! let az = Cached::new(az);
//! match az.get_token(&TokenRequest::new(["https://vault.azure.net/.default"])).await {
//!     Ok(token) => println!("signed in until {}", token.expires_on()),
//!     Err(error) if error.kind() == ErrorKind::Unavailable => eprintln!("run az login: {error}"),
//!     Err(error) => return Err(error),
//! }
//! # Ok(())
//! # }
//! ```

mod azure_cli;
mod azure_developer_cli;
mod azure_powershell;
mod tool;

pub use azure_cli::{AzureCliCredential, AzureCliCredentialBuilder};
pub use azure_developer_cli::{AzureDeveloperCliCredential, AzureDeveloperCliCredentialBuilder};
pub use azure_powershell::{AzurePowerShellCredential, AzurePowerShellCredentialBuilder};
