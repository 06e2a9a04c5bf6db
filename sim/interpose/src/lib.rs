//! Virtual time and seeded randomness for code that asks the C library for them.
//!
//! Code of ours asks its platform. Third-party crates ask the machine: `SystemTime::now` ends in
//! `clock_gettime`, `rand::rng` and the seeds of `HashMap` in `getrandom`. Linked into a program
//! for Linux with glibc, this crate answers `clock_gettime`, `gettimeofday`, `time` and
//! `getrandom` itself: on a thread inside a world from numbers that the world sets, on any other
//! thread with what the C library says.
//!
//! ```
//! use std::time::{Duration, SystemTime};
//!
//! let new_year = Duration::from_secs(1_767_225_600);
//! let shown = std::thread::spawn(move || {
//!     let world = credsim_interpose::enter(new_year, 1)?;
//!     credsim_interpose::show(new_year + Duration::from_secs(60), Duration::from_secs(60));
//!     # #[allow(clippy::disallowed_methods)]
//!     let now = SystemTime::now();
//!     drop(world);
//!     Ok::<_, std::io::Error>(now)
//! });
//! # let shown = shown.join().unwrap();
//! # if cfg!(all(target_os = "linux", target_env = "gnu")) {
//! assert_eq!(shown?, SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_660));
//! # }
//! # Ok::<_, std::io::Error>(())
//! ```
//!
//! # One world, one fresh thread
//!
//! A thread that has drawn from `rand::rng` or made a `HashMap` keeps its seed. A world whose
//! runs must be equal therefore begins on a thread that has done nothing yet.
//!
//! # What it does not reach
//!
//! - Threads that a world starts: they see the machine, unless they enter too.
//! - Raw system calls (`getrandom` 0.2, and with it `ring`) and what is no system call: addresses,
//!   process and thread numbers.
//! - Waiting. A blocking wait with a limit (`Condvar::wait_timeout`, `thread::sleep`) is the
//!   kernel's, which knows nothing of virtual deadlines: in a world only the engine waits.
//! - An `Instant` made inside says nothing outside, nor the reverse.
//!
//! # What it costs
//!
//! Outside a world a thread-local load and an indirect call: 22.1 ns a read of the clock, where the
//! C library's own function took 21.0; in three runs the difference was 1 to 4 ns, and the runs
//! themselves were up to 12 ns apart. Inside a world a read takes 2 ns. (`cargo run --release
//! --example cost`, on a shared machine of two cores.)

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(
    unsafe_code,
    reason = "the C library's functions can be replaced only by such"
)]
mod glibc;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
use glibc as machine;

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
mod elsewhere;
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
use elsewhere as machine;

use std::{fmt, io, marker::PhantomData, time::Duration};

/// How long the machine of a world has been up when the world begins: code may subtract from an
/// `Instant` without falling off its beginning.
pub const UPTIME: Duration = Duration::from_secs(86_400);

/// Reads of the monotonic clock at one virtual time, after which it creeps by [`CREEP`] with each
/// further one: a loop that waits for the clock to move would never end on one that stands still.
pub const PATIENCE: u64 = 4096;

/// See [`PATIENCE`].
pub const CREEP: Duration = Duration::from_micros(1);

/// A world on this thread. It ends with the guard, and the one around it, if any, goes on where
/// it was.
///
/// Guards end in the opposite order of their beginnings. If one does not, this thread is back on
/// the machine's own clock at once.
#[must_use = "the world ends with its guard"]
pub struct World {
    outer: machine::Shown,
    depth: u32,
    /// It belongs to its thread.
    _here: PhantomData<*const ()>,
}

/// Begins a world on this thread: the wall clock shows `wall` (since 1970), the monotonic one
/// [`UPTIME`], and both stand still until [`show`] moves them. Random bytes come from a stream of
/// `seed`, which is for repeatable tests and not for secrets.
///
/// # Errors
/// [`Unsupported`](io::ErrorKind::Unsupported) anywhere but on Linux with glibc.
pub fn enter(wall: Duration, seed: u64) -> io::Result<World> {
    let (outer, depth) = machine::enter(nanoseconds(wall), nanoseconds(UPTIME), seed)?;
    Ok(World {
        outer,
        depth,
        _here: PhantomData,
    })
}

/// From now on the clocks of this thread's world show `wall` (since 1970) and [`UPTIME`] plus
/// `elapsed` (since the world began). Outside a world this does nothing.
pub fn show(wall: Duration, elapsed: Duration) {
    machine::show(
        nanoseconds(wall),
        nanoseconds(UPTIME.saturating_add(elapsed)),
    );
}

/// Whether this thread is inside a world.
pub fn is_inside() -> bool {
    machine::depth() > 0
}

impl Drop for World {
    fn drop(&mut self) {
        machine::leave(self.depth, self.outer);
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").field("depth", &self.depth).finish()
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
