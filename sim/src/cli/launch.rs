//! Processes that end with the one that started them, even where that is killed.
//!
//! Linux sends a process a signal when its parent dies, if the process has asked for it; nothing
//! else outlives a `SIGKILL` of the parent. Asking between fork and exec needs unsafe code, so the
//! command starts itself, asks, and then becomes the other program. On other systems processes are
//! started as they are.

use std::{
    ffi::OsString,
    io,
    path::{Path, PathBuf},
};

use super::{Console, exit};

/// The name of the subcommand.
pub(super) const NAME: &str = "launch-child";

/// What `launch-child` is asked.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The process that must be the parent
    parent: u32,
    /// The program and its arguments
    #[arg(last = true, required = true, value_name = "CMD")]
    command: Vec<OsString>,
}

/// Becomes the program, after asking for a signal at the parent's end. Returns only if it can't.
pub fn run(args: &Args, console: &mut Console) -> u8 {
    if !end_with_parent(args.parent) {
        return exit::HARNESS;
    }
    let error = become_command(&args.command);
    let name = args.command.first().map(|name| name.to_string_lossy());
    let name = name.unwrap_or_default();
    console.error(&format!("{name} cannot be started: {error}"), None);
    // As a shell says it.
    127
}

/// From now on this process is killed when the one that started it ends. Returns whether that is
/// still `parent`: otherwise it has ended before.
pub(super) fn end_with_parent(parent: u32) -> bool {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Signal, getppid, set_parent_process_death_signal};
        // Where the system refuses, the process is merely not ended.
        let _ = set_parent_process_death_signal(Some(Signal::KILL));
        // Asked after it: a parent that ends from now on sends the signal.
        getppid().is_some_and(|now| u32::try_from(now.as_raw_pid()) == Ok(parent))
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = parent;
        true
    }
}

#[cfg(unix)]
#[expect(clippy::disallowed_methods, reason = "a process of this machine")]
fn become_command(command: &[OsString]) -> io::Error {
    use std::os::unix::process::CommandExt as _;
    let Some((program, args)) = command.split_first() else {
        return io::ErrorKind::InvalidInput.into();
    };
    std::process::Command::new(program).args(args).exec()
}

#[cfg(not(unix))]
fn become_command(_: &[OsString]) -> io::Error {
    io::ErrorKind::Unsupported.into()
}

/// The command line that starts `program` with `args` so that it ends with this process.
///
/// # Errors
/// There is no such program, or it can't be run.
#[expect(clippy::disallowed_methods, reason = "a program of this machine")]
pub(super) fn tethered(program: &Path, args: &[OsString]) -> io::Result<(PathBuf, Vec<OsString>)> {
    if !cfg!(target_os = "linux") {
        return Ok((program.to_owned(), args.to_vec()));
    }
    // Said here, where it can be told from a program that ends with the same code.
    #[cfg(unix)]
    {
        let metadata = std::fs::metadata(program)?;
        rustix::fs::access(program, rustix::fs::Access::EXEC_OK)?;
        if metadata.is_dir() {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
    }
    let mut line = vec![
        NAME.into(),
        std::process::id().to_string().into(),
        "--".into(),
        program.as_os_str().to_owned(),
    ];
    line.extend_from_slice(args);
    // The program of this process, even if its file has been replaced.
    Ok((PathBuf::from("/proc/self/exe"), line))
}
