//! The replaced functions, and what they show.

mod real;

use std::{cell::Cell, hint::black_box, io};

use libc::{c_int, c_void, clockid_t, size_t, ssize_t, time_t, timespec, timeval, timezone};

use super::{CREEP, PATIENCE};

/// What a world shows, and how often its monotonic clock was read at this time.
#[derive(Clone, Copy)]
pub(super) struct Shown {
    wall: u64,
    uptime: u64,
    reads: u64,
    stream: u64,
}

const NOTHING: Shown = Shown {
    wall: 0,
    uptime: 0,
    reads: 0,
    stream: 0,
};

// Constant from the start and never dropped, so both may be used at any time: by an allocator,
// before `main`, while a thread ends.
thread_local! {
    /// How many worlds this thread is in, one inside the other.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    static SHOWN: Cell<Shown> = const { Cell::new(NOTHING) };
}

pub(super) fn enter(wall: u64, uptime: u64, seed: u64) -> io::Result<(Shown, u32)> {
    // A mention of them makes the linker take the object that holds them.
    black_box((
        clock_gettime as *const (),
        gettimeofday as *const (),
        time as *const (),
        getrandom as *const (),
    ));
    let outer = SHOWN.get();
    let depth = DEPTH.get() + 1;
    SHOWN.set(Shown {
        wall,
        uptime,
        reads: 0,
        stream: seed,
    });
    DEPTH.set(depth);
    Ok((outer, depth))
}

pub(super) fn show(wall: u64, uptime: u64) {
    let mut shown = SHOWN.get();
    if shown.uptime != uptime {
        shown.reads = 0;
    }
    shown.wall = wall;
    shown.uptime = uptime;
    SHOWN.set(shown);
}

pub(super) fn depth() -> u32 {
    DEPTH.get()
}

pub(super) fn leave(depth: u32, outer: Shown) {
    if DEPTH.get() == depth {
        DEPTH.set(depth - 1);
        SHOWN.set(outer);
    } else {
        // A guard inside this one still lives, or it ended after this one.
        DEPTH.set(0);
        SHOWN.set(NOTHING);
    }
}

/// What a clock shows inside a world, in nanoseconds; none for clocks that measure work.
fn virtual_time(clock: clockid_t) -> Option<u64> {
    if DEPTH.get() == 0 {
        return None;
    }
    match clock {
        libc::CLOCK_REALTIME | libc::CLOCK_REALTIME_COARSE | libc::CLOCK_TAI => {
            Some(SHOWN.get().wall)
        }
        libc::CLOCK_MONOTONIC
        | libc::CLOCK_MONOTONIC_RAW
        | libc::CLOCK_MONOTONIC_COARSE
        | libc::CLOCK_BOOTTIME => {
            let mut shown = SHOWN.get();
            shown.reads += 1;
            SHOWN.set(shown);
            let crept = shown.reads.saturating_sub(PATIENCE);
            Some(shown.uptime + crept * CREEP.as_nanos() as u64)
        }
        _ => None,
    }
}

const SECOND: u64 = 1_000_000_000;

/// # Safety
/// As the C library's: `time` is null or points to a `timespec` that may be written.
#[unsafe(no_mangle)]
unsafe extern "C" fn clock_gettime(clock: clockid_t, time: *mut timespec) -> c_int {
    match virtual_time(clock) {
        Some(now) if !time.is_null() => {
            let now = timespec {
                tv_sec: (now / SECOND) as _,
                tv_nsec: (now % SECOND) as _,
            };
            // SAFETY: not null, and the caller says that it may be written.
            unsafe { time.write(now) };
            0
        }
        // SAFETY: what the caller owes us is what it owes the C library.
        _ => unsafe { real::clock_gettime(clock, time) },
    }
}

/// # Safety
/// As the C library's: each pointer is null or points to what may be written.
#[unsafe(no_mangle)]
unsafe extern "C" fn gettimeofday(time: *mut timeval, zone: *mut timezone) -> c_int {
    match virtual_time(libc::CLOCK_REALTIME) {
        Some(now) if !time.is_null() && zone.is_null() => {
            let now = timeval {
                tv_sec: (now / SECOND) as _,
                tv_usec: (now % SECOND / 1000) as _,
            };
            // SAFETY: not null, and the caller says that it may be written.
            unsafe { time.write(now) };
            0
        }
        // SAFETY: what the caller owes us is what it owes the C library.
        _ => unsafe { real::gettimeofday(time, zone) },
    }
}

/// # Safety
/// As the C library's: `into` is null or points to a `time_t` that may be written.
#[unsafe(no_mangle)]
unsafe extern "C" fn time(into: *mut time_t) -> time_t {
    let Some(now) = virtual_time(libc::CLOCK_REALTIME) else {
        // SAFETY: what the caller owes us is what it owes the C library.
        return unsafe { real::time(into) };
    };
    let now = (now / SECOND) as time_t;
    if !into.is_null() {
        // SAFETY: not null, and the caller says that it may be written.
        unsafe { into.write(now) };
    }
    now
}

/// # Safety
/// As the C library's: `length` bytes from `into` on may be written.
#[unsafe(no_mangle)]
unsafe extern "C" fn getrandom(into: *mut c_void, length: size_t, flags: u32) -> ssize_t {
    let known = libc::GRND_NONBLOCK | libc::GRND_RANDOM | libc::GRND_INSECURE;
    if DEPTH.get() == 0 || into.is_null() || flags & !known != 0 {
        // SAFETY: what the caller owes us is what it owes the C library.
        return unsafe { real::getrandom(into, length, flags) };
    }
    let mut shown = SHOWN.get();
    let mut at = 0;
    while at < length {
        let bytes = next(&mut shown.stream).to_le_bytes();
        let count = bytes.len().min(length - at);
        // SAFETY: `at + count` is at most `length`, up to which the caller says that it may be
        // written; a local array overlaps nothing.
        unsafe {
            into.cast::<u8>()
                .add(at)
                .copy_from_nonoverlapping(bytes.as_ptr(), count)
        };
        at += count;
    }
    SHOWN.set(shown);
    length as ssize_t
}

/// The next number of a SplitMix64 stream: any seed will do, and it never allocates.
fn next(stream: &mut u64) -> u64 {
    *stream = stream.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *stream;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
