//! Subscriptions to channels and patterns.

mod align;
mod change;
mod event;
mod expected;
mod frame;
mod handover;
mod link;
mod message;
mod names;
mod queue;
mod refused;
mod resubscribe;
mod subscriber;
mod subscription_verb;

use std::{fmt, sync::Arc};

use redis::{RedisError, RedisResult};
use tokio::sync::{mpsc, oneshot};

pub use self::event::PubSubEvent;
use self::{
    change::Change, queue::Queue, subscriber::Subscriber, subscription_verb::SubscriptionVerb,
};
use super::{endpoint::RedisEndpoint, error::Ended, options::ConnectionOptions};
use crate::{platform::TaskHandle, redis::EntraIdCredentialsProvider};

/// A subscriber of channels and patterns. It reconnects when its connection breaks, and reports
/// where messages may have been lost: no message is lost without a [`Gap`](PubSubEvent::Gap)
/// (PR-36).
///
/// - With RESP3, the default, it re-authenticates on its connection, and no message is lost or out
///   of order.
/// - A subscribed RESP2 connection cannot re-authenticate (RS-12), and is closed when its token
///   ends (RS-42). With each new token a second connection is made, and the first one is closed
///   once the second has subscribed to the same names. Messages that arrive on both are delivered
///   once, as far as they differ: identical messages published within milliseconds of the change
///   may come twice.
/// - A channel that the server refuses after a reconnect is reported as
///   [`Refused`](PubSubEvent::Refused) and tried again; the others are unaffected.
/// - A slow reader delays neither the connection nor the renewal: beyond
///   [`unread_messages`](ConnectionOptions::unread_messages) messages are dropped, which a gap
///   reports (PR-37).
///
/// Dropping it closes the connection.
pub struct EntraPubSub {
    queue: Arc<Queue>,
    changes: mpsc::UnboundedSender<Change>,
    _task: TaskHandle,
}

impl EntraPubSub {
    /// Connects and authenticates.
    ///
    /// # Errors
    /// As [`EntraConnection::connect`](super::EntraConnection::connect).
    pub async fn connect(
        endpoint: RedisEndpoint,
        provider: &EntraIdCredentialsProvider,
        options: ConnectionOptions,
    ) -> RedisResult<Self> {
        let platform = provider.platform();
        let queue = Queue::new(Arc::clone(&platform.clock), options.unread_messages);
        let (changes, receiver) = mpsc::unbounded_channel();
        let subscriber =
            Subscriber::connect(endpoint, provider, options, Arc::clone(&queue), receiver).await?;
        let task = platform.spawner.spawn(Box::pin(subscriber.run()));
        Ok(Self {
            queue,
            changes,
            _task: task,
        })
    }

    /// Subscribes to channels. Completes when the server has confirmed each of them.
    ///
    /// # Errors
    /// The error of the server, such as `NOPERM`; then the channels are not subscribed to. Or that
    /// the connection broke meanwhile; then the next connection subscribes to them.
    pub async fn subscribe<T: Into<Vec<u8>>>(
        &self,
        channels: impl IntoIterator<Item = T>,
    ) -> RedisResult<()> {
        self.change(SubscriptionVerb::Subscribe, channels).await
    }

    /// Unsubscribes from channels.
    ///
    /// # Errors
    /// As [`subscribe`](Self::subscribe).
    pub async fn unsubscribe<T: Into<Vec<u8>>>(
        &self,
        channels: impl IntoIterator<Item = T>,
    ) -> RedisResult<()> {
        self.change(SubscriptionVerb::Unsubscribe, channels).await
    }

    /// Subscribes to every channel that matches one of the patterns.
    ///
    /// # Errors
    /// As [`subscribe`](Self::subscribe).
    pub async fn psubscribe<T: Into<Vec<u8>>>(
        &self,
        patterns: impl IntoIterator<Item = T>,
    ) -> RedisResult<()> {
        self.change(SubscriptionVerb::PSubscribe, patterns).await
    }

    /// Unsubscribes from patterns.
    ///
    /// # Errors
    /// As [`subscribe`](Self::subscribe).
    pub async fn punsubscribe<T: Into<Vec<u8>>>(
        &self,
        patterns: impl IntoIterator<Item = T>,
    ) -> RedisResult<()> {
        self.change(SubscriptionVerb::PUnsubscribe, patterns).await
    }

    /// Returns the next event, in order. `None` once the provider is disposed and the connection is
    /// over. Cancel-safe.
    pub async fn next(&self) -> Option<PubSubEvent> {
        self.queue.next().await
    }

    async fn change<T: Into<Vec<u8>>>(
        &self,
        verb: SubscriptionVerb,
        names: impl IntoIterator<Item = T>,
    ) -> RedisResult<()> {
        let names: Vec<Vec<u8>> = names.into_iter().map(Into::into).collect();
        if names.is_empty() {
            return Ok(());
        }
        let over = || RedisError::from(&Ended::Dropped);
        let (done, answer) = oneshot::channel();
        let change = Change { verb, names, done };
        self.changes.send(change).map_err(|_| over())?;
        answer.await.map_err(|_| over())?
    }
}

impl fmt::Debug for EntraPubSub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EntraPubSub")
    }
}
