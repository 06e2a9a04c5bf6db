//! Starts programs, reads their output, and waits for them with a time limit.

use std::{
    env,
    ffi::OsStr,
    fs,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, poll},
    io::ioctl_fionbio,
};

/// The path of the command under test.
pub const CREDSIM: &str = env!("CARGO_BIN_EXE_credsim");

/// The time limit of everything that is waited for, on a busy machine.
pub const LONG: Duration = Duration::from_secs(150);

/// The interval at which a condition is checked.
const AGAIN: Duration = Duration::from_millis(20);

/// The path of this test program.
pub fn this() -> PathBuf {
    env::current_exe().unwrap()
}

/// A command without the variables of the environment that change what is printed.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    for variable in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS"] {
        command.env_remove(variable);
    }
    command
}

/// A running program, and its output so far.
pub struct Running {
    child: Child,
    out: Said,
    err: Said,
}

/// How a program ended.
pub struct Ended {
    pub status: ExitStatus,
    pub out: String,
    pub err: String,
}

impl Ended {
    /// Its exit code; none if a signal ended it.
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Asserts that it ended with `code`.
    #[track_caller]
    pub fn with(self, code: i32) -> Self {
        assert_eq!(self.code(), Some(code), "{}\n{}", self.out, self.err);
        self
    }

    /// Asserts that standard error holds all of `parts`.
    #[track_caller]
    pub fn prints(&self, parts: &[&str]) {
        for part in parts {
            assert!(self.err.contains(part), "no {part:?} in:\n{}", self.err);
        }
    }
}

impl Running {
    /// Starts it, without input.
    pub fn start(command: &mut Command) -> Self {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let out = Said::of(child.stdout.take().unwrap());
        let err = Said::of(child.stderr.take().unwrap());
        Self { child, out, err }
    }

    /// The number of its process.
    pub fn id(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_child(&self.child)
    }

    /// Waits until standard error holds `part`, and returns standard output by then.
    pub fn when_it_prints(&mut self, part: &str) -> String {
        let mut is_over = false;
        soon(
            || {
                let over_before = is_over;
                is_over = self.child.try_wait().unwrap().is_some();
                let says = self.err.now().contains(part);
                assert!(says || !over_before, "it has ended: {}", self.err.now());
                says
            },
            || format!("it never prints {part:?}, but: {}", self.err.now()),
        );
        self.out.now()
    }

    /// Returns standard error so far.
    pub fn stderr(&self) -> String {
        self.err.now()
    }

    /// Waits for its end, but not for processes that have inherited its pipes.
    pub fn end(mut self) -> Ended {
        let mut status = None;
        soon(
            || {
                status = self.child.try_wait().unwrap();
                status.is_some()
            },
            || format!("it does not end; it printed: {}", self.err.now()),
        );
        Ended {
            status: status.unwrap(),
            out: self.out.whole(),
            err: self.err.whole(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended, unless the test has failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs it to its end.
pub fn finish(command: &mut Command) -> Ended {
    Running::start(command).end()
}

/// Waits until `done`, and fails with `why` if that takes too long.
#[track_caller]
pub fn soon(mut done: impl FnMut() -> bool, why: impl Fn() -> String) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < LONG, "{}", why());
        thread::sleep(AGAIN);
    }
}

/// What comes out of a pipe.
struct Said {
    pipe: OwnedFd,
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Said {
    fn of(pipe: impl Into<OwnedFd>) -> Self {
        let pipe = pipe.into();
        ioctl_fionbio(&pipe, true).unwrap();
        let bytes: Arc<Mutex<Vec<u8>>> = Arc::default();
        let (from, into) = (pipe.try_clone().unwrap(), bytes.clone());
        let reader = thread::spawn(move || {
            loop {
                // The lock is held while bytes are moved, and not while they are waited for.
                let mut readable = [PollFd::new(&from, PollFlags::IN)];
                let _ = poll(&mut readable, None);
                if take(&from, &mut into.lock().unwrap()) == Ok(0) {
                    return;
                }
            }
        });
        Self {
            pipe,
            bytes,
            reader: Some(reader),
        }
    }

    /// Returns what was written until now.
    fn now(&self) -> String {
        let mut bytes = self.bytes.lock().unwrap();
        while take(&self.pipe, &mut bytes).is_ok_and(|read| read > 0) {}
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// All of it, if every process closes the pipe within a few seconds.
    fn whole(&mut self) -> String {
        let reader = self.reader.take().unwrap();
        let start = Instant::now();
        while !reader.is_finished() && start.elapsed() < Duration::from_secs(5) {
            thread::sleep(AGAIN);
        }
        self.now()
    }
}

/// Reads some bytes if there are any, and returns how many: 0 at the end.
fn take(pipe: &OwnedFd, into: &mut Vec<u8>) -> rustix::io::Result<usize> {
    let mut piece = [0; 4096];
    let read = rustix::io::read(pipe, &mut piece)?;
    into.extend_from_slice(&piece[..read]);
    Ok(read)
}

/// An empty folder for one test. Its path is short, for sockets are made in it.
pub struct Folder(tempfile::TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(tempfile::Builder::new().prefix("live-").tempdir().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// A file in it.
    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }
}
