//! How much memory each world holds, counted where it is allocated.
//!
//! A world plays on a thread of its own, so what this thread has allocated and not freed is what
//! the world holds. Counting is an addition to a number of the thread; other threads see it in
//! steps of a mebibyte.

use std::{
    alloc::{GlobalAlloc, Layout},
    cell::Cell,
    sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering},
};

/// An allocator that counts what each thread holds, so that [`Limits::memory`](super::Limits) is
/// kept. The `credsim` binary has one; a program that embeds the library needs one for this limit:
///
/// ```
/// #[global_allocator]
/// static ALLOCATOR: credsim::limits::Counting<std::alloc::System> =
///     credsim::limits::Counting(std::alloc::System);
/// ```
pub struct Counting<A>(pub A);

#[allow(unsafe_code, reason = "an allocator can't be written without")]
// SAFETY: every call is passed on as it is, and counting neither allocates nor unwinds.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Counting<A> {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(signed(layout.size()));
        // SAFETY: the caller keeps the rules of `alloc`.
        unsafe { self.0.alloc(layout) }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(signed(layout.size()));
        // SAFETY: the caller keeps the rules of `alloc_zeroed`.
        unsafe { self.0.alloc_zeroed(layout) }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        count(-signed(layout.size()));
        // SAFETY: the caller keeps the rules of `dealloc`.
        unsafe { self.0.dealloc(block, layout) }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(signed(size) - signed(layout.size()));
        // SAFETY: the caller keeps the rules of `realloc`.
        unsafe { self.0.realloc(block, layout, size) }
    }
}

/// No block is larger than this type can say.
#[inline]
fn signed(size: usize) -> i64 {
    size as i64
}

/// How many worlds can be counted at once. More share a slot, and the one that published last
/// counts.
const SLOTS: usize = 256;

/// What one world holds, as other threads see it.
struct Slot {
    is_taken: AtomicBool,
    held: AtomicI64,
    /// The world was given up: its thread stops at its next step.
    is_given_up: AtomicBool,
}

static WORLDS: [Slot; SLOTS] = [const {
    Slot {
        is_taken: AtomicBool::new(false),
        held: AtomicI64::new(0),
        is_given_up: AtomicBool::new(false),
    }
}; SLOTS];

/// How many slots were taken so far: the next world looks for a free one from there on, so that one
/// whose thread may still run rests for long.
static TAKEN: AtomicUsize = AtomicUsize::new(0);

/// What a thread counts.
struct Count {
    /// What it has allocated and not freed.
    held: Cell<i64>,
    /// Where it publishes that; none if it plays no world.
    slot: Cell<Option<usize>>,
}

thread_local! {
    // Neither initialised at run time nor dropped: an allocator may use it at any time.
    static COUNT: Count = const {
        Count {
            held: Cell::new(0),
            slot: Cell::new(None),
        }
    };
}

#[inline]
fn count(change: i64) {
    COUNT.with(|count| {
        let before = count.held.get();
        let after = before.wrapping_add(change);
        count.held.set(after);
        if (before ^ after) >> 20 != 0 {
            publish(count, after);
        }
    });
}

#[cold]
fn publish(count: &Count, held: i64) {
    let Some(slot) = count.slot.get().and_then(|slot| WORLDS.get(slot)) else {
        return;
    };
    slot.held.store(held, Ordering::Relaxed);
    if slot.is_given_up.load(Ordering::Relaxed) {
        // The client takes memory without end, and its thread can't be stopped from outside.
        loop {
            pause();
        }
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "the thread of a world that was given up"
)]
fn pause() {
    std::thread::sleep(std::time::Duration::from_secs(3_600));
}

/// What a world holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held(usize);

impl Held {
    /// A place for a world that has not begun.
    pub fn new() -> Self {
        let first = TAKEN.fetch_add(1, Ordering::Relaxed);
        let mut slots = (0..SLOTS).map(|after| first.wrapping_add(after) % SLOTS);
        let slot = slots.find(|slot| !WORLDS[*slot].is_taken.swap(true, Ordering::Relaxed));
        let slot = slot.unwrap_or(first % SLOTS);
        WORLDS[slot].held.store(0, Ordering::Relaxed);
        WORLDS[slot].is_given_up.store(false, Ordering::Relaxed);
        Self(slot)
    }

    /// From now on this thread plays the world.
    pub fn enter(self) {
        COUNT.with(|count| {
            count.held.set(0);
            count.slot.set(Some(self.0));
        });
    }

    /// In bytes, exact to a mebibyte.
    pub fn read(self) -> u64 {
        let held = WORLDS[self.0].held.load(Ordering::Relaxed);
        u64::try_from(held).unwrap_or_default()
    }

    /// The world has ended, and another may have its place. One that was given up keeps it.
    pub fn leave(self) {
        if !WORLDS[self.0].is_given_up.load(Ordering::Relaxed) {
            WORLDS[self.0].is_taken.store(false, Ordering::Relaxed);
        }
    }

    /// Stops the world's thread when it asks for more.
    pub fn give_up(self) {
        WORLDS[self.0].is_given_up.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::{alloc::System, thread};

    use super::*;

    #[test]
    #[allow(unsafe_code, reason = "asks an allocator")]
    fn a_thread_counts_what_it_holds() {
        let held = Held::new();
        let work = move || {
            held.enter();
            let allocator = Counting(System);
            let [small, large] =
                [1 << 10, 8 << 20].map(|size| Layout::from_size_align(size, 8).unwrap());
            // SAFETY: blocks are freed once, with the layout that they have.
            unsafe {
                let one = allocator.alloc(large);
                assert_eq!(held.read(), 8 << 20);
                let other = allocator.alloc_zeroed(large);
                assert_eq!(held.read(), 16 << 20);
                let one = allocator.realloc(one, large, small.size());
                allocator.dealloc(other, large);
                allocator.dealloc(one, small);
            }
            assert!(held.read() < 1 << 20);
        };
        thread::spawn(work).join().unwrap();
    }

    #[test]
    fn a_world_keeps_its_place_while_others_come_and_go() {
        let held = Held::new();
        for _ in 0..2 * SLOTS {
            let other = Held::new();
            assert_ne!(held.0, other.0);
            other.leave();
        }
        held.leave();
    }
}
