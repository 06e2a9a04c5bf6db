//! A watch channel. As `tokio::sync::watch`, but receivers are woken in the order in which they
//! wait: tokio picks one of eight queues at random, so runs would not be reproducible.

use std::{
    ops::Deref,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

struct Shared<T> {
    state: Mutex<State<T>>,
    news: Notify,
}

struct State<T> {
    value: T,
    version: u64,
    closed: bool,
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sending half. Dropping it closes the channel.
pub(in crate::redis) struct Sender<T>(Arc<Shared<T>>);

impl<T> Sender<T> {
    pub(in crate::redis) fn new(value: T) -> Self {
        Self(Arc::new(Shared {
            state: Mutex::new(State {
                value,
                version: 0,
                closed: false,
            }),
            news: Notify::new(),
        }))
    }

    /// Returns a receiver that has seen the current value.
    pub(in crate::redis) fn subscribe(&self) -> Receiver<T> {
        Receiver {
            seen: self.0.lock().version,
            shared: Arc::clone(&self.0),
        }
    }

    pub(in crate::redis) fn send_modify(&self, modify: impl FnOnce(&mut T)) {
        let mut state = self.0.lock();
        modify(&mut state.value);
        state.version += 1;
        drop(state);
        self.0.news.notify_waiters();
    }

    /// Replaces the value and returns the old one.
    #[cfg(any(feature = "redis", test))]
    pub(in crate::redis) fn send_replace(&self, value: T) -> T {
        let mut old = value;
        self.send_modify(|value| std::mem::swap(value, &mut old));
        old
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.news.notify_waiters();
    }
}

/// Receiving half.
pub(in crate::redis) struct Receiver<T> {
    shared: Arc<Shared<T>>,
    /// The version of the last value that was seen.
    seen: u64,
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            seen: self.seen,
        }
    }
}

/// The sender was dropped.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::redis) struct Closed;

impl<T> Receiver<T> {
    /// Returns the value under a lock, which must not be held for long.
    pub(in crate::redis) fn borrow(&self) -> Ref<'_, T> {
        Ref(self.shared.lock())
    }

    /// Returns the value under a lock, and marks it as seen.
    pub(in crate::redis) fn borrow_and_update(&mut self) -> Ref<'_, T> {
        let state = self.shared.lock();
        self.seen = state.version;
        Ref(state)
    }

    /// Waits for a value that was not seen. Cancel-safe.
    pub(in crate::redis) async fn changed(&mut self) -> Result<(), Closed> {
        loop {
            // Made before the check, so that no change in between is missed.
            let news = self.shared.news.notified();
            {
                let state = self.shared.lock();
                if state.version != self.seen {
                    self.seen = state.version;
                    return Ok(());
                }
                if state.closed {
                    return Err(Closed);
                }
            }
            news.await;
        }
    }
}

/// A borrowed value. Holds the lock of the channel.
pub(in crate::redis) struct Ref<'a, T>(MutexGuard<'a, State<T>>);

impl<T> Deref for Ref<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the order in which 32 receivers are woken.
    async fn woken() -> Vec<usize> {
        let sender = Sender::new(0);
        let order = Arc::new(Mutex::new(Vec::new()));
        let tasks = tokio::task::LocalSet::new();
        for number in 0..32 {
            let (mut receiver, order) = (sender.subscribe(), Arc::clone(&order));
            tasks.spawn_local(async move {
                while receiver.changed().await.is_ok() {
                    order.lock().unwrap().push(number);
                }
            });
        }
        tasks
            .run_until(async {
                tokio::task::yield_now().await;
                sender.send_modify(|value| *value += 1);
                drop(sender);
            })
            .await;
        tasks.await;
        Arc::into_inner(order).unwrap().into_inner().unwrap()
    }

    #[tokio::test]
    async fn receivers_are_woken_in_the_order_of_their_waits() {
        assert_eq!(woken().await, (0..32).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn a_value_is_seen_once() {
        let sender = Sender::new(1);
        let mut receiver = sender.subscribe();
        assert_eq!(*receiver.borrow(), 1);
        assert_eq!(sender.send_replace(2), 1);
        assert_eq!(receiver.clone().changed().await, Ok(()));
        assert_eq!(receiver.changed().await, Ok(()));
        assert_eq!(*receiver.borrow_and_update(), 2);
        sender.send_modify(|value| *value = 3);
        assert_eq!(*receiver.borrow_and_update(), 3);
        drop(sender);
        assert_eq!(receiver.changed().await, Err(Closed));
    }
}
