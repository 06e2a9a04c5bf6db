//! Subscriptions that outlive their tokens.

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
mod verb;

use std::{fmt, sync::Arc};

use redis::{RedisError, RedisResult};
use tokio::sync::{mpsc, oneshot};

pub use self::event::PubSubEvent;
use self::{change::Change, queue::Queue, subscriber::Subscriber, verb::Verb};
use super::{
    error::Ended,
    options::{ConnectionOptions, RedisEndpoint},
};
use crate::{platform::TaskHandle, redis::EntraIdCredentialsProvider};

/// Channels and patterns that somebody listens to. It comes back when its connection breaks, and it
/// tells wherever messages may have been lost: never does one get lost without a
/// [`Gap`](PubSubEvent::Gap) (PR-36).
///
/// - With RESP3, the default, it re-authenticates in place, and no message is lost or out of order.
/// - A RESP2 connection that has subscribed cannot re-authenticate (RS-12), and is closed when its
///   token ends (RS-42). So a second one is made with each new token, and the first one is let go
///   once the second has subscribed to all of it. Messages that arrive on both are delivered once,
///   as far as they differ: identical ones that are published within a few milliseconds of the change
///   may come twice.
/// - A slow reader holds nobody up: beyond
///   [`unread_messages`](ConnectionOptions::unread_messages) messages are dropped, and a gap tells of
///   it.
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
    /// Those of [`EntraConnection::connect`](super::EntraConnection::connect).
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
    /// What the server says, such as `NOPERM`, or that the connection broke meanwhile: then the next
    /// one subscribes to them.
    pub async fn subscribe<T: Into<Vec<u8>>>(
        &self,
        channels: impl IntoIterator<Item = T>,
    ) -> RedisResult<()> {
        self.change(Verb::Subscribe, channels).await
    }

    /// Ends subscriptions to channels.
    ///
    /// # Errors
    /// As [`subscribe`](Self::subscribe).
    pub async fn unsubscribe<T: Into<Vec<u8>>>(
        &self,
        channels: impl IntoIterator<Item = T>,
    ) -> RedisResult<()> {
        self.change(Verb::Unsubscribe, channels).await
    }

    /// Subscribes to every channel that one of the patterns matches.
    ///
    /// # Errors
    /// As [`subscribe`](Self::subscribe).
    pub async fn psubscribe<T: Into<Vec<u8>>>(
        &self,
        patterns: impl IntoIterator<Item = T>,
    ) -> RedisResult<()> {
        self.change(Verb::PSubscribe, patterns).await
    }

    /// Ends subscriptions to patterns.
    ///
    /// # Errors
    /// As [`subscribe`](Self::subscribe).
    pub async fn punsubscribe<T: Into<Vec<u8>>>(
        &self,
        patterns: impl IntoIterator<Item = T>,
    ) -> RedisResult<()> {
        self.change(Verb::PUnsubscribe, patterns).await
    }

    /// What comes next, in order. `None` once the provider is disposed and the connection is over.
    /// Cancel-safe.
    pub async fn next(&self) -> Option<PubSubEvent> {
        self.queue.next().await
    }

    async fn change<T: Into<Vec<u8>>>(
        &self,
        verb: Verb,
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
