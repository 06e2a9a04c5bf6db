//! The command's side: `az` and its like, as a process.

use std::{
    ffi::OsStr,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::net::UnixStream,
    path::Path,
    process::ExitCode,
};

use super::{Called, Does, SOCKET};
use crate::command::Program;

/// The simulated command that a process with this first argument is, if it is one.
pub fn is_shim(argv0: Option<&OsStr>) -> Option<&'static str> {
    let name = Path::new(argv0?).file_stem()?.to_str()?;
    Program::parse(name).map(Program::name)
}

/// Does what the world says that `command` does. Standard input is never read: some callers leave
/// it open.
pub fn run(command: &str, args: impl Iterator<Item = std::ffi::OsString>) -> ExitCode {
    let args = args.map(|arg| arg.to_string_lossy().into_owned());
    let does = ask(command, args.collect()).unwrap_or_else(|why| Does {
        code: 1,
        stdout: String::new(),
        stderr: format!("{command}: this is the one that credsim simulates, and {why}\n"),
    });
    // The reader has closed the pipe: the error is of no use.
    let _ = std::io::stdout().write_all(does.stdout.as_bytes());
    let _ = std::io::stderr().write_all(does.stderr.as_bytes());
    ExitCode::from(u8::try_from(does.code & 0xff).unwrap_or(1))
}

fn ask(command: &str, args: Vec<String>) -> Result<Does, String> {
    #[expect(clippy::disallowed_methods, reason = "a process of this machine")]
    let variable = |name: &str| std::env::var_os(name);
    let socket = variable(SOCKET).ok_or_else(|| format!("{SOCKET} does not say of which world"))?;
    let gone = |error: std::io::Error| format!("its world does not answer: {error}");
    let mut stream = UnixStream::connect(socket).map_err(gone)?;
    let variables = Program::parse(command).map_or(&[][..], Program::variables);
    let env = variables.iter().filter_map(|name| {
        let value = variable(name)?;
        Some(((*name).to_owned(), value.to_string_lossy().into_owned()))
    });
    let called = Called {
        program: command.to_owned(),
        args,
        env: env.collect(),
    };
    // Texts only: writing them cannot fail.
    let mut line = serde_json::to_string(&called).unwrap_or_default();
    line.push('\n');
    stream.write_all(line.as_bytes()).map_err(gone)?;
    let mut answer = String::new();
    BufReader::new(stream)
        .read_line(&mut answer)
        .map_err(gone)?;
    serde_json::from_str(&answer).map_err(|_| "its world has ended".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_decides() {
        let shim = |name: &str| is_shim(Some(OsStr::new(name)));
        assert_eq!(shim("/tmp/x/az"), Some("az"));
        assert_eq!(shim("pwsh"), Some("pwsh"));
        assert_eq!(shim("/usr/bin/credsim"), None);
        assert_eq!(shim("azure"), None);
        assert_eq!(is_shim(None), None);
    }
}
