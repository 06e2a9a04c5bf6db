//! The process of a driver: its start and its certain end.

use std::{
    ffi::OsString,
    path::PathBuf,
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio},
    sync::{Mutex, PoisonError},
};

/// A started program. It leads a process group of its own, so that what it starts ends with it.
pub struct Process(Mutex<Child>);

/// The ends of its pipes.
pub struct Pipes {
    pub input: ChildStdin,
    pub output: ChildStdout,
    pub errors: ChildStderr,
}

impl Process {
    /// Starts `program` with exactly `environment`.
    pub fn start(
        program: &[String],
        environment: &[(OsString, OsString)],
    ) -> Result<(Self, Pipes), String> {
        let (name, arguments) = program.split_first().ok_or("no program is named")?;
        #[expect(
            clippy::disallowed_methods,
            reason = "a real SDK runs on the real machine"
        )]
        let mut command = Command::new(find(name)?);
        command
            .args(arguments)
            .env_clear()
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn().map_err(|error| error.to_string())?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let process = Self(Mutex::new(child));
        if let (Some(input), Some(output), Some(errors)) = pipes {
            let pipes = Pipes {
                input,
                output,
                errors,
            };
            return Ok((process, pipes));
        }
        process.end();
        Err("it has no pipes".to_owned())
    }

    /// How it ended, if it has. It stays a zombie, so that the number of its group is not given to
    /// somebody else before [`end`](Self::end).
    #[cfg(unix)]
    pub fn ended(&self) -> Option<String> {
        use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
        let id = i32::try_from(self.child().id())
            .ok()
            .and_then(Pid::from_raw)?;
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let status = waitid(WaitId::Pid(id), options).ok()??;
        match (status.exit_status(), status.terminating_signal()) {
            (Some(code), _) => Some(format!("exit status {code}")),
            (None, Some(signal)) => Some(format!("signal {signal}")),
            (None, None) => None,
        }
    }

    /// How it ended, if it has.
    #[cfg(not(unix))]
    pub fn ended(&self) -> Option<String> {
        let status = self.child().try_wait().ok()??;
        Some(status.to_string())
    }

    /// Kills it, and what it started, if any of it is still there.
    pub fn end(&self) {
        let mut child = self.child();
        #[cfg(unix)]
        if let Some(group) = i32::try_from(child.id())
            .ok()
            .and_then(rustix::process::Pid::from_raw)
        {
            // It fails if the process has ended already.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        let _ = child.kill();
        let _ = child.wait();
    }

    fn child(&self) -> std::sync::MutexGuard<'_, Child> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The file of a program. It is looked for where this process would find it: the `PATH` that a
/// driver gets is the scenario's, and may hold nothing but simulated commands.
fn find(program: &str) -> Result<PathBuf, String> {
    let is_path = program.contains(std::path::is_separator);
    if is_path || cfg!(windows) {
        return Ok(PathBuf::from(program));
    }
    #[expect(
        clippy::disallowed_methods,
        reason = "where the real machine keeps its programs"
    )]
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
        .ok_or_else(|| "there is no such program on the PATH".to_owned())
}
