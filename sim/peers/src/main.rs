//! `credsim-peers`: credsim with clients of others as subjects.

use std::{process::ExitCode, sync::Arc};

use clap::Parser as _;
use credsim::cli::Cli;
use credsim_peers::RedisRs;

fn main() -> ExitCode {
    Cli::parse().run(&[Arc::new(RedisRs)])
}
