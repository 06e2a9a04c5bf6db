//! A caller's wish for other subscriptions.

use redis::RedisResult;
use tokio::sync::oneshot;

use super::verb::Verb;

/// What a caller asks of the subscriber's task.
pub(super) struct Change {
    pub verb: Verb,
    pub names: Vec<Vec<u8>>,
    /// Where the answer goes.
    pub done: oneshot::Sender<RedisResult<()>>,
}
