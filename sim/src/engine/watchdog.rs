//! Gives up worlds that stand still: a client that computes or spins without end at one instant
//! would otherwise keep its world, and the command, from ever ending.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

use super::{EngineError, panic_text};

/// How long a world may stand still in real time, unless it says otherwise. Generous: the busiest
/// instants of the bundled scenarios take milliseconds, and a loaded machine many times that.
pub const STALL_LIMIT: Duration = Duration::from_secs(60);

/// How often the clock of a world is looked at, at most and at least.
const LOOK: [Duration; 2] = [Duration::from_millis(10), Duration::from_secs(1)];

/// The clock of a world, as its watchdog sees it.
#[derive(Clone, Debug, Default)]
pub(super) struct Progress(Arc<AtomicU64>);

impl Progress {
    /// The world is so many nanoseconds old.
    pub fn reached(&self, nanoseconds: u64) {
        self.0.store(nanoseconds, Ordering::Relaxed);
    }

    fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Plays a world on a fresh thread called `name`. Nothing of an earlier world (thread-local random
/// state, cached dates) can leak into it.
///
/// # Errors
/// What `play` returns, a panic in it, and a clock that has not moved for `stall_limit` of real
/// time. In the last case the thread is abandoned: it can't be stopped from outside.
pub(super) fn on_its_thread(
    name: &str,
    seed: u64,
    stall_limit: Duration,
    play: impl FnOnce(&Progress) -> Result<(), EngineError> + Send + 'static,
) -> Result<(), EngineError> {
    let dispatch = tracing::dispatcher::get_default(Clone::clone);
    let progress = Progress::default();
    // Nothing is ever sent: the channel closes when the thread is done, even by a panic.
    let (playing, over) = mpsc::channel::<()>();
    let thread = thread::Builder::new().name(name.to_owned()).spawn({
        let progress = progress.clone();
        move || {
            let _playing = playing;
            tracing::dispatcher::with_default(&dispatch, || play(&progress))
        }
    });
    let thread =
        thread.map_err(|e| EngineError(format!("the world's thread could not be started: {e}")))?;
    match wait(&over, &progress, stall_limit) {
        Ok(()) => thread
            .join()
            .unwrap_or_else(|panic| Err(EngineError(panic_text(&*panic)))),
        Err(at) => Err(EngineError(format!(
            "the world of seed {seed} has stood still at {} for {stall_limit:?} of real time: something computes or \
             spins there without end, so the thread of this world was abandoned",
            shown(at)
        ))),
    }
}

/// Waits for the world's end. An error is the time at which it stands still, in nanoseconds.
#[expect(
    clippy::disallowed_methods,
    reason = "measures real time from outside of the world"
)]
fn wait(over: &mpsc::Receiver<()>, progress: &Progress, limit: Duration) -> Result<(), u64> {
    let [most_often, least_often] = LOOK;
    let look = (limit / 8).clamp(most_often, least_often);
    let (mut reached, mut since) = (progress.read(), Instant::now());
    loop {
        match over.recv_timeout(look) {
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
            Err(RecvTimeoutError::Timeout) => {}
        }
        let now = progress.read();
        if now != reached {
            (reached, since) = (now, Instant::now());
        } else if since.elapsed() >= limit {
            return Err(reached);
        }
    }
}

/// A time of a world as traces show it.
fn shown(nanoseconds: u64) -> String {
    let micros = nanoseconds / 1_000;
    let (seconds, micros) = (micros / 1_000_000, micros % 1_000_000);
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
    format!("{hours:02}:{minutes:02}:{:02}.{micros:06}", seconds % 60)
}
