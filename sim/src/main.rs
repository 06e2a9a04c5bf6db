//! `credsim`: replays Azure credential failures in virtual time, or for real.

use std::process::ExitCode;

use clap::Parser as _;
use credsim::{cli::Cli, live::command_links};

fn main() -> ExitCode {
    let mut args = std::env::args_os();
    if let Some(command) = command_links::is_shim(args.next().as_deref()) {
        return command_links::run(command, args);
    }
    Cli::parse().run(&[])
}
