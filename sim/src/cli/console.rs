//! Standard output and standard error.

use std::{
    borrow::Cow,
    io::{self, IsTerminal as _, Write},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anstream::{AutoStream, adapter::strip_str};
use anstyle::{AnsiColor, Style};
use clap::ColorChoice;

use super::{exit, progress::StatusLine};
use crate::redact::{escaped_lines, masked, without_commands};

const ERROR: Style = AnsiColor::Red.on_default().bold();
const HELP: Style = AnsiColor::Cyan.on_default().bold();

/// Where the command writes, each text with one call, so that no other process gets into a line.
/// Styles are stripped where they are not wanted.
///
/// A reader that goes away (`credsim list | head`) is no error.
pub struct Console {
    /// Whether styles stay in what goes to standard output, and to standard error.
    styled: [bool; 2],
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
        let is_styled = |kept| kept != anstream::ColorChoice::Never;
        Self {
            styled: [
                is_styled(AutoStream::new(io::stdout(), choice).current_choice()),
                is_styled(AutoStream::new(io::stderr(), choice).current_choice()),
            ],
            failed: Arc::default(),
            status: StatusLine::on(terminal),
        }
    }

    /// Another one like this, for another thread. Data that it loses is this one's loss, too.
    pub fn another(&self) -> Self {
        Self {
            styled: self.styled,
            failed: self.failed.clone(),
            status: self.status.clone(),
        }
    }

    /// The line on which progress is shown.
    pub(super) fn status(&self) -> StatusLine {
        self.status.clone()
    }

    /// Data, to standard output.
    pub fn data(&mut self, text: &str) {
        if self.failed().is_some() {
            return;
        }
        // Standard output may be the same terminal.
        let _erased = self.status.erase();
        let [styled, _] = self.styled;
        let mut out = io::stdout().lock();
        let written = out
            .write_all(&bytes(text, styled))
            .and_then(|()| out.flush());
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
        let [_, styled] = self.styled;
        let _ = io::stderr().write_all(&bytes(&without_commands(text), styled));
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

/// What is written of `text`, at once: a stream that strips styles on the way writes each piece by
/// itself, and the lines of other processes get in between.
fn bytes(text: &str, styled: bool) -> Cow<'_, [u8]> {
    if styled {
        Cow::Borrowed(text.as_bytes())
    } else {
        Cow::Owned(strip_str(text).to_string().into_bytes())
    }
}
