//! The conversation with a started driver. Three threads carry it: one writes questions, one reads
//! answers and events, one reads the standard error. No caller waits for a driver longer than it
//! wants to: a question is queued, and its answer is handed to the caller that asked.

use std::{
    ffi::OsString,
    sync::{Arc, Mutex, PoisonError, mpsc},
    time::Duration,
};

use credsim_identity::{Error, ErrorKind, Observer};
use serde_json::{Value, json};

use super::{
    conversation::{HELP, Log, Shared, Waiter, log},
    message::Answer,
    process::Process,
    said::Said,
    threads,
};

/// Our end of the conversation. Dropping it ends the driver.
pub struct Link {
    shared: Arc<Shared>,
    questions: Mutex<Option<mpsc::Sender<Value>>>,
    farewell: Duration,
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
        let shared = Arc::new(Shared::new(name.clone(), process));
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

    /// In which line of its standard output, from 1, the driver gave its latest answer.
    pub fn answered_in(&self) -> u64 {
        self.shared.lock().answered_in
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

/// The error of a call to a driver that is broken. The run ends in a failure of the harness.
pub(super) fn lost(credential: &str) -> Error {
    Error::new(
        ErrorKind::Cancelled,
        credential,
        "the driver of the SDK is broken",
    )
}
