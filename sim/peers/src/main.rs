//! `credsim-peers`: credsim with clients of others as subjects.

use std::{alloc::System, process::ExitCode, sync::Arc};

use credsim::{cli::Cli, limits::Counting, live::command_links};
use credsim_peers::{AzureIdentity, IdentityInterposed, RedisRs};

/// Without it `--limit-memory` would count nothing.
#[global_allocator]
static ALLOCATOR: Counting<System> = Counting(System);

fn main() -> ExitCode {
    let mut args = std::env::args_os();
    if let Some(command) = command_links::is_shim(args.next().as_deref()) {
        return command_links::run(command, args);
    }
    Cli::main(&[
        Arc::new(AzureIdentity),
        Arc::new(RedisRs),
        Arc::new(IdentityInterposed),
    ])
}
