//! One line on a terminal that says how far a command is, rewritten in place.

use std::{
    io::Write,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{self, RecvTimeoutError},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use crate::redact::escaped;

/// What takes no longer than this shows no progress.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often the line is rewritten at most.
const TICK: Duration = Duration::from_millis(100);

/// The longest line, in characters: one that a terminal breaks could not be erased.
const WIDTH: usize = 78;

/// The last line of a terminal, on which progress is shown. Whatever else is written to the
/// terminal [erases](Self::erase) it first. Clones are the same line.
#[derive(Clone)]
pub(super) struct StatusLine(Arc<Mutex<State>>);

struct State {
    /// None where standard error is no terminal: nothing is ever shown then.
    terminal: Option<Box<dyn Write + Send>>,
    /// How many characters are shown.
    shown: usize,
}

impl StatusLine {
    /// The last line of `terminal`.
    pub fn on(terminal: Option<Box<dyn Write + Send>>) -> Self {
        Self(Arc::new(Mutex::new(State { terminal, shown: 0 })))
    }

    /// Shows `text` in place of what is shown, cut to one line.
    pub fn show(&self, text: &str) {
        let text: String = escaped(text).chars().take(WIDTH).collect();
        self.lock().replace(&text);
    }

    /// Erases what is shown. The line stays empty until the lock that this returns is dropped.
    pub fn erase(&self) -> impl Drop + use<'_> {
        let mut state = self.lock();
        if state.shown > 0 {
            state.replace("");
        }
        state
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// With blanks and carriage returns alone, which every terminal knows.
    fn replace(&mut self, text: &str) {
        let Some(terminal) = &mut self.terminal else {
            return;
        };
        let length = text.chars().count();
        let rest = " ".repeat(self.shown.saturating_sub(length));
        let back = if length == 0 { "\r" } else { "" };
        // A terminal that goes away is no error.
        let _ = terminal.write_all(format!("\r{text}{rest}{back}").as_bytes());
        let _ = terminal.flush();
        self.shown = length;
    }
}

/// Shows the progress of a command until it is dropped.
pub(super) struct Shown {
    line: StatusLine,
    /// Ends the thread when it is dropped.
    running: Option<(mpsc::Sender<()>, JoinHandle<()>)>,
}

impl Shown {
    /// Shows what `progress` says on `line` from now on, if that is one of a terminal.
    pub fn begin(line: StatusLine, progress: impl Fn() -> Option<String> + Send + 'static) -> Self {
        if line.lock().terminal.is_none() {
            return Self {
                line,
                running: None,
            };
        }
        let (sender, ended) = mpsc::channel();
        let shown = line.clone();
        let thread = thread::spawn(move || {
            let mut wait = PATIENCE;
            while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(wait) {
                wait = TICK;
                if let Some(text) = progress() {
                    shown.show(&text);
                }
            }
        });
        Self {
            line,
            running: Some((sender, thread)),
        }
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        if let Some((sender, thread)) = self.running.take() {
            drop(sender);
            // It panics with the progress alone, which says so itself.
            let _ = thread.join();
        }
        drop(self.line.erase());
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    /// What a terminal shows of the bytes that it got, line by line, and how often its last line
    /// was rewritten.
    #[derive(Clone, Default)]
    struct Screen(Arc<Mutex<Vec<u8>>>);

    impl Write for Screen {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Screen {
        fn line(&self) -> StatusLine {
            StatusLine::on(Some(Box::new(self.clone())))
        }

        fn bytes(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }

        /// The line on which the cursor stands: each carriage return writes over what stood there.
        fn shows(&self) -> String {
            let mut shown: Vec<char> = Vec::new();
            for part in self.bytes().split('\r') {
                for (at, letter) in part.chars().enumerate() {
                    if at == shown.len() {
                        shown.push(letter);
                    }
                    shown[at] = letter;
                }
            }
            String::from_iter(shown).trim_end().to_owned()
        }
    }

    #[test]
    fn a_shorter_text_leaves_nothing_of_a_longer_one() {
        let screen = Screen::default();
        let line = screen.line();
        line.show("seed 1000 of 2000");
        line.show("seed 7");
        assert_eq!(screen.shows(), "seed 7");
        drop(line.erase());
        assert_eq!(screen.shows(), "");
        assert!(screen.bytes().ends_with('\r'), "the line can be written on");
        let written = screen.bytes().len();
        drop(line.erase());
        assert_eq!(screen.bytes().len(), written, "there is nothing to erase");
    }

    #[test]
    fn a_text_stays_on_one_line_and_has_no_commands_for_a_terminal() {
        let screen = Screen::default();
        screen
            .line()
            .show(&format!("a\n\u{1b}[2J{}", "x".repeat(200)));
        assert!(screen.shows().starts_with("a\\n\\u{1b}[2Jxxx"));
        assert_eq!(screen.shows().chars().count(), WIDTH);
    }

    #[test]
    fn progress_is_shown_while_it_lasts_and_gone_at_the_end() {
        let screen = Screen::default();
        let (asked, was_asked) = mpsc::channel();
        let shown = Shown::begin(screen.line(), move || {
            asked.send(()).unwrap();
            Some("seed 3 of 4".to_owned())
        });
        for _ in 0..2 {
            was_asked.recv().unwrap();
        }
        drop(shown);
        assert!(
            screen.bytes().contains("\rseed 3 of 4"),
            "{}",
            screen.bytes()
        );
        assert_eq!(screen.shows(), "");
    }

    #[test]
    fn nothing_is_shown_where_there_is_no_terminal() {
        let line = StatusLine::on(None);
        line.show("seed 1");
        drop(line.erase());
        let shown = Shown::begin(line, || panic!("nobody would see it"));
        assert!(shown.running.is_none());
    }
}
