//! A caller's wish for other subscriptions.

use redis::RedisResult;
use tokio::sync::oneshot;

use super::subscription_verb::SubscriptionVerb;

/// What a caller asks of the subscriber's task.
pub(super) struct Change {
    pub verb: SubscriptionVerb,
    pub names: Vec<Vec<u8>>,
    /// Where the answer goes.
    pub done: oneshot::Sender<RedisResult<()>>,
}
