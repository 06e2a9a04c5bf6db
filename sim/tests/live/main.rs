//! Real time, real sockets, real processes. Each scenario of the folder `live` is played
//!
//! - `engine/NAME`: by `identity` in this process, on the live engine;
//! - `identity/NAME`: by `identity` as an application has it: another process, the real HTTP client
//!   and TLS, real executables for the commands;
//! - `javascript/NAME`: by the published SDK, behind its driver.
//!
//! `node-redis/NAME` is an app with the published Redis client in a world that is served.
//! `serve/...` is `credsim serve` as a user runs it.
//!
//! This program is its own driver (`live driver`) and its own client (`live client ...`).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test, of what is real"
)]

mod bundled;
mod client;
mod dates;
#[path = "../library/differential.rs"]
mod differential;
mod driver;
mod engine;
mod identity;
mod javascript;
#[path = "../library/play.rs"]
mod play;
mod process;
mod redis;
mod serve;
mod trust;

use std::{env, process::ExitCode};

use libtest_mimic::Arguments;

/// How many trials run at once: most of the time they wait.
const AT_ONCE: usize = 12;

fn main() -> ExitCode {
    let mut words = env::args().skip(1);
    match words.next().as_deref() {
        Some("driver") => return driver::run(),
        Some("client") => return client::run(words),
        _ => {}
    }
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(AT_ONCE);
    let trials = [
        dates::trials(),
        engine::trials(),
        identity::trials(),
        javascript::trials(),
        redis::trials(),
        serve::trials(),
    ];
    libtest_mimic::run(&arguments, trials.into_iter().flatten().collect()).exit_code()
}
