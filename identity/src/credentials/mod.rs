//! Credentials of applications that sign in to Microsoft Entra ID.
//!
//! ```no_run
//! use credsim_identity::{ClientSecretCredential, Secret, TokenCredential, TokenRequest};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let secret = Secret::from(std::fs::read_to_string("/run/secrets/contoso")?);
//! let credential = ClientSecretCredential::builder("contoso.example", "my-client-id", secret)
//!     .additionally_allowed_tenants(["fabrikam.example"])
//!     .build()?; // sends nothing; wrong values are errors here
//!
//! let request = TokenRequest::new(["https://graph.microsoft.com/.default"]);
//! let ours = credential.get_token(&request).await?;
//! let theirs = credential.get_token(&request.with_tenant("fabrikam.example")).await?;
//! # let _ = (ours, theirs);
//! # Ok(())
//! # }
//! ```

mod azure_pipelines;
mod client_assertion;
mod client_secret;
mod environment;
mod github_actions;
pub(crate) mod workload_identity;

pub use azure_pipelines::{AzurePipelinesCredential, AzurePipelinesCredentialBuilder};
pub use client_assertion::{ClientAssertionCredential, ClientAssertionCredentialBuilder};
pub use client_secret::{ClientSecretCredential, ClientSecretCredentialBuilder};
pub use environment::{EnvironmentCredential, EnvironmentCredentialBuilder};
pub use github_actions::{GitHubActionsCredential, GitHubActionsCredentialBuilder};
pub use workload_identity::{WorkloadIdentityCredential, WorkloadIdentityCredentialBuilder};
