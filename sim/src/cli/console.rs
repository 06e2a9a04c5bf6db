//! Standard output and standard error.

use std::io::{self, Write as _};

use anstream::AutoStream;
use anstyle::{AnsiColor, Style};
use clap::ColorChoice;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const HELP: Style = AnsiColor::Cyan.on_default().bold();

/// Where the command writes. Styles are stripped where they are not wanted.
///
/// A reader that goes away (`credsim list | head`) is no error.
pub struct Console {
    out: AutoStream<io::Stdout>,
    err: AutoStream<io::Stderr>,
}

impl Console {
    /// The console of this process.
    pub fn new(color: ColorChoice) -> Self {
        let choice = match color {
            ColorChoice::Auto => anstream::ColorChoice::Auto,
            ColorChoice::Always => anstream::ColorChoice::Always,
            ColorChoice::Never => anstream::ColorChoice::Never,
        };
        Self {
            out: AutoStream::new(io::stdout(), choice),
            err: AutoStream::new(io::stderr(), choice),
        }
    }

    /// Data, to standard output.
    pub fn data(&mut self, text: &str) {
        let _ = self
            .out
            .write_all(text.as_bytes())
            .and_then(|()| self.out.flush());
    }

    /// Text for people, to standard error.
    pub fn say(&mut self, text: &str) {
        let _ = self.err.write_all(text.as_bytes());
    }

    /// Something is wrong, and what to do about it.
    pub fn error(&mut self, message: &str, help: Option<&str>) {
        self.say(&format!("{ERROR}error{ERROR:#}: {message}\n"));
        if let Some(help) = help {
            self.say(&format!("{HELP}help{HELP:#}: {help}\n"));
        }
    }
}
