//! What a call may use while it plays.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use credsim_identity::{AccessToken, Error};
use jiff::Timestamp;

use super::{Call, Instance, States, Which};
use crate::{
    credential::BuiltSubject,
    host::{HostState, Leftovers},
    trace::{CallOutcome, Kind},
    world::World,
};

/// What all calls of a run share.
pub(crate) struct CallContext {
    /// The host that the callers are on: its clock, its HTTP client, the trace.
    pub host: Arc<HostState>,
    /// The world at its start.
    pub world: Arc<World>,
    /// Keeps secrets out of the trace.
    pub secrets: Arc<dyn SecretWatch>,
    /// What the calls of each kind remember.
    pub states: States,
}

/// Keeps secrets out of the trace, and records where one would have come in.
pub(crate) trait SecretWatch: Send + Sync {
    /// Whether `text`, found at `place` (`error`, `debug`), holds a secret; if so, that is
    /// recorded.
    fn check(&self, place: &str, text: &str) -> bool;

    /// `text`, found at `place`, as it may stand in the trace: withheld if it holds a secret.
    fn vetted(&self, place: &str, text: String) -> String;
}

/// A credential of the run, or a Redis client around one.
pub(crate) struct SubjectInstance {
    /// Its number in the run, from 1.
    pub number: u32,
    /// What was built, or why it could not be.
    pub built: Result<BuiltSubject, Error>,
    /// What it has under way.
    pub leftovers: Arc<Leftovers>,
    /// The tokens that it handed out lately, with what the trace says of them.
    pub(super) seen_tokens: Mutex<VecDeque<(AccessToken, Arc<CallOutcome>)>>,
}

impl SubjectInstance {
    /// An instance that has handed out nothing yet.
    pub fn new(number: u32, built: Result<BuiltSubject, Error>, leftovers: Arc<Leftovers>) -> Self {
        Self {
            number,
            built,
            leftovers,
            seen_tokens: Mutex::default(),
        }
    }
}

/// One caller of one call.
pub(crate) struct Caller {
    /// What it shares with all calls of the run.
    pub context: Arc<CallContext>,
    /// Which `[[call]]`, counted from 1.
    pub step: usize,
    /// Which call of the series.
    pub which: Which,
    /// The call's number in the run, from 1.
    pub call: u64,
    /// Which credential the series asks.
    pub credential: Instance,
    /// How long it waits for an answer; for ever if there is none.
    pub gives_up_after: Option<Duration>,
    /// The instance that it asks; none for a kind of call that asks none.
    pub instance: Option<Arc<SubjectInstance>>,
}

impl Caller {
    /// The caller `which` of the series `series`, which is `[[call]]` number `step`.
    pub fn new(
        context: Arc<CallContext>,
        (step, series): (usize, &Call),
        which: Which,
        call: u64,
        instance: Option<Arc<SubjectInstance>>,
    ) -> Self {
        Self {
            context,
            step,
            which,
            call,
            credential: series.credential,
            gives_up_after: series.gives_up_after.map(|limit| limit.0),
            instance,
        }
    }

    /// Records what happens now.
    pub fn record(&self, kind: Kind) {
        let host = &self.context.host;
        host.recorder.record(host.elapsed(), kind);
    }

    /// Time since the world began.
    pub fn elapsed(&self) -> Duration {
        self.context.host.elapsed()
    }

    /// Completes after this time of the world.
    pub async fn sleep(&self, time: Duration) {
        self.context.host.host.runtime.sleep(time).await;
    }

    /// The outcome of `work`, or none if the caller gives up before it is there.
    pub async fn within_patience<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let Some(limit) = self.gives_up_after else {
            return Some(work.await);
        };
        let patience = self.context.host.host.runtime.sleep(limit);
        tokio::select! { biased;
            outcome = work => Some(outcome),
            () = patience => None,
        }
    }

    /// `text` with the numbers of this call in their places.
    pub fn fill(&self, text: &str) -> String {
        self.which.fill(text)
    }

    /// A text of the subject as it may stand in the trace: withheld if it holds a secret.
    pub fn vetted(&self, text: String) -> String {
        self.context.secrets.vetted("error", text)
    }

    /// A time on the host's wall clock as time since the world's start.
    pub fn since_the_start(&self, at: Timestamp) -> Duration {
        let elapsed = self.elapsed();
        let ago = self.context.host.now().duration_since(at);
        match Duration::try_from(ago) {
            Ok(ago) => elapsed.saturating_sub(ago),
            Err(_) => elapsed,
        }
    }
}
