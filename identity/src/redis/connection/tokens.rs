//! Where one connection after another gets its newer tokens from.

use std::future;

use crate::{
    Error,
    platform::BoxFuture,
    redis::{CredentialsSubscription, EntraIdCredentialsProvider, RedisCredentials},
};

/// The subscription to the provider, and a request for another token after a refusal. It outlives
/// the single connection: the provider is subscribed to once, however often a connection is
/// replaced (RA-17).
pub(super) struct Tokens {
    provider: EntraIdCredentialsProvider,
    subscription: CredentialsSubscription,
    /// Whether the provider was disposed.
    is_over: bool,
    /// A request for another token.
    renewal: Option<BoxFuture<'static, Result<RedisCredentials, Error>>>,
}

impl Tokens {
    /// Subscribes to `provider`.
    pub fn of(provider: &EntraIdCredentialsProvider) -> Self {
        Self {
            provider: provider.clone(),
            subscription: provider.subscribe(),
            is_over: false,
            renewal: None,
        }
    }

    /// Completes when there is news: a token, which may be a known one, or `None` when something
    /// else has changed. Cancel-safe.
    pub async fn news(&mut self) -> Option<RedisCredentials> {
        tokio::select! { biased;
            change = self.subscription.next(), if !self.is_over => match change {
                Some(Ok(credentials)) => Some(credentials),
                // The provider notifies its observer and continues its requests.
                Some(Err(_)) => None,
                None => {
                    self.is_over = true;
                    None
                }
            },
            renewed = pending(&mut self.renewal) => {
                self.renewal = None;
                renewed.ok()
            }
        }
    }

    /// Asks the provider for another token, unless a request is under way. What it brings comes by
    /// [`news`](Self::news).
    pub fn ask_for_another(&mut self) {
        if self.renewal.is_none() {
            let provider = self.provider.clone();
            self.renewal = Some(Box::pin(async move { provider.renew().await }));
        }
    }

    /// Gives up a request for another token: a new connection runs on an accepted one, and a
    /// request that was not begun would ask the source for nothing.
    pub fn need_no_other(&mut self) {
        self.renewal = None;
    }

    /// Whether the provider was disposed.
    pub fn are_over(&self) -> bool {
        self.provider.is_disposed()
    }
}

/// What comes of a request. Never completes without one.
async fn pending(
    renewal: &mut Option<BoxFuture<'static, Result<RedisCredentials, Error>>>,
) -> Result<RedisCredentials, Error> {
    match renewal {
        Some(renewal) => renewal.await,
        None => future::pending().await,
    }
}
