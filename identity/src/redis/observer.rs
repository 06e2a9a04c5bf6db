//! Observers of events.

use std::sync::Arc;

use super::RedisEvent;

/// An observer of what happens to the token and to the connections. Called synchronously, so it
/// must not block.
pub trait RedisObserver: Send + Sync + 'static {
    /// Handles an event. Default: does nothing.
    fn event(&self, event: &RedisEvent) {
        let _ = event;
    }
}

/// Logs `event` and passes it to `observer`.
pub(super) fn notify(observer: Option<&Arc<dyn RedisObserver>>, event: &RedisEvent) {
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
