//! Standard output and standard error.

use std::{
    io::{self, IsTerminal as _, Write},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anstream::AutoStream;
use anstyle::{AnsiColor, Style};
use clap::ColorChoice;

use super::{exit, progress::StatusLine};
use crate::redact::{escaped_lines, masked, without_commands};

const ERROR: Style = AnsiColor::Red.on_default().bold();
const HELP: Style = AnsiColor::Cyan.on_default().bold();

/// Where the command writes. Styles are stripped where they are not wanted.
///
/// A reader that goes away (`credsim list | head`) is no error.
pub struct Console {
    out: AutoStream<io::Stdout>,
    err: AutoStream<io::Stderr>,
    choice: anstream::ColorChoice,
    /// Why data could not be written: the first reason, here or in another one like this.
    failed: Arc<Mutex<Option<io::Error>>>,
    /// Shows progress, and is erased before anything else is written.
    status: StatusLine,
}

impl Console {
    /// The console of this process.
    pub fn new(color: ColorChoice) -> Self {
        let choice = match color {
            ColorChoice::Auto => anstream::ColorChoice::Auto,
            ColorChoice::Always => anstream::ColorChoice::Always,
            ColorChoice::Never => anstream::ColorChoice::Never,
        };
        let terminal = io::stderr().is_terminal();
        let terminal = terminal.then(|| Box::new(io::stderr()) as Box<dyn Write + Send>);
        Self::with(choice, Arc::default(), StatusLine::on(terminal))
    }

    /// Another one like this, for another thread. Data that it loses is this one's loss, too.
    pub fn another(&self) -> Self {
        Self::with(self.choice, self.failed.clone(), self.status.clone())
    }

    /// The line on which progress is shown.
    pub(super) fn status(&self) -> StatusLine {
        self.status.clone()
    }

    fn with(
        choice: anstream::ColorChoice,
        failed: Arc<Mutex<Option<io::Error>>>,
        status: StatusLine,
    ) -> Self {
        Self {
            choice,
            out: AutoStream::new(io::stdout(), choice),
            err: AutoStream::new(io::stderr(), choice),
            failed,
            status,
        }
    }

    /// Data, to standard output.
    pub fn data(&mut self, text: &str) {
        if self.failed().is_some() {
            return;
        }
        // Standard output may be the same terminal.
        let _erased = self.status.erase();
        let written = self
            .out
            .write_all(text.as_bytes())
            .and_then(|()| self.out.flush());
        *self.failed() = written
            .err()
            .filter(|error| error.kind() != io::ErrorKind::BrokenPipe);
    }

    fn failed(&self) -> MutexGuard<'_, Option<io::Error>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The end: what to exit with, which is a failure of the command if data got lost.
    pub fn finish(&mut self, code: u8) -> u8 {
        let failed = self.failed().take();
        let Some(error) = failed else {
            return code;
        };
        self.error(
            &format!("standard output can't be written: {error}"),
            Some("what was printed there is incomplete"),
        );
        exit::first_of(&[code, exit::HARNESS])
    }

    /// Text for people, to standard error. GitHub Actions reads it too, and must not find a command
    /// in what a file or a client wrote.
    pub fn say(&mut self, text: &str) {
        let _erased = self.status.erase();
        let _ = self.err.write_all(without_commands(text).as_bytes());
    }

    /// Text for people, to standard output.
    pub fn show(&mut self, text: &str) {
        self.data(&without_commands(text));
    }

    /// Something is wrong, and what to do about it.
    pub fn error(&mut self, message: &str, help: Option<&str>) {
        let message = masked(message);
        let message = escaped_lines(&message);
        self.say(&format!("{ERROR}error{ERROR:#}: {message}\n"));
        if let Some(help) = help {
            let help = escaped_lines(help);
            self.say(&format!("{HELP}help{HELP:#}: {help}\n"));
        }
    }
}
