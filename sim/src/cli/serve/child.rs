//! The command that runs in a served world, with everything that it starts.

use std::{
    ffi::OsString,
    io::{self, IsTerminal as _},
    os::unix::process::ExitStatusExt as _,
    path::PathBuf,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tokio::process::{Child, Command};

use super::super::launch::tethered;

/// How long processes may take to end when they are asked to.
const GRACE: Duration = Duration::from_secs(2);

/// How often they are looked at meanwhile.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// A running command. Dropping it kills its whole process group.
pub struct Running {
    child: Child,
    group: Option<Pid>,
}

impl Running {
    /// Starts it with exactly this environment, in a process group of its own.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(command: &[OsString], environment: &[(OsString, OsString)]) -> io::Result<Self> {
        let (program, args) = command
            .split_first()
            .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        // In a group of its own it may not read from the terminal.
        let input = if io::stdin().is_terminal() {
            Stdio::null()
        } else {
            Stdio::inherit()
        };
        let program = found(program, environment).ok_or(io::ErrorKind::NotFound)?;
        // Its descendants are ended with the group; it alone ends if this process is killed. Linux
        // ties it to the thread that starts it, not to the process: that of the world, which
        // outlives the visit.
        let (program, args) = tethered(&program, args)?;
        #[expect(clippy::disallowed_methods, reason = "a process of this machine")]
        let mut command = Command::new(program);
        let child = command
            .args(args)
            .env_clear()
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(input)
            .process_group(0)
            .spawn()?;
        let group = child.id().and_then(|id| i32::try_from(id).ok());
        Ok(Self {
            group: group.and_then(Pid::from_raw),
            child,
        })
    }

    /// Its exit code, as a shell tells it: 128 and the signal's number for one that was killed.
    pub async fn exit(&mut self) -> io::Result<u8> {
        let status = self.child.wait().await?;
        Ok(code(status))
    }

    /// Asks the whole group to end, then kills what is left of it.
    pub async fn end(&mut self) {
        self.signal(Signal::TERM);
        let mut left = GRACE;
        // The command itself has to be waited for, or it counts as there.
        while self.is_there() && !left.is_zero() {
            let _ = self.child.try_wait();
            #[expect(clippy::disallowed_methods, reason = "a process of this machine")]
            tokio::time::sleep(LOOK_AGAIN).await;
            left = left.saturating_sub(LOOK_AGAIN);
        }
        self.signal(Signal::KILL);
    }

    /// Whether a process of the group still runs.
    fn is_there(&self) -> bool {
        self.group
            .is_some_and(|group| test_kill_process_group(group).is_ok())
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.group {
            // It fails if the group has ended, which is what is wanted.
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

/// The program as the environment's own PATH finds it: a simulated `az` comes before a real one.
/// None if there is none.
fn found(program: &OsString, environment: &[(OsString, OsString)]) -> Option<PathBuf> {
    if program.to_string_lossy().contains('/') {
        return Some(program.into());
    }
    let (_, path) = environment.iter().find(|(name, _)| name == "PATH")?;
    std::env::split_paths(path)
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file())
}

fn code(status: ExitStatus) -> u8 {
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}
