//! The task behind a managed connection.

use std::sync::Arc;

use redis::RedisError;

use super::{
    EntraConnection, availability::Availability, backoff::Backoff, endpoint::RedisEndpoint,
    error::Ended, inheritance::Inheritance, options::ConnectionOptions, tokens::Tokens,
};
use crate::redis::{EntraIdCredentialsProvider, RedisEvent, observer::notify, watch};

/// Connects, keeps the connection authenticated, and connects again when it ends.
pub(super) struct Worker {
    pub endpoint: RedisEndpoint,
    pub provider: EntraIdCredentialsProvider,
    pub options: Arc<ConnectionOptions>,
    pub state: watch::Sender<Availability>,
    pub left: Inheritance,
}

impl Worker {
    /// Runs until its task is dropped, or the provider is disposed and the connection over.
    pub async fn run(self, mut tokens: Tokens) {
        let platform = self.provider.platform();
        let mut lost = None;
        let mut backoff = Backoff::new("redis/reconnect");
        loop {
            let opened = EntraConnection::open(&self.endpoint, &self.provider, &self.options).await;
            let (why, wait) = match opened {
                Ok((opened, keeper)) => {
                    if let Some(why) = lost.take() {
                        let replaced = RedisEvent::Replaced {
                            connection: self.endpoint.to_string(),
                            why,
                            gap: None,
                        };
                        notify(self.provider.observer(), &replaced);
                    }
                    let connection = opened.kept(None);
                    let gate = Arc::clone(connection.gate());
                    let began = platform.clock.monotonic();
                    gate.inherit(self.left.take());
                    self.state.send_replace(Availability::Up(connection));
                    keeper.run(&mut tokens).await;
                    let ended = gate.ended().unwrap_or(Ended::Broken);
                    self.left.leave(gate.session().after_loss());
                    lost = Some(ended.to_string());
                    let lifetime = platform.clock.monotonic().saturating_sub(began);
                    (RedisError::from(&ended), backoff.lost(platform, lifetime))
                }
                Err(error) => (error, backoff.failed(platform)),
            };
            self.state.send_replace(Availability::Down(Some(why)));
            if self.provider.is_disposed() {
                return;
            }
            if !wait.is_zero() {
                platform.clock.sleep(wait).await;
            }
        }
    }
}
