//! A panic in the code of a host is a failure of the harness, not a broken connection.

use std::{
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    task::Poll,
};

use super::{BoxFuture, panic_text};

/// `work`, but a panic in it ends it and is told, instead of vanishing in a task that nobody joins.
pub(super) fn guarded(
    mut work: BoxFuture<'static, ()>,
    tell: impl Fn(String) + Send + 'static,
) -> BoxFuture<'static, ()> {
    Box::pin(poll_fn(move |cx| {
        // Polled no more after a panic: nothing sees what it left half done.
        match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx))) {
            Ok(polled) => polled,
            Err(panic) => {
                tell(panic_text(&*panic));
                Poll::Ready(())
            }
        }
    }))
}
