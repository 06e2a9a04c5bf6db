//! Bridges to other crates, each behind the feature that carries its name. All are off by default.
//!
//! `reqwest` is the HTTP client of [`Platform::system`](crate::Platform::system); name it to
//! change it, here for a proxy in front of Entra:
//!
//! ```
//! # #[cfg(feature = "reqwest")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//! use credsim_identity::{ClientSecretCredential, Platform, adapters::reqwest::ReqwestClient};
//!
//! let proxy = reqwest::Proxy::https("http://proxy.contoso.example:3128")?;
//! let mut platform = Platform::system();
//! platform.http = Arc::new(ReqwestClient::customized(move |client| client.proxy(proxy.clone())));
//! let credential = ClientSecretCredential::builder("contoso.example", "my-client-id", "secret")
//!     .platform(platform)
//!     .build()?;
//! # let _ = credential;
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "reqwest"))]
//! # fn main() {}
//! ```

#[cfg(feature = "azure-core")]
pub mod azure_core;
#[cfg(feature = "reqwest")]
pub mod reqwest;
