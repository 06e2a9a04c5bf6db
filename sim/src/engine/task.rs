//! Tasks of the engines: what runs on the hosts of a world.

use std::{
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    task::Poll,
    time::Duration,
};

use tokio::task::AbortHandle;

use super::{BoxFuture, panic_text};

/// `work`, but a panic in it ends it and is reported to `fail`: it is a failure of the harness, not
/// a broken connection, and would vanish in a task that is never joined.
pub(super) fn guarded(
    mut work: BoxFuture<'static, ()>,
    fail: impl Fn(String) + Send + 'static,
) -> BoxFuture<'static, ()> {
    Box::pin(poll_fn(move |cx| {
        // Polled no more after a panic: nothing sees what it left half done.
        match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx))) {
            Ok(polled) => polled,
            Err(panic) => {
                fail(panic_text(&*panic));
                Poll::Ready(())
            }
        }
    }))
}

/// Spawns `work` on the runtime of this thread, [`guarded`].
pub(super) fn spawn(
    work: BoxFuture<'static, ()>,
    fail: impl Fn(String) + Send + 'static,
) -> AbortHandle {
    #[expect(
        clippy::disallowed_methods,
        reason = "hosts spawn through their engine"
    )]
    tokio::spawn(guarded(work, fail)).abort_handle()
}

/// Sleeps on the clock of this thread's runtime.
pub(super) fn sleep(duration: Duration) -> BoxFuture<'static, ()> {
    #[expect(
        clippy::disallowed_methods,
        reason = "hosts sleep through their engine"
    )]
    Box::pin(tokio::time::sleep(duration))
}

/// How many tasks of a host are kept before ended ones are looked for.
const FEW: usize = 64;

/// The tasks of one host.
pub(super) struct Tasks {
    handles: Vec<AbortHandle>,
    /// At this many, those that have ended are removed.
    swept_at: usize,
}

impl Default for Tasks {
    fn default() -> Self {
        Self {
            handles: Vec::new(),
            swept_at: FEW,
        }
    }
}

impl Tasks {
    /// Adds a task. Ended ones are removed each time that the number has doubled, so that a long
    /// run stays small and adding takes constant time on average.
    pub fn add(&mut self, task: AbortHandle) {
        if self.handles.len() >= self.swept_at {
            self.handles.retain(|task| !task.is_finished());
            self.swept_at = FEW.max(2 * self.handles.len());
        }
        self.handles.push(task);
    }

    /// Takes all tasks out, to abort them where no lock is held that they need.
    pub fn take(&mut self) -> Vec<AbortHandle> {
        std::mem::take(&mut self.handles)
    }
}
