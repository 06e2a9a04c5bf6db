//! A credential of this crate for a client of the Azure SDK for Rust.
//!
//! The constructors of its clients, such as `SecretClient::new` of
//! `azure_security_keyvault_secrets`, take an `Arc<dyn azure_core::credentials::TokenCredential>`.
//! [`ForAzureCore`] is one.
//!
//! On an Azure host, or on a machine with `az login`:
//!
//! ```console
//! cargo run -p credsim-identity --example azure_client --features azure-core,reqwest
//! ```
//!
//! In a simulated world:
//!
//! ```console
//! cargo build -p credsim-identity --example azure_client --features azure-core,reqwest
//! cargo run --release -- serve live/fallback-in-a-custom-chain \
//!     --port 3128 --env PROXY=http://127.0.0.1:3128 \
//!     --until-exit -- target/debug/examples/azure_client
//! ```
#![allow(
    clippy::disallowed_methods,
    reason = "an application reads its own environment"
)]

use std::{env, error::Error, sync::Arc};

use azure_core::credentials::TokenCredential;
use credsim_identity::{
    DefaultAzureCredential, Platform,
    adapters::{azure_core::ForAzureCore, reqwest::ReqwestClient},
};

/// Stands for a client: all it knows of its credential is the trait of `azure_core`.
struct SecretClient {
    scope: String,
    credential: Arc<dyn TokenCredential>,
}

impl SecretClient {
    async fn authorize(&self) -> azure_core::Result<()> {
        let token = self.credential.get_token(&[&self.scope], None).await?;
        println!("authorized for {}, until {}", self.scope, token.expires_on);
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let credential = DefaultAzureCredential::builder()
        .platform(platform()?)
        .build()?;
    let client = SecretClient {
        scope: env::var("SCOPE").unwrap_or("https://vault.azure.net/.default".to_owned()),
        credential: Arc::new(ForAzureCore::new(credential)),
    };
    client.authorize().await?;
    client.authorize().await?; // from the cache of our credential
    Ok(())
}

/// The real machine. `PROXY` names the proxy of a simulated world; in real life nothing should
/// stand between an application and the metadata service of its host.
fn platform() -> Result<Platform, Box<dyn Error>> {
    let mut platform = Platform::system();
    if let Ok(proxy) = env::var("PROXY") {
        let proxy = reqwest::Proxy::all(proxy)?;
        let client = ReqwestClient::customized(move |client| client.proxy(proxy.clone()));
        platform.http = Arc::new(client);
    }
    Ok(platform)
}
