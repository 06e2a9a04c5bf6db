//! Who is told of events.

use std::sync::Arc;

use super::RedisEvent;

/// Is told what happens to the token and to the connections. Called synchronously, so it must not
/// block.
pub trait RedisObserver: Send + Sync + 'static {
    /// Something has happened. Default: nothing is done about it.
    fn event(&self, event: &RedisEvent) {
        let _ = event;
    }
}

/// Logs `event` and tells `observer` of it.
pub(super) fn tell(observer: Option<&Arc<dyn RedisObserver>>, event: &RedisEvent) {
    let is_bad = match event {
        RedisEvent::Failing { .. }
        | RedisEvent::ReauthenticationFailed { .. }
        | RedisEvent::TransactionFailed { .. }
        | RedisEvent::SubscriptionRefused { .. } => true,
        RedisEvent::Replaced { gap, .. } => gap.is_some(),
        RedisEvent::Refreshed { .. }
        | RedisEvent::SameToken { .. }
        | RedisEvent::Retrying { .. }
        | RedisEvent::Recovered
        | RedisEvent::Connected { .. }
        | RedisEvent::Reauthenticated { .. } => false,
    };
    if is_bad {
        tracing::warn!("redis: {event}");
    } else {
        tracing::info!("redis: {event}");
    }
    if let Some(observer) = observer {
        observer.event(event);
    }
}
