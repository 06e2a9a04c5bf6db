//! What `src/cache/sync.rs` is to the library, seen by loom.

use std::ops::Deref;

pub(super) use loom::sync::{Mutex, MutexGuard};

/// A step that loom orders against the other steps on the same thing.
pub(super) struct Step(Mutex<()>);

impl Step {
    pub(super) fn new() -> Self {
        Self(Mutex::new(()))
    }

    pub(super) fn take(&self) {
        drop(self.0.lock());
    }
}

/// loom's own has no `Weak`.
pub(super) struct Arc<T>(std::sync::Arc<T>, std::sync::Arc<Step>);

pub(super) struct Weak<T>(std::sync::Weak<T>, std::sync::Arc<Step>);

impl<T> Arc<T> {
    pub(super) fn new(value: T) -> Self {
        Self(std::sync::Arc::new(value), std::sync::Arc::new(Step::new()))
    }

    pub(super) fn downgrade(this: &Self) -> Weak<T> {
        Weak(
            std::sync::Arc::downgrade(&this.0),
            std::sync::Arc::clone(&this.1),
        )
    }
}

impl<T> Clone for Arc<T> {
    fn clone(&self) -> Self {
        Self(
            std::sync::Arc::clone(&self.0),
            std::sync::Arc::clone(&self.1),
        )
    }
}

impl<T> Deref for Arc<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> Drop for Arc<T> {
    fn drop(&mut self) {
        self.1.take();
    }
}

impl<T> Weak<T> {
    pub(super) fn upgrade(&self) -> Option<Arc<T>> {
        self.1.take();
        let strong = self.0.upgrade()?;
        Some(Arc(strong, std::sync::Arc::clone(&self.1)))
    }
}

/// tokio's, whose every use is one step.
pub(super) mod oneshot {
    use std::{
        future::Future,
        pin::Pin,
        sync::Arc,
        task::{Context, Poll},
    };

    use tokio::sync::oneshot;

    use super::Step;

    pub(crate) struct Sender<T>(Option<oneshot::Sender<T>>, Arc<Step>);

    pub(crate) struct Receiver<T>(oneshot::Receiver<T>, Arc<Step>);

    pub(crate) fn channel<T>() -> (Sender<T>, Receiver<T>) {
        let (sender, receiver) = oneshot::channel();
        let step = Arc::new(Step::new());
        (
            Sender(Some(sender), Arc::clone(&step)),
            Receiver(receiver, step),
        )
    }

    impl<T> Sender<T> {
        pub(crate) fn send(mut self, value: T) -> Result<(), T> {
            self.1.take();
            self.0.take().unwrap().send(value)
        }
    }

    impl<T> Drop for Sender<T> {
        fn drop(&mut self) {
            if let Some(sender) = self.0.take() {
                self.1.take();
                drop(sender);
            }
        }
    }

    impl<T> Future for Receiver<T> {
        type Output = Result<T, oneshot::error::RecvError>;

        fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
            self.1.take();
            Pin::new(&mut self.0).poll(cx)
        }
    }

    impl<T> Drop for Receiver<T> {
        fn drop(&mut self) {
            self.1.take();
        }
    }
}
