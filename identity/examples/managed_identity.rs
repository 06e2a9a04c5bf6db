//! A service that calls an API as the managed identity of its host, once a second.
//!
//! On an Azure host (`AZURE_CLIENT_ID` names a user-assigned identity, `SCOPE` another API):
//!
//! ```console
//! cargo run -p credsim-identity --example managed_identity --features reqwest
//! ```
//!
//! On any other machine, in a simulated world. `AZURE_LOG_LEVEL` shows the one request that all the
//! calls share:
//!
//! ```console
//! cargo build -p credsim-identity --example managed_identity --features reqwest
//! cargo run --release -- serve live/token-of-the-system-identity --env AZURE_LOG_LEVEL=info \
//!     --until-exit -- target/debug/examples/managed_identity
//! ```
#![allow(
    clippy::disallowed_methods,
    reason = "an application reads its own environment"
)]

use std::{env, error::Error, time::Duration};

use credsim_identity::{
    LogFilter, ManagedIdentityCredential, Platform, TokenCredentialExt, TokenRef, TokenRequest,
};
use tracing_subscriber::{Layer as _, filter::dynamic_filter_fn, fmt, layer::SubscriberExt as _};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let filter = LogFilter::from_environment(&Platform::system())?;
    let lines = fmt::layer()
        .with_writer(std::io::stderr)
        .with_filter(dynamic_filter_fn(move |event, _| filter.enabled(event)));
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(lines))?;

    let mut builder = ManagedIdentityCredential::builder();
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
