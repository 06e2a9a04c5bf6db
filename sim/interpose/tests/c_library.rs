//! The C library's functions, as C code calls them.

#![cfg(all(target_os = "linux", target_env = "gnu"))]
#![expect(unsafe_code, reason = "they are called as C code calls them")]
#![allow(clippy::unwrap_used, reason = "a test")]

use std::{
    mem::MaybeUninit,
    ptr::{from_mut, null_mut},
    thread,
    time::Duration,
};

use credsim_interpose::{UPTIME, enter, show};

const THEN: Duration = Duration::from_millis(946_684_800_250);

/// Runs inside a world, on a thread that has done nothing yet.
fn inside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let thread = thread::spawn(move || {
        let _world = enter(THEN, 7).unwrap();
        show(THEN, Duration::from_nanos(3));
        work()
    });
    thread.join().unwrap()
}

fn read(clock: libc::clockid_t) -> Duration {
    let mut now = MaybeUninit::<libc::timespec>::uninit();
    // SAFETY: it may be written.
    let result = unsafe { libc::clock_gettime(clock, now.as_mut_ptr()) };
    assert_eq!(result, 0, "clock {clock}");
    // SAFETY: the function succeeded, so it has written.
    let now = unsafe { now.assume_init() };
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

fn bytes(count: usize, flags: u32) -> (isize, Vec<u8>) {
    let mut bytes = vec![0; count + 8];
    // SAFETY: `count` bytes may be written.
    let written = unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), count, flags) };
    assert_eq!(bytes.split_off(count), [0; 8], "written beyond the end");
    (written, bytes)
}

#[test]
fn each_clock_shows_its_kind_of_time() {
    inside(|| {
        for clock in [
            libc::CLOCK_REALTIME,
            libc::CLOCK_REALTIME_COARSE,
            libc::CLOCK_TAI,
        ] {
            assert_eq!(read(clock), THEN, "clock {clock}");
        }
        for clock in [
            libc::CLOCK_MONOTONIC,
            libc::CLOCK_MONOTONIC_RAW,
            libc::CLOCK_MONOTONIC_COARSE,
            libc::CLOCK_BOOTTIME,
        ] {
            assert_eq!(
                read(clock),
                UPTIME + Duration::from_nanos(3),
                "clock {clock}"
            );
        }
        // Work is work, in any world.
        let before = read(libc::CLOCK_THREAD_CPUTIME_ID);
        let mut after = before;
        for _ in 0..1_000_000 {
            after = read(libc::CLOCK_THREAD_CPUTIME_ID);
            if after > before {
                break;
            }
        }
        assert!(after > before);
    });
}

#[test]
fn the_older_functions_show_the_same_time() {
    inside(|| {
        let mut now = libc::timeval {
            tv_sec: 0,
            tv_usec: 0,
        };
        // SAFETY: it may be written; a zone of null is allowed.
        assert_eq!(unsafe { libc::gettimeofday(&raw mut now, null_mut()) }, 0);
        assert_eq!((now.tv_sec, now.tv_usec), (946_684_800, 250_000));
        let mut second = 0;
        // SAFETY: it may be written.
        assert_eq!(unsafe { libc::time(&raw mut second) }, 946_684_800);
        assert_eq!(second, 946_684_800);
        // SAFETY: null is allowed.
        assert_eq!(unsafe { libc::time(null_mut()) }, 946_684_800);
    });
    // Outside they are the machine's, and agree with each other.
    let mut now = libc::timeval {
        tv_sec: 0,
        tv_usec: 0,
    };
    // SAFETY: it may be written; a zone of null is allowed.
    assert_eq!(
        unsafe { libc::gettimeofday(from_mut(&mut now), null_mut()) },
        0
    );
    // SAFETY: null is allowed.
    let second = unsafe { libc::time(null_mut()) };
    assert!(now.tv_sec > 1_700_000_000 && (second - now.tv_sec).abs() <= 2);
}

#[test]
fn random_bytes_fill_exactly_what_was_asked_for() {
    for count in [0, 1, 7, 8, 9, 31, 32, 300] {
        let draw = move || inside(move || (bytes(count, 0), bytes(8, libc::GRND_NONBLOCK)));
        let (first, next) = draw();
        assert_eq!(first.0, count as isize);
        assert_eq!(draw(), (first.clone(), next.clone()));
        assert!(count < 7 || first.1.iter().any(|byte| *byte != 0));
        assert_ne!(first.1, next.1);
    }
}

#[test]
fn what_the_kernel_refuses_is_refused() {
    inside(|| {
        let (written, _) = bytes(8, 0x8000_0000);
        assert_eq!(written, -1);
        assert_eq!(
            std::io::Error::last_os_error().raw_os_error(),
            Some(libc::EINVAL)
        );
        // SAFETY: a time of null is refused, not written.
        let result = unsafe { libc::clock_gettime(9999, null_mut()) };
        assert_eq!(result, -1);
    });
}
