//! `credsim`: replays Azure credential failures in virtual time, or for real.

use std::process::ExitCode;

use credsim::{cli::Cli, limits::Counting, live::command_links};
use mimalloc::MiMalloc;

/// A world allocates and frees small blocks of memory all the time, on a thread of its own, and
/// what it holds is limited.
#[global_allocator]
static ALLOCATOR: Counting<MiMalloc> = Counting(MiMalloc);

/// For how many milliseconds the allocator keeps freed memory before the system gets it back. In
/// its default, a second, a large run frees much of what it then asks for anew.
const PURGE_DELAY: std::ffi::c_long = 50;

/// The number of that option in the allocator's list, for which its crate has no name.
const PURGE_DELAY_OPTION: libmimalloc_sys::mi_option_t = 15;

#[allow(
    unsafe_code,
    reason = "a call into the allocator that sets one number of its own"
)]
fn return_freed_memory_soon() {
    // SAFETY: the option exists in this version of the allocator, may be set at any time, and takes
    // any number.
    unsafe { libmimalloc_sys::mi_option_set(PURGE_DELAY_OPTION, PURGE_DELAY) };
}

fn main() -> ExitCode {
    return_freed_memory_soon();
    let mut args = std::env::args_os();
    if let Some(command) = command_links::is_shim(args.next().as_deref()) {
        return command_links::run(command, args);
    }
    Cli::main(&[])
}
