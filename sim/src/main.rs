//! `credsim`: replays Azure credential failures in virtual time, or for real.

use std::process::ExitCode;

use clap::Parser as _;
use credsim::{cli::Cli, door::shims};

fn main() -> ExitCode {
    let mut args = std::env::args_os();
    if let Some(command) = shims::is_shim(args.next().as_deref()) {
        return shims::run(command, args);
    }
    Cli::parse().run(&[])
}
