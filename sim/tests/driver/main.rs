//! Drivers: use of one that works, and handling of those that break the protocol.
//!
//! This program is its own fake driver: `driver --as-driver CASE` speaks the protocol, with the
//! deviations that [`fake`] defines for the case.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test"
)]

mod ending;
mod fake;
mod javascript;
mod starting;
mod support;
mod talking;

use std::{env, process::ExitCode};

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    if arguments.next().as_deref() == Some("--as-driver") {
        fake::run(&arguments.next().unwrap_or_default());
        return ExitCode::SUCCESS;
    }
    let arguments = Arguments::from_args();
    let cases = [starting::ALL, talking::ALL, ending::ALL].concat();
    let mut trials: Vec<Trial> = cases
        .into_iter()
        .map(|(name, case)| {
            Trial::test(name, move || {
                support::soon(case);
                Ok(())
            })
        })
        .collect();
    trials.extend(javascript::trials());
    libtest_mimic::run(&arguments, trials).exit_code()
}
