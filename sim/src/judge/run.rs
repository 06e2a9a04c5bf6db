//! What a run left: what expectations and invariants look at.

use std::{borrow::Cow, collections::BTreeSet, time::Duration};

use jiff::Timestamp;

use super::Visibility;
use crate::{
    engine::Engine,
    trace::{Kind, Trace, span},
};

/// What a run left.
#[derive(Clone, Debug)]
pub struct Run {
    /// The engine that played it.
    pub engine: Engine,
    /// Its seed.
    pub seed: u64,
    /// What was under test, by name and, if it is not ours, version: `identity`,
    /// `azure-identity-js 4.13.1`.
    pub subject: String,
    /// Which aspects of it could be seen.
    pub visibility: Visibility,
    /// The date at which the world began; what the scenario counts from its start, counts from
    /// here.
    pub start: Timestamp,
    /// How long it was played.
    pub ended: Duration,
    /// All that happened.
    pub trace: Trace,
    /// When something in the world was last repaired: a fault ended, a service came back, an
    /// account logged in.
    pub last_repair: Option<Duration>,
    /// Whether all services worked and were reachable at the end.
    pub healthy_at_end: bool,
    /// From when on clients were not shown what the scenario says, and why; none if they were.
    pub unshown: Option<Unshown>,
    /// How many of the oldest events are missing in the trace. Only a served world drops any; then
    /// nothing can be judged.
    pub dropped: u64,
}

/// From when on clients behind a proxy were not shown what the scenario says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unshown {
    /// When that began.
    pub at: Duration,
    /// Why, for reports.
    pub why: String,
}

impl Unshown {
    /// Of the first client that connected to a proxy on the way to a host that was out of reach.
    pub(crate) fn of(trace: &Trace) -> Option<Self> {
        trace.events.iter().find_map(|event| match &event.kind {
            Kind::Unreached {
                host, shown: false, ..
            } => Some(Self {
                at: event.at,
                why: format!(
                    "from {} on packets to {host} vanished, which a proxy cannot show: it accepts \
                     every connection",
                    span(event.at)
                ),
            }),
            _ => None,
        })
    }
}

impl Run {
    /// The part of the run in which clients were shown what the scenario says, without the calls
    /// that were still open at its end. Refused hosts stay: that they were asked for does not
    /// depend on it.
    pub(crate) fn shown(&self) -> Cow<'_, Self> {
        let Some(Unshown { at, .. }) = self.unshown else {
            return Cow::Borrowed(self);
        };
        let mut shown = self.clone();
        shown.ended = shown.ended.min(at);
        let before = self.trace.events.iter().filter(|event| event.at < at);
        let over: BTreeSet<u64> = before
            .filter_map(|event| match &event.kind {
                Kind::CallEnded { call, .. } | Kind::WorkEnded { call, .. } => Some(*call),
                _ => None,
            })
            .collect();
        shown.trace.events.retain(|event| {
            if let Kind::CallStarted { call, .. } | Kind::WorkStarted { call, .. } = &event.kind
                && !over.contains(call)
            {
                return false;
            }
            let stays = matches!(
                event.kind,
                Kind::HostRefused { .. } | Kind::SecretLeaked { .. } | Kind::RealSecret { .. }
            );
            stays || event.at < at
        });
        Cow::Owned(shown)
    }
}
