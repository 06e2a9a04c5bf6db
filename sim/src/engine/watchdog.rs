//! Gives up worlds that stand still or go on beyond a limit: a client that computes or spins
//! without end at one instant would otherwise keep its world, and the command, from ever ending.

use std::{
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use super::{EngineError, panic_text};
use crate::limits::{Budget, shown};

/// How long a world may stand still in real time, unless it says otherwise. Generous: the busiest
/// instants of the bundled scenarios take milliseconds, and a loaded machine many times that.
pub const STALL_LIMIT: Duration = Duration::from_secs(60);

/// How often the clock of a world and what it has taken are looked at, at most and at least.
const LOOK: [Duration; 2] = [Duration::from_millis(10), Duration::from_millis(50)];

/// How long a world that has reached a limit may take to end by itself.
const TO_END: Duration = Duration::from_secs(2);

/// Plays a world on a fresh thread called `name`. Nothing of an earlier world (thread-local random
/// state, cached dates) can leak into it.
///
/// # Errors
/// What `play` returns, a panic in it, a limit of `budget` that was reached, and a clock that has
/// not moved for `stall_limit` of real time. In the last two cases a thread that does not end by
/// itself is abandoned, because it can't be stopped from outside; it gets no more memory.
pub(super) fn on_its_thread(
    name: &str,
    seed: u64,
    stall_limit: Duration,
    budget: &Budget,
    play: impl FnOnce() -> Result<(), EngineError> + Send + 'static,
) -> Result<(), EngineError> {
    let dispatch = tracing::dispatcher::get_default(Clone::clone);
    // Nothing is ever sent: the channel closes when the thread is done, even by a panic.
    let (playing, over) = mpsc::channel::<()>();
    let thread = thread::Builder::new().name(name.to_owned()).spawn({
        let budget = budget.clone();
        move || {
            let _playing = playing;
            budget.enter();
            tracing::dispatcher::with_default(&dispatch, play)
        }
    });
    let thread =
        thread.map_err(|e| EngineError(format!("the world's thread could not be started: {e}")))?;
    let ended = wait(&over, budget, stall_limit);
    // Whatever else was wrong came of it.
    let reached = |abandoned: &str| {
        let why = budget.describe()?;
        Some(Err(EngineError(format!("{why}{abandoned}"))))
    };
    match ended {
        Ok(()) => {
            let played = thread.join();
            let played = played.unwrap_or_else(|panic| Err(EngineError(panic_text(&*panic))));
            reached("").unwrap_or(played)
        }
        Err(Stuck) => {
            budget.give_up();
            let at = Duration::from_nanos(budget.now());
            reached("; it did not end by itself, so its thread was abandoned").unwrap_or_else(|| {
                Err(EngineError(format!(
                    "the world of seed {seed} has stood still at {} for {stall_limit:?} of real time: something \
                     computes or spins there without end, so the thread of this world was abandoned",
                    shown(at)
                )))
            })
        }
    }
}

/// A world that does not end by itself.
struct Stuck;

/// Waits for the world's end. An error is that it stands still, or goes on beyond a limit.
#[expect(
    clippy::disallowed_methods,
    reason = "measures real time from outside of the world"
)]
fn wait(over: &mpsc::Receiver<()>, budget: &Budget, limit: Duration) -> Result<(), Stuck> {
    let [most_often, least_often] = LOOK;
    let look = (limit / 8).clamp(most_often, least_often);
    let (mut reached, mut since) = (budget.now(), Instant::now());
    let mut beyond: Option<Instant> = None;
    loop {
        match over.recv_timeout(look) {
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
            Err(RecvTimeoutError::Timeout) => {}
        }
        if budget.is_over_by_now() {
            let since = beyond.get_or_insert_with(Instant::now);
            if since.elapsed() >= TO_END {
                return Err(Stuck);
            }
            continue;
        }
        let now = budget.now();
        if now != reached {
            (reached, since) = (now, Instant::now());
        } else if since.elapsed() >= limit {
            return Err(Stuck);
        }
    }
}
