//! The state of the conversation with a driver, which the link and its threads share: open
//! questions, who listens, and what broke.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use credsim_identity::Observer;
use tracing::Dispatch;

use super::{
    LOG_TARGET,
    message::{Answer, Event, Level, Line},
    process::Process,
    said::Said,
};

/// What to do about a driver that does not work.
pub(super) const HELP: &str = "\n  help: is everything installed that it needs (Node.js for the \
     JavaScript driver)? sim/drivers/install installs what the drivers of this repository need; \
     sim/drivers/README.md says what a driver has to do";

/// How long the last words of a driver, and its exit status, are waited for.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Gets an answer, or is dropped if none will come.
pub type Waiter = Box<dyn FnOnce(Answer) + Send>;

/// What the link and its threads know of the driver.
pub(super) struct Shared {
    /// The command line of the driver.
    name: String,
    pub said: Said,
    pub process: Process,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
pub(super) struct State {
    pub last_id: u64,
    /// How many lines the driver has written, and in which of them it gave its latest answer.
    pub lines: u64,
    pub answered_in: u64,
    pub waiting: BTreeMap<u64, Waiter>,
    /// Questions whose callers have given up.
    pub abandoned: BTreeSet<u64>,
    /// What broke first.
    pub fault: Option<String>,
    /// We are ending it: nothing that happens now is a fault.
    pub closing: bool,
    pub output_ended: bool,
    pub errors_ended: bool,
    pub observers: BTreeMap<u64, Arc<dyn Observer>>,
    pub log: Log,
}

/// Where the log of the SDK goes: it is kept until the run that listens to it is known.
pub(super) enum Log {
    Kept(Vec<(Level, String)>),
    To(Dispatch),
}

impl Default for Log {
    fn default() -> Self {
        Self::Kept(Vec::new())
    }
}

impl Shared {
    pub fn new(name: String, process: Process) -> Self {
        Self {
            name,
            said: Said::default(),
            process,
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what is known, and wakes the callers that wait for it.
    pub fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    /// Waits until `done`, but no longer than `limit`. Whether it is.
    pub fn wait_for(&self, limit: Duration, done: impl Fn(&State) -> bool) -> bool {
        let state = self.lock();
        let waited = self
            .changed
            .wait_timeout_while(state, limit, |state| !done(state));
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// Something broke: callers that wait for an answer get an error. The first failure counts, and
    /// what happens while we end the driver is none.
    pub fn fault(&self, what: &str) {
        let said = self.said.paragraph();
        self.change(|state| {
            if state.closing || state.fault.is_some() {
                return;
            }
            state.fault = Some(format!("`{}` {what}{said}{HELP}", self.name));
            state.waiting.clear();
        });
    }

    /// The driver's output ended. If it was not asked to end, that is a failure.
    pub fn ended(&self) {
        self.change(|state| state.output_ended = true);
        if self.lock().closing {
            return;
        }
        self.wait_for(LAST_WORDS, |state| state.errors_ended || state.closing);
        let mut how = self.process.ended();
        for _ in 0..50 {
            if how.is_some() {
                break;
            }
            self.wait_for(LAST_WORDS / 50, |state| state.closing);
            how = self.process.ended();
        }
        self.fault(&match how {
            Some(how) => format!("ended in the middle of the conversation ({how})"),
            None => "closed its standard output in the middle of the conversation".to_owned(),
        });
    }

    /// The driver takes no more questions. If it is about to end, the end says more.
    pub fn deaf(&self) {
        let over = |state: &State| state.closing || state.output_ended || state.fault.is_some();
        if !self.wait_for(LAST_WORDS, over) {
            self.fault("does not read what it is asked");
        }
    }

    /// Takes a line of the driver. An error is a fault.
    pub fn take(&self, line: &str) -> Result<(), String> {
        let number = {
            let mut state = self.lock();
            state.lines += 1;
            state.lines
        };
        let wrong = |why: String| {
            let shown = self.said.vetted(line);
            let why = self.said.vetted(&why);
            format!("wrote what is {why}, in line {number} of its standard output: {shown}")
        };
        match Line::read(line).map_err(wrong)? {
            Line::Answer(id, answer) => {
                let mut state = self.lock();
                state.answered_in = number;
                let waiter = state.waiting.remove(&id);
                let known = waiter.is_some() || state.abandoned.remove(&id) || state.closing;
                drop(state);
                if let Some(waiter) = waiter {
                    waiter(answer);
                } else if !known {
                    return Err(format!("answered question {id}, which is not open"));
                }
            }
            Line::Event(Event::Log { level, message }) => {
                let mut state = self.lock();
                match &mut state.log {
                    Log::Kept(kept) => kept.push((level, message)),
                    Log::To(dispatch) => {
                        let dispatch = dispatch.clone();
                        drop(state);
                        log(&dispatch, level, &message);
                    }
                }
            }
            Line::Event(Event::IdentityChanged {
                credential,
                from,
                to,
                refused,
            }) => {
                let observer = self.lock().observers.get(&credential).cloned();
                // A credential that is gone may still have something to say.
                if let Some(observer) = observer {
                    if crate::redact::looks_like_token(line) {
                        return Err("showed a secret in `identity-changed`".to_owned());
                    }
                    let (from, to) = (from.into_identity(), to.into_identity());
                    let change = credsim_identity::IdentityChange::new(from, to, refused);
                    observer.identity_changed(&change);
                }
            }
        }
        Ok(())
    }
}

/// Logs what the SDK logged.
pub(super) fn log(dispatch: &Dispatch, level: Level, message: &str) {
    tracing::dispatcher::with_default(dispatch, || match level {
        Level::Warn => tracing::warn!(target: LOG_TARGET, "{message}"),
        Level::Error => tracing::error!(target: LOG_TARGET, "{message}"),
    });
}
