//! What a read of the clock costs: with the C library's own function, with ours outside a world,
//! and with ours inside one.

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(
    unsafe_code,
    clippy::disallowed_methods,
    reason = "it measures a C function on the machine's clock"
)]
fn main() -> std::io::Result<()> {
    use std::{
        hint::black_box,
        io::Error,
        time::{Duration, Instant},
    };

    type Signature = unsafe extern "C" fn(libc::clockid_t, *mut libc::timespec) -> libc::c_int;
    const READS: u32 = 2_000_000;

    fn read_with(function: Signature) {
        let mut now = libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        for _ in 0..READS {
            // SAFETY: `now` is a local that may be written.
            black_box(unsafe { function(libc::CLOCK_REALTIME, &raw mut now) });
        }
    }
    // The thread that measures is never inside.
    let measured = |function: Signature, inside: bool| {
        let begin = Instant::now();
        let reader = std::thread::spawn(move || {
            let world = inside.then(|| credsim_interpose::enter(Duration::from_secs(1), 1));
            let world = world.transpose();
            read_with(function);
            world.map(drop)
        });
        let read = reader.join();
        read.unwrap_or_else(|_| Err(Error::other("the thread panicked")))?;
        Ok::<_, Error>(begin.elapsed().as_secs_f64() * 1e9 / f64::from(READS))
    };

    // SAFETY: the name is a C string.
    let found = unsafe { libc::dlsym(libc::RTLD_NEXT, c"clock_gettime".as_ptr()) };
    if found.is_null() {
        return Err(Error::other("the C library has no clock_gettime"));
    }
    // SAFETY: this is what a function of this name looks like in every C library.
    let theirs = unsafe { std::mem::transmute::<*mut libc::c_void, Signature>(found) };
    let ours: Signature = libc::clock_gettime;

    let mut best = [f64::MAX; 3];
    for _ in 0..15 {
        best[0] = best[0].min(measured(theirs, false)?);
        best[1] = best[1].min(measured(ours, false)?);
        best[2] = best[2].min(measured(ours, true)?);
    }
    let [theirs, outside, inside] = best;
    println!("nanoseconds a read, the best of 15 rounds of {READS} reads:");
    println!("{theirs:6.1}  the C library's own");
    println!("{outside:6.1}  ours, outside a world");
    println!("{inside:6.1}  ours, inside a world");
    Ok(())
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn main() {
    println!("nothing is replaced here");
}
