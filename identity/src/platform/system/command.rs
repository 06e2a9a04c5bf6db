//! Other programs of the real machine.

use std::{
    io,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _},
    process,
};

use crate::platform::{BoxFuture, Command, CommandError, CommandOutput, CommandRunner};

/// The suffixes of programs, in the order in which they are tried.
const SUFFIXES: &[&str] = if cfg!(windows) {
    &[".exe", ".cmd", ".bat"]
} else {
    &[""]
};

/// The working folder of commands. Some systems look for programs and configuration there, so it
/// must not be one that other users can write to.
const WORKING_FOLDER: &str = if cfg!(windows) { "C:\\" } else { "/" };

/// The limit of the output to each pipe, in bytes. Tokens are far smaller.
const OUTPUT_LIMIT: usize = 1024 * 1024;

/// How long the pipes are read after the end of a program. They stay open while a child that the
/// program left behind holds them; the output of the program itself has been read by then.
const GRACE: Duration = Duration::from_millis(500);

/// Starts processes with tokio.
pub(super) struct SystemCommands;

impl CommandRunner for SystemCommands {
    fn run(&self, command: Command) -> BoxFuture<'static, Result<CommandOutput, CommandError>> {
        Box::pin(run(command))
    }
}

async fn run(command: Command) -> Result<CommandOutput, CommandError> {
    let program = find_on_path(&command.program).ok_or(CommandError::NotFound)?;
    let mut process = process::Command::new(program);
    process
        .args(&command.args)
        .envs(command.env)
        .current_dir(WORKING_FOLDER)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    // A process group of its own, so that its children can be killed with it.
    #[cfg(unix)]
    process.process_group(0);
    let mut child = process
        .spawn()
        .map_err(|error| CommandError::Start(error.to_string()))?;
    let group = Group::of(&child);
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let code = {
        let mut printed = std::pin::pin!(async {
            tokio::try_join!(read(out, &mut stdout), read(err, &mut stderr))
        });
        let lost = |error: io::Error| CommandError::Output(error.to_string());
        let (status, is_read) = tokio::select! { biased;
            done = &mut printed => {
                done.map_err(lost)?;
                (child.wait().await, true)
            }
            status = child.wait() => match tokio::time::timeout(GRACE, printed).await {
                Ok(done) => {
                    done.map_err(lost)?;
                    (status, true)
                }
                Err(_) => (status, false),
            }
        };
        if is_read {
            // The program has ended, and its group id may be reused.
            group.forget();
        } else {
            // Kills the group now: the children that hold the pipes keep its id from being reused.
            drop(group);
        }
        status.map_err(lost)?.code()
    };
    Ok(CommandOutput {
        code,
        stdout,
        stderr,
    })
}

/// Reads `pipe` to its end. `into` holds what has been read even if the future is dropped.
async fn read(pipe: Option<impl AsyncRead + Unpin>, into: &mut Vec<u8>) -> io::Result<()> {
    let Some(mut pipe) = pipe else { return Ok(()) };
    while pipe.read_buf(into).await? > 0 {
        if into.len() > OUTPUT_LIMIT {
            let why = format!("it is longer than {OUTPUT_LIMIT} bytes");
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, why));
        }
    }
    Ok(())
}

/// Returns the path of the program with this name on the `PATH`.
pub(super) fn find_on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    find(program, std::env::split_paths(&path), is_program)
}

/// Returns the first file called `program` in `folders` for which `is_program` holds. Relative
/// folders are ignored: what they hold depends on the current folder.
fn find(
    program: &str,
    folders: impl Iterator<Item = PathBuf>,
    is_program: impl Fn(&Path) -> bool,
) -> Option<PathBuf> {
    folders
        .filter(|folder| folder.is_absolute())
        .flat_map(|folder| {
            SUFFIXES
                .iter()
                .map(move |suffix| folder.join(format!("{program}{suffix}")))
        })
        .find(|file| is_program(file))
}

