//! The simulated commands as executables: hard links to `credsim` itself, which knows by the name
//! it was called with which of them it is, and asks the running world over a socket.

mod client;
mod server;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::command::Program;

pub use client::{is_shim, run};
pub(crate) use server::{Place, serve};

/// The variable that tells a simulated command where its world is.
pub const SOCKET: &str = "CREDSIM_WORLD";

/// What a simulated command was called with.
#[derive(Debug, Deserialize, Serialize)]
struct Called {
    program: String,
    args: Vec<String>,
    env: Vec<(String, String)>,
}

/// What it does.
#[derive(Deserialize, Serialize)]
struct Does {
    code: i32,
    stdout: String,
    stderr: String,
}

/// Puts links for `programs` into `folder`.
///
/// # Errors
/// They cannot be put there.
pub(crate) fn install(
    executable: &Path,
    folder: &Path,
    programs: impl IntoIterator<Item = Program>,
) -> io::Result<()> {
    for program in programs {
        let link = folder.join(program.name());
        // Another file system, or one that forbids links to files of others: a symbolic link tells
        // the name it was called with just as well.
        fs::hard_link(executable, &link)
            .or_else(|_| std::os::unix::fs::symlink(executable, &link))?;
    }
    Ok(())
}

/// The executable that the commands are links to.
///
/// # Errors
/// The operating system does not tell.
pub(crate) fn executable() -> io::Result<PathBuf> {
    std::env::current_exe()
}
