//! The default chain, with an observer that prints which member answers and every change of
//! identity.
//!
//! On this machine, with `az login` or a managed identity (`AZURE_TOKEN_CREDENTIALS` narrows the
//! chain to `dev`, `prod` or one member, `SECONDS` sets how long it runs, `SCOPE` selects another
//! API):
//!
//! ```console
//! cargo run -p credsim-identity --example default_chain --features reqwest
//! ```
//!
//! In a simulated world, where the managed identity is removed after 5 s and comes back after 13 s.
//! Meanwhile a person's login takes over, and the scenario fails for that; with `--env
//! AZURE_TOKEN_CREDENTIALS=ManagedIdentityCredential` it passes:
//!
//! ```console
//! cargo build -p credsim-identity --example default_chain --features reqwest
//! cargo run --release -- serve live/az-must-not-take-over \
//!     --port 3128 --env PROXY=http://127.0.0.1:3128 --env SECONDS=18 \
//!     --until-exit -- target/debug/examples/default_chain
//! ```
#![allow(
    clippy::disallowed_methods,
    reason = "an application reads its own environment"
)]

use std::{env, error::Error, sync::Arc, time::Duration};

use credsim_identity::{
    ChainRecord, DefaultAzureCredential, IdentityChange, Observer, Outcome, Platform,
    TokenCredential as _, TokenRequest, adapters::reqwest::ReqwestClient,
};

struct Prints;

impl Observer for Prints {
    fn answered(&self, record: &ChainRecord) {
        for tried in &record.tried {
            let (member, took) = (&tried.credential, tried.took);
            match &tried.outcome {
                Outcome::Answered => println!("  {member} answered after {took:?}"),
                Outcome::PassedOver(error) => {
                    println!("  {member} was passed over: {}", error.message())
                }
                Outcome::Stopped(error) => {
                    println!("  {member} ended the chain: {}", error.message())
                }
                _ => {}
            }
        }
    }

    fn identity_changed(&self, change: &IdentityChange) {
        println!("! the identity was {}, and is {}", change.from, change.to);
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let seconds: u64 = match env::var("SECONDS") {
        Ok(seconds) => seconds.parse()?,
        Err(_) => 10,
    };
    let scope = env::var("SCOPE").unwrap_or("https://vault.azure.net/.default".to_owned());
    let credential = DefaultAzureCredential::builder()
        .platform(platform()?)
        .observer(Arc::new(Prints))
        .build()?;
    let request = TokenRequest::new([scope]);
    for second in 0..seconds {
        match credential.get_token(&request).await {
            Ok(token) => println!("{second:3} s  token of {}", token.answered_by()),
            // The error lists each member with its error and advice.
            Err(error) => println!("{second:3} s  {error}"),
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
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