#[cfg(unix)]
fn is_program(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    file.metadata()
        .is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(file: &Path) -> bool {
    file.is_file()
}

/// Kills a process group when it is dropped. On other systems than Unix, tokio kills the process
/// alone.
struct Group {
    #[cfg(unix)]
    leader: Option<rustix::process::Pid>,
}

impl Group {
    #[cfg(unix)]
    fn of(child: &process::Child) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Self {
            leader: id.and_then(rustix::process::Pid::from_raw),
        }
    }

    #[cfg(unix)]
    fn forget(mut self) {
        self.leader = None;
    }

    #[cfg(not(unix))]
    fn of(_: &process::Child) -> Self {
        Self {}
    }

    #[cfg(not(unix))]
    fn forget(self) {}
}

#[cfg(unix)]
impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.leader {
            // Fails if the group has ended already.
            let _ = rustix::process::kill_process_group(leader, rustix::process::Signal::KILL);
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    fn shell(script: &str) -> Command {
        Command {
            program: "sh".to_owned(),
            args: vec!["-c".to_owned(), script.to_owned()],
            env: vec![("CREDSIM_TEST".to_owned(), "set".to_owned())],
        }
    }

    #[tokio::test]
    async fn a_program_runs_with_its_arguments_and_without_input() {
        let script = "cat; printf \"$CREDSIM_TEST \"; pwd; echo oops >&2; exit 3";
        let output = SystemCommands.run(shell(script)).await.unwrap();
        assert_eq!(output.code, Some(3));
        assert_eq!(output.stdout, b"set /\n");
        assert_eq!(output.stderr, b"oops\n");
        assert!(!format!("{output:?}").contains("oops"));
    }

    #[tokio::test]
    async fn what_is_not_on_the_path_is_not_found() {
        let command = Command {
            program: "no-such-tool".to_owned(),
            ..shell("")
        };
        assert_eq!(
            SystemCommands.run(command).await,
            Err(CommandError::NotFound)
        );
        let nowhere = find("sh", [PathBuf::from("bin")].into_iter(), |_| true);
        assert_eq!(nowhere, None, "a relative folder is no place for programs");
    }

    #[tokio::test]
    async fn endless_output_is_an_error() {
        for script in ["exec cat /dev/zero", "exec cat /dev/zero >&2"] {
            let error = SystemCommands.run(shell(script)).await.unwrap_err();
            assert!(matches!(error, CommandError::Output(_)), "{error}");
            assert!(error.to_string().contains("longer than"), "{error}");
        }
        let script = format!("head -c {OUTPUT_LIMIT} /dev/zero");
        let output = SystemCommands.run(shell(&script)).await.unwrap();
        assert_eq!(output.stdout.len(), OUTPUT_LIMIT);
    }

    /// The end of a program counts, even if a child of it keeps the pipes open.
    #[tokio::test]
    async fn a_child_that_holds_the_pipes_is_not_waited_for() {
        let mark = std::env::temp_dir().join(format!("credsim-{}-left", std::process::id()));
        let _ = std::fs::remove_file(&mark);
        let script = format!("(sleep 2; touch '{}') & echo done", mark.display());
        let start = Instant::now();
        let output = SystemCommands.run(shell(&script)).await.unwrap();
        assert_eq!((output.code, &*output.stdout), (Some(0), &b"done\n"[..]));
        assert!(start.elapsed() < Duration::from_millis(1800));
        tokio::time::sleep(Duration::from_millis(2500)).await;
        assert!(!mark.exists(), "the child that was left behind lived on");
    }

    /// PR-15: killed with its children.
    #[tokio::test]
    async fn dropping_the_run_kills_the_children_too() {
        let folder = std::env::temp_dir();
        let mark = folder.join(format!("credsim-{}-child", std::process::id()));
        let _ = std::fs::remove_file(&mark);
        let script = format!("(sleep 1; touch '{}') & sleep 60", mark.display());
        let run = SystemCommands.run(shell(&script));
        let start = Instant::now();
        assert!(
            tokio::time::timeout(Duration::from_millis(300), run)
                .await
                .is_err()
        );
        tokio::time::sleep(Duration::from_millis(1500)).await;
        assert!(start.elapsed() < Duration::from_secs(30));
        assert!(!mark.exists(), "the child of the killed process lived on");
    }
}
