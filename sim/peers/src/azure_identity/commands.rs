//! Starts the commands of its credentials on a simulated host.

use std::{
    ffi::OsStr,
    fmt, io,
    os::unix::process::ExitStatusExt as _,
    process::{ExitStatus, Output},
    sync::{Mutex, PoisonError},
};

use azure_identity::Executor;
use credsim_identity::platform::{Command, CommandError, CommandOutput, Platform, TaskHandle};
use tokio::sync::oneshot;

/// What a shell exits with if there is no such command.
const NOT_FOUND: i32 = 127;

/// Runs the one kind of line that the crate hands to a shell (CLI-01): `cd /bin && COMMAND`.
pub struct Commands {
    platform: Platform,
    /// A command goes on when nobody waits for it any more: the crate's own executor doesn't kill
    /// it either.
    started: Mutex<Vec<TaskHandle>>,
}

impl Commands {
    /// Starts commands on the host of `platform`.
    pub fn new(platform: &Platform) -> Self {
        Self {
            platform: platform.clone(),
            started: Mutex::default(),
        }
    }
}

impl fmt::Debug for Commands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Commands")
    }
}

#[async_trait::async_trait]
impl Executor for Commands {
    async fn run(&self, program: &OsStr, args: &[&OsStr]) -> io::Result<Output> {
        let command = command(program, args)?;
        let name = command.program.clone();
        let running = self.platform.commands.run(command);
        let (give, get) = oneshot::channel();
        let work = self.platform.spawner.spawn(Box::pin(async move {
            // Nobody may be waiting any more.
            let _ = give.send(running.await);
        }));
        let started = self.started.lock();
        started.unwrap_or_else(PoisonError::into_inner).push(work);
        match get.await {
            Ok(Ok(output)) => Ok(ended(output)),
            Ok(Err(CommandError::NotFound)) => Ok(not_found(&name)),
            Ok(Err(error)) => Err(io::Error::other(error)),
            Err(_) => Err(io::Error::other("the host went down")),
        }
    }
}

/// The command in `/bin/sh -c "cd /bin && COMMAND"`. The crate lets no character into it that
/// would mean something to a shell.
fn command(shell: &OsStr, args: &[&OsStr]) -> io::Result<Command> {
    let line = match args {
        [option, line] if shell == "/bin/sh" && *option == "-c" => line.to_str(),
        _ => None,
    };
    let line = line.and_then(|line| line.strip_prefix("cd /bin && "));
    let mut words = line.unwrap_or_default().split(' ').map(str::to_owned);
    match words.next() {
        Some(program) if !program.is_empty() => Ok(Command {
            program,
            args: words.collect(),
            env: Vec::new(),
        }),
        _ => Err(io::Error::other(
            "the crate was expected to run `/bin/sh -c \"cd /bin && COMMAND\"`: \
             src/azure_identity/commands.rs has to learn what it runs now",
        )),
    }
}

fn ended(output: CommandOutput) -> Output {
    Output {
        // The low byte is for signals.
        status: ExitStatus::from_raw(output.code.map_or(9, |code| code << 8)),
        stdout: output.stdout,
        stderr: output.stderr,
    }
}

fn not_found(program: &str) -> Output {
    Output {
        status: ExitStatus::from_raw(NOT_FOUND << 8),
        stdout: Vec::new(),
        stderr: format!("/bin/sh: 1: {program}: not found\n").into_bytes(),
    }
}
