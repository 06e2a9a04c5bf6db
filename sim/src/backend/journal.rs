//! The pen of the endpoints: numbers what arrives, and knows what is still open.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::{
    redact::masked,
    trace::{Facts, Fingerprint, Kind, Recorder},
};

/// Why a request or a command ended as it did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Why {
    /// In words.
    pub why: String,
    /// The fault that decided.
    pub fault: Option<String>,
    /// The token issued or presented.
    pub token: Option<Fingerprint>,
    /// The object id of its principal.
    pub principal: Option<String>,
}

impl Why {
    /// Only words.
    pub fn plain(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            ..Self::default()
        }
    }
}

/// What the trace tells about a request on arrival.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// What is asked for.
    pub what: &'static str,
    /// Method and path with query, secrets left out.
    pub line: String,
    /// The form's fields, secrets left out.
    pub detail: String,
    /// What the service knows of it.
    pub facts: Facts,
}

/// The pen, and what is open.
pub struct Journal {
    recorder: Recorder,
    pages: Mutex<Pages>,
}

#[derive(Default)]
struct Pages {
    endpoints: BTreeMap<String, Page>,
    commands: u64,
    closed: bool,
}

/// The requests of one endpoint.
#[derive(Default)]
struct Page {
    /// The number of the latest.
    last: u64,
    /// What each open one asked for.
    open: BTreeMap<u64, &'static str>,
}

impl Page {
    /// Notes a request that asks for `what`; its number.
    fn begin(&mut self, what: &'static str) -> u64 {
        self.last += 1;
        self.open.insert(self.last, what);
        self.last
    }
}

impl Journal {
    /// Writes to `recorder`.
    pub fn new(recorder: Recorder) -> Self {
        Self {
            recorder,
            pages: Mutex::default(),
        }
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records something, unless the world has ended.
    pub fn record(&self, at: Duration, kind: Kind) {
        if !self.pages().closed {
            self.recorder.record(at, kind);
        }
    }

    /// Records no more.
    pub fn close(&self) {
        self.pages().closed = true;
    }

    /// Whether the world has ended.
    pub fn is_closed(&self) -> bool {
        self.pages().closed
    }

    /// A request arrived; its number at the endpoint.
    pub fn arrived(&self, at: Duration, endpoint: &str, peer: &str, recorded: &Recorded) -> u64 {
        let mut pages = self.pages();
        // Only the first request of an endpoint costs a copy of its name.
        let request = match pages.endpoints.get_mut(endpoint) {
            Some(page) => page.begin(recorded.what),
            None => {
                let page = pages.endpoints.entry(endpoint.to_owned()).or_default();
                page.begin(recorded.what)
            }
        };
        drop(pages);
        self.record(
            at,
            Kind::RequestArrived {
                endpoint: endpoint.into(),
                request,
                peer: peer.into(),
                what: recorded.what.into(),
                line: (&recorded.line).into(),
                detail: (&recorded.detail).into(),
                facts: recorded.facts.clone(),
            },
        );
        request
    }

    /// A request is over: answered with `status`, or without one. Said only once for each.
    pub fn answered(
        &self,
        at: Duration,
        endpoint: &str,
        request: u64,
        status: Option<u16>,
        why: Why,
    ) {
        let mut pages = self.pages();
        let page = pages.endpoints.get_mut(endpoint);
        let Some(what) = page.and_then(|page| page.open.remove(&request)) else {
            return;
        };
        drop(pages);
        let Why {
            why,
            fault,
            token,
            principal,
        } = why;
        self.record(
            at,
            Kind::RequestAnswered {
                endpoint: endpoint.into(),
                request,
                what: what.into(),
                status,
                why: masked(&why).as_ref().into(),
                fault: fault.map(Into::into),
                token,
                principal: principal.map(Into::into),
            },
        );
    }

    /// All open requests of an endpoint are over, without an answer.
    pub fn abandon(&self, at: Duration, endpoint: &str, why: &str) {
        let open: Vec<u64> = {
            let pages = self.pages();
            let page = pages.endpoints.get(endpoint).into_iter();
            page.flat_map(|page| page.open.keys().copied()).collect()
        };
        for request in open {
            self.answered(at, endpoint, request, None, Why::plain(why));
        }
    }

    /// A command started; its number.
    pub fn command_started(
        &self,
        at: Duration,
        instance: u32,
        program: &str,
        args: &str,
        facts: &Facts,
    ) -> u64 {
        let mut pages = self.pages();
        pages.commands += 1;
        let command = pages.commands;
        drop(pages);
        let (program, args) = (program.into(), args.into());
        self.record(
            at,
            Kind::CommandStarted {
                instance,
                command,
                program,
                args,
                facts: facts.clone(),
            },
        );
        command
    }

    /// A command ended.
    pub fn command_ended(
        &self,
        at: Duration,
        (instance, command): (u32, u64),
        program: &str,
        code: Option<i32>,
        why: Why,
    ) {
        let Why {
            why,
            fault,
            token,
            principal,
        } = why;
        let program = program.into();
        self.record(
            at,
            Kind::CommandEnded {
                instance,
                command,
                program,
                code,
                why: masked(&why).as_ref().into(),
                fault: fault.map(Into::into),
                token,
                principal: principal.map(Into::into),
            },
        );
    }
}
