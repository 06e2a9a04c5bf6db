//! Finds work that another OS thread does for a world.
//!
//! Virtual time does not wait for such work: the clock jumps on as soon as the world's own thread
//! is idle, and the answer comes too late or at an instant that differs from run to run. So a world
//! that uses it ends in a failure of the harness. What is found:
//!
//! - a task of a host is woken from another thread while the world plays;
//! - a task that the code of a host spawned itself (`tokio::spawn`) is woken, or spawned, from
//!   another thread, and that is noticed before it is polled;
//! - tokio's pool for blocking work (`spawn_blocking`, `tokio::fs`, the resolver) starts a thread;
//! - on Linux, a thread that the world has started, or that one of these has started, still runs
//!   when the world ends. A thread inherits the signal mask of the one that starts it, so the
//!   thread of each world blocks a set of real-time signals of its own. It also inherits the name,
//!   which is what tells while it has not begun to run: the C library starts it with all signals
//!   blocked.
//!
//! What is not found: a thread that is joined in a blocking way (that only takes real time); one
//! that unblocks these signals, or on another system than Linux, that is not done when the world
//! ends. A client whose pool of threads is meant to outlive a world must start that pool before the
//! world.

use std::{
    cell::{Cell, RefCell},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use super::{driver, fabric::Fabric, on_another_thread};
use crate::engine::BoxFuture;

thread_local! {
    /// Whether this thread plays a world.
    static IS_WORLD: Cell<bool> = const { Cell::new(false) };

    /// The threads of this process when the world of this thread began.
    static BEFORE: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
}

/// From now on this thread plays the world of this number.
pub(super) fn enter(number: u64) {
    IS_WORLD.set(true);
    #[cfg(target_os = "linux")]
    {
        mark::set(number);
        BEFORE.set(mark::threads());
    }
    #[cfg(not(target_os = "linux"))]
    let _ = number;
}

/// `work`, polled with a waker that knows from which thread it is woken.
pub(super) fn watched(fabric: &Fabric, mut work: BoxFuture<'static, ()>) -> BoxFuture<'static, ()> {
    let fabric = fabric.clone();
    let mut current: Option<(Arc<Watched>, Waker)> = None;
    Box::pin(std::future::poll_fn(move |cx| {
        if fabric.ends_at_a_limit() {
            return Poll::Pending;
        }
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
    #[cfg(target_os = "linux")]
    let is_left = BEFORE.with_borrow(|before| mark::others_with_it(before));
    #[cfg(not(target_os = "linux"))]
    let is_left = false;
    is_left.then(|| on_another_thread("it was not done when the world ended"))
}

/// The mark of a world's thread, which the threads that it starts inherit.
#[cfg(target_os = "linux")]
mod mark {
    use std::{io::Read as _, mem::MaybeUninit, ptr};

    /// The first of the real-time signals that hold the mark; the C library keeps a few below.
    const FIRST: i32 = 36;

    /// How many of them: up to signal 63.
    const BITS: i32 = 28;

    /// Marks this thread for the world of this number.
    #[allow(
        unsafe_code,
        reason = "the standard library does not know signal masks"
    )]
    pub fn set(number: u64) {
        // Neither none of them, as in other threads, nor all of them, as in one that begins.
        let number = number % ((1 << BITS) - 2) + 1;
        let mut blocked = MaybeUninit::uninit();
        let mut open = MaybeUninit::uninit();
        // SAFETY: `sigemptyset` initialises each set before another call reads it, and the pointers
        // are to locals that live until the end of the block; the old mask is not asked for.
        unsafe {
            libc::sigemptyset(blocked.as_mut_ptr());
            libc::sigemptyset(open.as_mut_ptr());
            for bit in 0..BITS {
                let is_set = number >> bit & 1 == 1;
                let set = if is_set { &mut blocked } else { &mut open };
                libc::sigaddset(set.as_mut_ptr(), FIRST + bit);
            }
            libc::pthread_sigmask(libc::SIG_BLOCK, blocked.as_ptr(), ptr::null_mut());
            libc::pthread_sigmask(libc::SIG_UNBLOCK, open.as_ptr(), ptr::null_mut());
        }
    }

    /// Whether another thread of this process, none of those that were there `before`, has the mark
    /// of this one.
    pub fn others_with_it(before: &[u32]) -> bool {
        // Asking for a thread's status costs the system much more than listing the threads.
        let since = |thread: &u32| !before.contains(thread);
        let mut later = threads().into_iter().filter(since).peekable();
        if later.peek().is_none() {
            return false;
        }
        let Some(own) = status("/proc/thread-self/status") else {
            return false;
        };
        let (own_name, own_mark) = (field(&own, "Name:"), mark_of(&own));
        // Linux may leave out a thread while another one ends, so this one, too.
        let own_number = field(&own, "Pid:").and_then(|number| number.parse().ok());
        later.any(|thread| {
            if Some(thread) == own_number {
                return false;
            }
            let Some(status) = status(&format!("/proc/self/task/{thread}/status")) else {
                return false;
            };
            let has_mark = own_mark.is_some_and(|mark| mark != 0) && mark_of(&status) == own_mark;
            has_mark || field(&status, "Name:") == own_name
        })
    }

    /// The numbers of the threads of this process.
    #[allow(
        clippy::disallowed_methods,
        reason = "asks the system about this process; no host has these files"
    )]
    pub fn threads() -> Vec<u32> {
        let listed = std::fs::read_dir("/proc/self/task");
        let number = |thread: std::io::Result<std::fs::DirEntry>| {
            thread.ok()?.file_name().to_str()?.parse().ok()
        };
        listed.into_iter().flatten().filter_map(number).collect()
    }

    /// What Linux says of a thread, if it is still there.
    #[allow(
        clippy::disallowed_methods,
        reason = "asks the system about this process; no host has these files"
    )]
    fn status(path: &str) -> Option<String> {
        // Large enough for one call to read it whole.
        let mut text = String::with_capacity(4096);
        let read = std::fs::File::open(path).and_then(|mut file| file.read_to_string(&mut text));
        read.ok().map(|_| text)
    }

    /// A line of what Linux says of a thread.
    fn field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
        let mut lines = status.lines();
        lines.find_map(|line| Some(line.strip_prefix(name)?.trim()))
    }

    /// The mark of a thread, in its mask of blocked signals.
    fn mark_of(status: &str) -> Option<u64> {
        let mask = u64::from_str_radix(field(status, "SigBlk:")?, 16).ok()?;
        // Signal 1 is bit 0.
        Some(mask >> (FIRST - 1) & ((1 << BITS) - 1))
    }
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

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_world_is_no_thread_of_its_own_even_if_a_list_left_it_out() {
        let alone = std::thread::Builder::new().name("left-out".to_owned());
        let alone = alone.spawn(|| {
            // No world of these tests has this number.
            mark::set((1 << 28) - 4);
            mark::others_with_it(&[])
        });
        assert!(!alone.unwrap().join().unwrap());
    }
}
