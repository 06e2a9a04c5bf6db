//! Progress on a terminal: shown while it lasts, gone at the end, and nowhere else.

use std::{
    fs::File,
    io::Read as _,
    os::fd::OwnedFd,
    process::{Command, Stdio},
};

use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};

use crate::support::{PROGRAM, command, credsim, file, folder, good};

/// What a command wrote to a terminal as its standard error, and its exit code.
fn on_a_terminal(command: &mut Command) -> (String, i32) {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let ours = openpt(flags).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let theirs: OwnedFd = ioctl_tiocgptpeer(&ours, flags).unwrap();
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::from(theirs))
        .spawn()
        .unwrap();
    // The command still holds the other end of the terminal.
    command.stderr(Stdio::null());
    let (mut written, mut ours) = (Vec::new(), File::from(ours));
    // When the last one has closed it, Linux reports an error and no end.
    let _ = ours.read_to_end(&mut written);
    let code = child.wait().unwrap().code().unwrap();
    (String::from_utf8(written).unwrap(), code)
}

/// The lines that the terminal shows in the end: each carriage return writes over what stood there.
fn screen(written: &str) -> Vec<String> {
    let line = |line: &str| {
        let mut shown: Vec<char> = Vec::new();
        for part in line.split('\r') {
            for (at, letter) in part.chars().enumerate() {
                if at == shown.len() {
                    shown.push(letter);
                }
                shown[at] = letter;
            }
        }
        String::from_iter(shown).trim_end().to_owned()
    };
    written.split('\n').map(line).collect()
}

/// A scenario that takes three seconds of this machine's time on the engine `live`.
fn slow(name: &str) -> String {
    let slow = good()
        .replace("lasts = \"1m\"", "lasts = \"3s\"")
        .replace("every = \"30s\"", "every = \"1s\"");
    file(&folder(name), "slow.toml", &slow)
}

#[test]
fn a_terminal_shows_progress_and_keeps_none_of_it() {
    let slow = slow("terminal");
    let run = &mut command(PROGRAM);
    let (written, code) = on_a_terminal(run.args(["run", "--engine", "live", &slow]));
    assert_eq!(code, 0, "{written}");
    let told = written.matches("at 00:00:0").count();
    // The first comes after a second, and then ten come in each.
    assert!(told > 0, "{written:?}");
    let screen = screen(&written);
    assert!(screen[0].contains("slow.toml "), "{screen:#?}");
    for line in &screen {
        assert!(!line.contains("at 00:00:0"), "{screen:#?}");
    }
}

#[test]
fn a_file_and_a_pipe_get_no_progress() {
    let ran = credsim(&["run", "--engine", "live", &slow("pipe")]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(!ran.err.contains('\r'), "{:?}", ran.err);
    assert!(!ran.err.contains("at 00:00:0"), "{:?}", ran.err);
}
