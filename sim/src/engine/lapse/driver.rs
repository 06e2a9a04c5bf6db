//! Moves the clock: from one happening to the next, whenever the runtime has nothing left to do.
//!
//! Tokio's own timers stand on a grid of whole milliseconds counted from the runtime's start, and
//! the paused clock keeps any fraction it was advanced by. So the driver visits exact nanoseconds
//! only inside the current millisecond, and puts the clock back on the grid before it lets the
//! runtime jump to a later one.

use std::{
    cell::RefCell,
    future::poll_fn,
    io,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use tokio::{
    runtime::{Builder, Handle, Runtime, RuntimeMetrics},
    time::{Instant, Sleep},
};

use super::{fabric::Fabric, on_another_thread};
use crate::engine::Surroundings;

const MILLISECOND: u64 = 1_000_000;

/// What the idle hook needs besides the fabric; it belongs to the world's thread.
struct Driver {
    /// When the world began, by tokio's clock.
    origin: Instant,
    /// What that clock says, in nanoseconds since then: nothing else moves it while the world's own
    /// thread runs, and to ask it takes much longer.
    now: u64,
    /// The one tokio timer that makes the runtime jump to the millisecond of the next happening.
    alarm: Option<(u64, Pin<Box<Sleep>>)>,
    /// Of the world's runtime. Kept, because making them costs a reference to the runtime, and they
    /// are read after each poll.
    metrics: RuntimeMetrics,
    /// A task that does nothing: see [`start`].
    nudge: Option<Waker>,
}

thread_local! {
    static DRIVER: RefCell<Option<Driver>> = const { RefCell::new(None) };
}

fn with_driver<T>(use_it: impl FnOnce(&mut Driver) -> T) -> Option<T> {
    DRIVER.with_borrow_mut(|driver| driver.as_mut().map(use_it))
}

/// A runtime whose clock stands still except where the fabric moves it; `surroundings` are told.
pub(super) fn paused_runtime(
    fabric: &Fabric,
    surroundings: Option<Arc<dyn Surroundings>>,
) -> io::Result<Runtime> {
    let idle = fabric.clone();
    let awake = fabric.clone();
    let blocking = fabric.clone();
    Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .on_thread_park(move || on_idle(&idle))
        // The runtime has one thread; all others are those of its pool for blocking work.
        .on_thread_start(move || blocking.fail(on_another_thread("`spawn_blocking` started it")))
        .on_thread_unpark(move || {
            with_driver(|driver| {
                let now = nanoseconds_since(driver.origin);
                driver.now = now;
                awake.lock().set_now(now);
                awake.budget().moved(now);
            });
            if woken_from_outside() {
                awake.fail(on_another_thread("it woke a task"));
            }
            if let Some(surroundings) = &surroundings {
                surroundings.moved(awake.elapsed());
            }
        })
        .build()
}

/// Whether another thread has woken or spawned a task, which has not been polled since: what this
/// thread wakes goes into a queue of its own.
pub(super) fn woken_from_outside() -> bool {
    with_driver(|driver| driver.metrics.global_queue_depth() > 0) == Some(true)
}

/// Begins to drive; ends when the guard goes.
#[expect(clippy::disallowed_methods, reason = "this is what time is made of")]
pub(super) fn start(fabric: &Fabric) -> Driving {
    fabric.lock().set_now(0);
    DRIVER.set(Some(Driver {
        origin: Instant::now(),
        now: 0,
        alarm: None,
        metrics: Handle::current().metrics(),
        nudge: None,
    }));
    // A happening may wake only tasks that are gone. Then the runtime would park with the clock
    // off the grid, without asking the hook again; waking this task as well makes it ask.
    let nudged = tokio::spawn(poll_fn(|cx| {
        with_driver(|driver| driver.nudge = Some(cx.waker().clone()));
        Poll::<()>::Pending
    }));
    Driving(nudged.abort_handle())
}

/// Keeps the driver going.
pub(super) struct Driving(tokio::task::AbortHandle);

impl Drop for Driving {
    fn drop(&mut self) {
        self.0.abort();
        DRIVER.take();
    }
}

/// The runtime is about to park: every task waits for time or for bytes.
fn on_idle(fabric: &Fabric) {
    let woken = with_driver(|driver| {
        debug_assert_eq!(driver.now, nanoseconds_since(driver.origin));
        let mut state = fabric.lock();
        state.set_now(driver.now);
        loop {
            let Some(next) = state.next_at() else {
                driver.alarm = None;
                driver.reach_the_grid();
                return Vec::new();
            };
            if next / MILLISECOND > driver.now / MILLISECOND {
                driver.reach_the_grid();
                driver.set_alarm(next / MILLISECOND);
                return Vec::new();
            }
            driver.advance(next.saturating_sub(driver.now));
            state.set_now(driver.now);
            let mut wakers = state.deliver_due();
            if !wakers.is_empty() {
                wakers.extend(driver.nudge.clone());
                return wakers;
            }
        }
    });
    // Outside the locks: a waker may run anything.
    woken.into_iter().flatten().for_each(Waker::wake);
}

impl Driver {
    fn reach_the_grid(&mut self) {
        if !self.now.is_multiple_of(MILLISECOND) {
            self.advance(MILLISECOND - self.now % MILLISECOND);
        }
    }

    fn advance(&mut self, nanoseconds: u64) {
        if nanoseconds > 0 {
            // The first poll moves the clock; the rest of that future only yields.
            let mut moving = pin!(tokio::time::advance(Duration::from_nanos(nanoseconds)));
            let _ = moving
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()));
            self.now += nanoseconds;
        }
    }

    fn set_alarm(&mut self, millisecond: u64) {
        if self
            .alarm
            .as_ref()
            .is_some_and(|(at, _)| *at == millisecond)
        {
            return;
        }
        let deadline = self.origin + Duration::from_millis(millisecond);
        match &mut self.alarm {
            Some((at, sleep)) => {
                *at = millisecond;
                sleep.as_mut().reset(deadline);
            }
            None => {
                #[expect(clippy::disallowed_methods, reason = "this is what time is made of")]
                let sleep = Box::pin(tokio::time::sleep_until(deadline));
                self.alarm = Some((millisecond, sleep));
            }
        }
        if let Some((_, sleep)) = &mut self.alarm {
            // Polled once so that the timer is registered; it wakes no task.
            let _ = sleep.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is what time is made of")]
fn nanoseconds_since(origin: Instant) -> u64 {
    u64::try_from(Instant::now().duration_since(origin).as_nanos()).unwrap_or(u64::MAX)
}
