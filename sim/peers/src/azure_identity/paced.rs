//! Keeps callers that spin from stopping the world's clock.
//!
//! Callers who wait for the read lock of the crate's cache while one request follows another wake
//! each other without a pause (CA-24). On a machine that costs a processor and time goes on; here
//! time goes on only when nobody is busy. So who was polled again and again at one moment is
//! polled again a millisecond later.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use credsim_identity::platform::{BoxFuture, Platform};

/// Polls at one moment that are no sign of spinning.
const PATIENCE: u32 = 32;

/// As long as a timer of tokio takes at least.
const PAUSE: Duration = Duration::from_millis(1);

/// Work that pauses where it would spin.
pub struct Paced<'a, T> {
    work: BoxFuture<'a, T>,
    platform: Platform,
    moment: Duration,
    polls: u32,
    /// How often it may be polled at one moment from now on.
    patience: u32,
    pause: Option<BoxFuture<'static, ()>>,
}

impl<'a, T> Paced<'a, T> {
    /// Paces `work` by the clock of `platform`.
    pub fn new(platform: &Platform, work: BoxFuture<'a, T>) -> Self {
        Self {
            work,
            platform: platform.clone(),
            moment: Duration::ZERO,
            polls: 0,
            patience: PATIENCE,
            pause: None,
        }
    }
}

impl<T> Future for Paced<'_, T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let this = self.get_mut();
        if let Some(pause) = &mut this.pause {
            if pause.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            this.pause = None;
        }
        let now = this.platform.clock.monotonic();
        if now != this.moment {
            this.moment = now;
            this.polls = 0;
        }
        this.polls += 1;
        if this.polls > this.patience {
            // Who has spun, spins on.
            this.patience = 1;
            let pause = this.pause.insert(this.platform.clock.sleep(PAUSE));
            if pause.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            this.pause = None;
        }
        this.work.as_mut().poll(context)
    }
}
