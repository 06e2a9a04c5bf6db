//! A service that calls an API as the managed identity of its host, once a second.
//!
//! On an Azure host (`AZURE_CLIENT_ID` names a user-assigned identity, `SCOPE` another API):
//!
//! ```console
//! cargo run -p credsim-identity --example managed_identity --features reqwest
//! ```
//!
//! On any other machine, in a simulated world whose IMDS answers 404 at first. `AZURE_LOG_LEVEL`
//! shows the attempts and the one answer that all the calls share:
//!
//! ```console
//! cargo build -p credsim-identity --example managed_identity --features reqwest
//! cargo run --release -- serve live/retries-404-while-imds-is-updated \
//!     --port 3128 --env PROXY=http://127.0.0.1:3128 --env AZURE_LOG_LEVEL=info \
//!     --until-exit -- target/debug/examples/managed_identity
//! ```
#![allow(
    clippy::disallowed_methods,
    reason = "an application reads its own environment"
)]

use std::{env, error::Error, sync::Arc, time::Duration};

use credsim_identity::{
    LogFilter, ManagedIdentityCredential, Platform, TokenCredentialExt, TokenRef, TokenRequest,
    adapters::reqwest::ReqwestClient,
};
use tracing_subscriber::{Layer as _, filter::dynamic_filter_fn, fmt, layer::SubscriberExt as _};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let platform = platform()?;
    let filter = LogFilter::from_environment(&platform)?;
    let lines = fmt::layer()
        .with_writer(std::io::stderr)
        .with_filter(dynamic_filter_fn(move |event, _| filter.enabled(event)));
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(lines))?;

    let mut builder = ManagedIdentityCredential::builder().platform(platform);
    if let Ok(id) = env::var("AZURE_CLIENT_ID") {
        builder = builder.client_id(id);
    }
    let credential = builder.build()?;
    let scope = env::var("SCOPE").unwrap_or("https://vault.azure.net/.default".to_owned());
    // Made once: it remembers where its answer was found.
    let request = TokenRequest::new([scope]);
    for _ in 0..4 {
        let token = credential.token(&request).await?;
        call_the_api(&token);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Ok(())
}

/// Stands for a request with `Authorization: Bearer ...`.
fn call_the_api(token: &TokenRef) {
    let principal = token.principal().map(ToString::to_string);
    println!(
        "called as {}, until {}",
        principal.as_deref().unwrap_or("an opaque token"),
        token.expires_on()
    );
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
