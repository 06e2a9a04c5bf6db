//! The command as a user runs it: every subcommand, every exit code, every form of output.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]
#![allow(
    clippy::disallowed_methods,
    reason = "these tests start processes and read files"
)]

mod asked;
mod evidence;
mod exits;
mod files;
mod formats;
mod limits;
mod planted;
#[cfg(target_os = "linux")]
mod progress;
mod reading;
mod support;
