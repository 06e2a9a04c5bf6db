//! A connection to Redis that signs in with a managed identity, and again whenever a token is due.
//!
//! On an Azure host:
//!
//! ```console
//! REDIS_URL=rediss://contoso.redis.cache.windows.net:6380 \
//!     cargo run -p credsim-identity --example redis_cache --features redis,reqwest
//! ```
//!
//! In a simulated world whose tokens are renewed every few seconds (`SECONDS` sets how long it
//! runs):
//!
//! ```console
//! cargo build -p credsim-identity --example redis_cache --features redis,reqwest
//! cargo run --release -- serve redis/live-renewed-in-a-transaction --env SECONDS=21 \
//!     --until-exit -- target/debug/examples/redis_cache
//! ```
#![allow(
    clippy::disallowed_methods,
    reason = "an application reads its own environment"
)]

use std::{env, error::Error, time::Duration};

use credsim_identity::{
    ManagedIdentityCredential,
    redis::{
        EntraIdCredentialsProvider,
        connection::{ConnectionOptions, EntraConnectionManager, RedisEndpoint},
    },
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let seconds: u64 = match env::var("SECONDS") {
        Ok(seconds) => seconds.parse()?,
        Err(_) => 10,
    };
    let endpoint = RedisEndpoint::parse(&env::var("REDIS_URL")?)?;
    let credential = ManagedIdentityCredential::builder().build()?;
    let provider = EntraIdCredentialsProvider::builder(credential).build()?;
    let options = ConnectionOptions::default();
    let mut redis = EntraConnectionManager::connect(endpoint, &provider, options).await?;
    for second in 0..seconds {
        let count: u64 = redis::cmd("INCR")
            .arg("visits")
            .query_async(&mut redis)
            .await?;
        println!("{second:3} s  visit {count}");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Ok(())
}
