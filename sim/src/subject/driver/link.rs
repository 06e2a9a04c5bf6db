//! The conversation with a started driver. Three threads carry it: one writes questions, one reads
//! answers and events, one reads the standard error. No caller waits for a driver longer than it
//! wants to: a question is queued, and its answer is handed to the caller that asked.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc},
    time::Duration,
};

use credsim_identity::Observer;
use serde_json::{Value, json};
use tracing::Dispatch;

use super::{
    LOG_TARGET,
    message::{Answer, Event, Level, Line},
    process::Process,
    said::Said,
    threads,
};

/// What to do about a driver that does not work.
const HELP: &str = "\n  help: is everything installed that it needs (Node.js for the JavaScript \
                    driver)? sim/drivers/install installs what the drivers of this repository \
                    need; sim/drivers/README.md says what a driver has to do";

/// How long the last words of a driver, and its exit status, are waited for.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Gets an answer, or is dropped if none will come.
pub type Waiter = Box<dyn FnOnce(Answer) + Send>;

/// Our end of the conversation. Dropping it ends the driver.
pub struct Link {
    shared: Arc<Shared>,
    questions: Mutex<Option<mpsc::Sender<Value>>>,
    farewell: Duration,
}

/// What the threads know too.
pub(super) struct Shared {
    /// The command line of the driver.
    name: String,
    pub said: Said,
    process: Process,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
pub(super) struct State {
    last_id: u64,
    waiting: BTreeMap<u64, Waiter>,
    /// Questions whose callers have given up.
    abandoned: BTreeSet<u64>,
    /// What broke first.
    pub fault: Option<String>,
    /// We are ending it: nothing that happens now is a fault.
    pub closing: bool,
    pub output_ended: bool,
    pub errors_ended: bool,
    observers: BTreeMap<u64, Arc<dyn Observer>>,
    log: Log,
}

/// Where the log of the SDK goes: it is kept until the run that listens to it is known.
enum Log {
    Kept(Vec<(Level, String)>),
    To(Dispatch),
}

impl Default for Log {
    fn default() -> Self {
        Self::Kept(Vec::new())
    }
}

impl Link {
    /// Starts `program` with exactly `environment`.
    pub fn start(
        program: &[String],
        environment: &[(OsString, OsString)],
        farewell: Duration,
    ) -> Result<Self, String> {
        let name = program.join(" ");
        let unable = |why: String| format!("`{name}` can't be started: {why}{HELP}");
        let (process, pipes) = Process::start(program, environment).map_err(&unable)?;
        let shared = Arc::new(Shared {
            name: name.clone(),
            said: Said::default(),
            process,
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let (questions, to_write) = mpsc::channel();
        let link = Self {
            shared: shared.clone(),
            questions: Mutex::new(Some(questions)),
            farewell,
        };
        threads::start(&shared, pipes, to_write).map_err(|error| unable(error.to_string()))?;
        Ok(link)
    }

    /// What the driver says on its standard error.
    pub fn said(&self) -> &Said {
        &self.shared.said
    }

    /// What broke, if something did.
    pub fn broken(&self) -> Option<String> {
        self.shared.lock().fault.clone()
    }

    /// Something broke.
    pub fn fault(&self, what: &str) {
        self.shared.fault(what);
    }

    /// Asks what `question` makes of the question's number, which is returned. If the driver is
    /// broken, `waiter` is dropped.
    pub fn ask(&self, question: impl FnOnce(u64) -> Value, waiter: Waiter) -> u64 {
        let mut state = self.shared.lock();
        state.last_id += 1;
        let id = state.last_id;
        if state.fault.is_none() {
            state.waiting.insert(id, waiter);
            drop(state);
            self.send(question(id));
        }
        id
    }

    /// Asks, and blocks until the answer is there; no longer than `limit`, which is a fault. None
    /// if the driver is broken.
    pub fn ask_within(
        &self,
        limit: Duration,
        question: impl FnOnce(u64) -> Value,
    ) -> Option<Answer> {
        let (give, get) = mpsc::sync_channel(1);
        let mut what = String::new();
        let question = |id| {
            let question = question(id);
            what = question["do"].as_str().unwrap_or_default().to_owned();
            question
        };
        let waiter = move |answer| {
            // The caller may have given up.
            let _ = give.send(answer);
        };
        self.ask(question, Box::new(waiter));
        let answer = get.recv_timeout(limit);
        if let Err(mpsc::RecvTimeoutError::Timeout) = answer {
            self.fault(&format!("did not answer `{what}` within {limit:?}"));
        }
        answer.ok()
    }

    /// Says something that needs no answer.
    pub fn send(&self, what: Value) {
        let questions = self.questions.lock();
        let questions = questions.unwrap_or_else(PoisonError::into_inner);
        if let Some(questions) = &*questions {
            // If the writing thread has ended, the threads recorded why.
            let _ = questions.send(what);
        }
    }

    /// Records that the caller of question `id` has given up.
    pub fn abandon(&self, id: u64) {
        let mut state = self.shared.lock();
        let waiter = state.waiting.remove(&id);
        if waiter.is_some() {
            state.abandoned.insert(id);
            drop(state);
            self.send(json!({ "do": "cancel", "id": id }));
        }
    }

    /// From now on `observer` hears what happens to this credential, and the log goes where this
    /// thread's does.
    pub fn listen(&self, credential: u64, observer: Arc<dyn Observer>) {
        let dispatch = tracing::dispatcher::get_default(Clone::clone);
        let mut state = self.shared.lock();
        state.observers.insert(credential, observer);
        let kept = std::mem::replace(&mut state.log, Log::To(dispatch.clone()));
        drop(state);
        if let Log::Kept(kept) = kept {
            for (level, message) in kept {
                log(&dispatch, level, &message);
            }
        }
    }

    /// The credential is gone.
    pub fn forget(&self, credential: u64) {
        self.shared.lock().observers.remove(&credential);
        self.send(json!({ "do": "forget", "credential": credential }));
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.shared.lock().closing = true;
        let questions = self.questions.lock();
        // Nothing more to write: the thread closes the driver's input.
        drop(questions.unwrap_or_else(PoisonError::into_inner).take());
        self.shared
            .wait_for(self.farewell, |state| state.output_ended);
        self.shared.process.end();
    }
}

impl Shared {
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
        let wrong = |why: String| {
            let shown = self.said.vetted(line);
            format!("wrote what is {}: {shown}", self.said.vetted(&why))
        };
        match Line::read(line).map_err(wrong)? {
            Line::Answer(id, answer) => {
                let mut state = self.lock();
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
fn log(dispatch: &Dispatch, level: Level, message: &str) {
    tracing::dispatcher::with_default(dispatch, || match level {
        Level::Warn => tracing::warn!(target: LOG_TARGET, "{message}"),
        Level::Error => tracing::error!(target: LOG_TARGET, "{message}"),
    });
}
