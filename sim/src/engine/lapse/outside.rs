//! Finds work that another OS thread does for a world.
//!
//! Virtual time does not wait for such work: the clock jumps on as soon as the world's own thread is
//! idle, and the answer comes too late or at an instant that differs from run to run. So a world
//! that uses it ends in a failure of the harness. What is found:
//!
//! - a task of a host is woken from another thread while the world plays;
//! - a task that the code of a host spawned itself (`tokio::spawn`) is woken, or spawned, from
//!   another thread, and that is noticed before it is polled;
//! - tokio's pool for blocking work (`spawn_blocking`, `tokio::fs`, the resolver) starts a thread;
//! - on Linux, a thread without a name of its own that the world has started still runs when the
//!   world ends: such a thread has the name of the one that started it.
//!
//! What is not found: a thread that is joined in a blocking way (that only takes real time); one
//! with a name of its own, or on another system than Linux, that is not done when the world ends.

use std::{
    cell::Cell,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    thread,
};

use super::{driver, fabric::Fabric, on_another_thread};
use crate::engine::BoxFuture;

thread_local! {
    /// Whether this thread plays a world.
    static IS_WORLD: Cell<bool> = const { Cell::new(false) };
}

/// From now on this thread plays a world.
pub(super) fn enter() {
    IS_WORLD.set(true);
}

/// `work`, polled with a waker that knows from which thread it is woken.
pub(super) fn watched(fabric: &Fabric, mut work: BoxFuture<'static, ()>) -> BoxFuture<'static, ()> {
    let fabric = fabric.clone();
    let mut current: Option<(Arc<Watched>, Waker)> = None;
    Box::pin(std::future::poll_fn(move |cx| {
        let same = |(watched, _): &(Arc<Watched>, Waker)| watched.task.will_wake(cx.waker());
        let (watched, waker) = match current.take().filter(same) {
            Some(current) => current,
            None => {
                let watched = Arc::new(Watched {
                    task: cx.waker().clone(),
                    fabric: fabric.clone(),
                    ended: AtomicBool::new(false),
                });
                let waker = Waker::from(watched.clone());
                (watched, waker)
            }
        };
        let polled = work.as_mut().poll(&mut Context::from_waker(&waker));
        if driver::woken_from_outside() {
            fabric.fail(on_another_thread("it woke a task"));
        }
        match polled {
            Poll::Ready(()) => watched.ended.store(true, Ordering::Release),
            Poll::Pending => current = Some((watched, waker)),
        }
        polled
    }))
}

/// Why the harness has failed, if a thread that this world has started still runs.
pub(super) fn left_behind() -> Option<String> {
    (cfg!(target_os = "linux") && others_with_this_name())
        .then(|| on_another_thread("it was not done when the world ended"))
}

/// Whether another thread of this process has the name of this one, as Linux keeps it.
#[allow(
    clippy::disallowed_methods,
    reason = "asks the system about this process; no host has these files"
)]
fn others_with_this_name() -> bool {
    let current = thread::current();
    let Some(name) = current.name() else {
        return false;
    };
    let Ok(threads) = std::fs::read_dir("/proc/self/task") else {
        return false;
    };
    let comms = threads.filter_map(|thread| {
        let path = thread.ok()?.path().join("comm");
        std::fs::read_to_string(path).ok()
    });
    comms.filter(|comm| comm.trim_end() == name).count() > 1
}

/// The waker of a task of a host.
struct Watched {
    task: Waker,
    fabric: Fabric,
    /// The task has ended: what still holds this waker has nothing to wake.
    ended: AtomicBool,
}

impl Wake for Watched {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !IS_WORLD.get() && !self.ended.load(Ordering::Acquire) {
            self.fabric.fail(on_another_thread("it woke a task"));
        }
        self.task.wake_by_ref();
    }
}
