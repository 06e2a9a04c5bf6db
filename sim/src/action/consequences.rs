//! What the rest of the harness must know of an action.

use std::time::Duration;

use crate::{service::managed_identity::ManagedIdentity, world::Service};

/// What follows from an action, as far as expectations, invariants, drivers and reports depend on
/// it. There is no default, so that a new action decides each: an action that changes nothing but
/// services and commands begins with `improvement`, `loss` or `disturbance`, any other fills in
/// every field.
pub(crate) struct Consequences<'a> {
    /// When it makes something better.
    pub repair: Repair,
    /// Whether the world ends without something that it began with, unless another action brings
    /// it back: calls may fail until the end then.
    pub takes_away: bool,
    /// The service that no packet reaches from now on.
    pub cuts_off: Option<Service>,
    /// The command that can be run, or gives tokens, from now on.
    pub brings: Option<&'static str>,
    /// What it changes on the subject's host.
    pub on_host: OnHost<'a>,
    /// Whether it can happen to a subject in a process outside.
    pub outside: Outside,
    /// Why the story would be another one if the timeline ran faster, while clients do not.
    pub lasting: Option<String>,
    /// The client secrets in it, which must not appear in a trace.
    pub secrets: Vec<&'a str>,
    /// The tokens in it that count as issued in this world.
    pub issues: Vec<&'a str>,
    /// The principals and clients that it makes known.
    pub names: Names<'a>,
}

impl Consequences<'_> {
    /// What follows from a change of services or commands that makes something better at once, and
    /// of nothing else: a process outside can go through it, it takes no time, and it makes no
    /// secret, principal or client known.
    pub(crate) fn improvement() -> Self {
        Self {
            repair: Repair::Now,
            ..Self::disturbance()
        }
    }

    /// The same, of a change after which calls may fail until another action brings back what is
    /// gone.
    pub(crate) fn loss() -> Self {
        Self {
            takes_away: true,
            ..Self::disturbance()
        }
    }

    /// The same, of a change that makes nothing better and takes nothing away that calls need.
    pub(crate) fn disturbance() -> Self {
        Self {
            repair: Repair::No,
            takes_away: false,
            cuts_off: None,
            brings: None,
            on_host: OnHost::Nothing,
            outside: Outside::Possible,
            lasting: None,
            secrets: Vec::new(),
            issues: Vec::new(),
            names: Names::Nothing,
        }
    }
}

/// When an action makes something better, so that calls may succeed again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repair {
    /// Never.
    No,
    /// When it happens.
    Now,
    /// At the earliest this long after it happened, when what it began has ended by itself. The
    /// trace then says when.
    After(Duration),
}

/// What an action changes on the host on which the subject runs, where no service sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnHost<'a> {
    /// Nothing.
    Nothing,
    /// Its wall clock.
    Clock,
    /// An environment variable.
    Variable {
        /// Its name.
        name: &'a str,
        /// Its new value.
        value: &'a str,
    },
    /// The shared credential is disposed.
    Disposal,
}

/// Whether an action can happen to a subject that runs in a process of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outside {
    /// It can.
    Possible,
    /// It cannot, for this reason.
    Impossible(&'static str),
    /// It could if the driver protocol had this request, which it has not.
    NeedsRequest {
        /// The name of the request.
        name: &'static str,
        /// Why the scenario is left out.
        why: &'static str,
    },
}

/// What an action makes known by name.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Names<'a> {
    /// Nothing new.
    Nothing,
    /// A system-assigned identity.
    SystemIdentity(&'a ManagedIdentity),
    /// A client id that the subject's environment uses.
    Client(&'a str),
}
