//! Signals that end this process: live worlds end in order, so that nothing of them
//! is left behind.

use std::sync::atomic::{AtomicU8, Ordering};

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The first such signal of this process; 0 is none.
static CAME: AtomicU8 = AtomicU8::new(0);

/// The number of the signal that has ended the live worlds of this process, if one has.
pub fn interrupted() -> Option<u8> {
    Some(CAME.load(Ordering::Relaxed)).filter(|number| *number > 0)
}

/// Listens from when it is made, not from when it is awaited.
pub(super) struct Signals(Vec<(u8, Signal)>);

impl Signals {
    /// From now on these signals don't end the process by themselves.
    pub fn listen() -> Self {
        let kinds = [
            (2, SignalKind::interrupt()),
            (15, SignalKind::terminate()),
            (1, SignalKind::hangup()),
            (3, SignalKind::quit()),
        ];
        let listening = kinds
            .into_iter()
            // One that cannot be listened to ends the process as it always did.
            .filter_map(|(number, kind)| Some((number, signal(kind).ok()?)));
        Self(listening.collect())
    }

    /// Completes with the number of the first that comes.
    pub async fn came(mut self) -> u8 {
        let number = std::future::poll_fn(|cx| {
            for (number, signal) in &mut self.0 {
                if signal.poll_recv(cx).is_ready() {
                    return std::task::Poll::Ready(*number);
                }
            }
            std::task::Poll::Pending
        })
        .await;
        let _ = CAME.compare_exchange(0, number, Ordering::Relaxed, Ordering::Relaxed);
        number
    }
}
