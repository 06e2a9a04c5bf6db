//! What a scenario says, as far as judging a run of it needs that.

use std::{collections::BTreeSet, time::Duration};

use crate::action::{self, At, Consequences, OnHost};
use crate::credential::{Asks, Source};
use crate::world::Target;
use crate::{
    call::{Call, Uses},
    credential::{RedisClientKind, Subject},
    fault::effect::FaultThen,
    scenario::Span,
    service::{Reach, TokenSource},
    world::World,
};

/// The parts of a scenario that expectations and invariants look at.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    /// The world at its start.
    pub world: &'a World,
    /// The credential under test.
    pub subject: &'a Subject,
    /// The timeline.
    pub at: &'a [At],
    /// The calls, in the order of the file.
    pub call: &'a [Call],
    /// With how many seeds it is played.
    pub seeds: u32,
}

impl<'a> Plan<'a> {
    fn consequences(&self) -> impl Iterator<Item = Consequences<'a>> + use<'a> {
        self.at.iter().map(|at| at.action.consequences())
    }

    /// Whether the clock of the subject's host is right all the time.
    pub(crate) fn clock_is_right(&self) -> bool {
        let is_right = self.world.host.clock_skew.length.is_zero();
        let steps = |of: Consequences<'_>| matches!(of.on_host, OnHost::Clock);
        is_right && !self.consequences().any(steps)
    }

    /// The tokens in answers of faults that count as issued in this world.
    pub(crate) fn issued_by_faults(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.consequences().flat_map(|of| of.issues)
    }

    /// Whether the shared credential is disposed.
    pub(crate) fn disposes(&self) -> bool {
        let disposes = |of: Consequences<'_>| matches!(of.on_host, OnHost::Disposal);
        self.consequences().any(disposes)
    }

    /// Whether the world ends without something that it began with, so that failing is right.
    pub(crate) fn changes_for_good(&self) -> bool {
        self.consequences().any(|of| of.takes_away)
    }

    /// Whether attempts at a service may never arrive there.
    pub(crate) fn cuts_off(&self, to: &Target) -> bool {
        let services = self.world.services();
        let mut meant = services.iter().filter(|it| it.key() == to.key());
        let is_unreachable = meant.any(|service| service.reach() != Reach::Reachable);
        let mut cut_off = self.consequences().filter_map(|of| of.cuts_off);
        is_unreachable || cut_off.any(|service| service.name() == to.key())
    }

    /// Whether an answer of a service comes piece by piece.
    pub(crate) fn drips(&self, to: &Target) -> bool {
        action::faults(self.at).any(|(_, fault)| {
            matches!(fault.then, FaultThen::Drip(_)) && fault.on.key() == to.key()
        })
    }

    /// The last time at which something in the world gets better, as far as the file says.
    pub(crate) fn last_repair(&self) -> Option<Duration> {
        action::last_repair(self.at)
    }

    /// When the first call at `from` or later is due that uses one of `uses`.
    pub(crate) fn first_call(
        &self,
        from: Span,
        step: Option<usize>,
        uses: &[Uses],
    ) -> Option<Duration> {
        let calls = self.call.iter().enumerate();
        let calls = calls.filter(|(index, _)| step.is_none_or(|step| step == index + 1));
        let calls = calls.filter(|(_, call)| uses.contains(&call.action.uses()));
        let due = calls.filter_map(|(_, call)| {
            let Some(late) = from.0.checked_sub(call.at.0).filter(|late| !late.is_zero()) else {
                return Some(call.at.0);
            };
            let every = call.every?.0.as_nanos();
            let repeats = u64::try_from(late.as_nanos().div_ceil(every.max(1)) * every).ok()?;
            let at = call.at.0.checked_add(Duration::from_nanos(repeats))?;
            call.until.is_none_or(|until| at < until.0).then_some(at)
        });
        due.min()
    }

    /// The channels to which the subscriber of this name listens.
    pub(crate) fn channels(&self, subscriber: &str) -> BTreeSet<&'a str> {
        let all = self
            .call
            .iter()
            .filter_map(|call| call.action.subscription());
        let wanted = all.filter(|to| to.connection == subscriber);
        wanted
            .flat_map(|to| to.channels)
            .map(String::as_str)
            .collect()
    }

    /// The names of the commands that callers send in Redis transactions, in capitals.
    pub(crate) fn sent_in_transactions(&self) -> BTreeSet<String> {
        let calls = self.call.iter();
        calls
            .flat_map(|call| call.action.commands_in_transactions())
            .collect()
    }

    /// Whether a Redis connection of the subject stays broken once it is.
    pub(crate) fn connections_stay_broken(&self) -> bool {
        let client = self.subject.redis.as_ref().map(|redis| redis.client);
        client == Some(RedisClientKind::Single)
    }

    /// How many attempts of one request the documentation allows one waiting caller of the subject
    /// at services that give tokens so; none if nothing in it asks there.
    pub(crate) fn attempts(&self, source: TokenSource) -> Option<u32> {
        self.subject.credential.attempts(&self.source(source))
    }

    /// Whether two members of the subject's chain may send the same request to services that give
    /// tokens so.
    pub(crate) fn may_repeat_a_request(&self, source: TokenSource) -> bool {
        self.subject
            .credential
            .may_repeat_a_request(&self.source(source))
    }

    fn source(&self, source: TokenSource) -> Source {
        match source {
            TokenSource::Metadata => Source::Imds {
                selected: self.selects_managed_identity(),
            },
            TokenSource::Endpoint => Source::Endpoint,
            TokenSource::Entra => Source::Entra,
        }
    }

    /// Whether a walk of the subject's chain may come from a member that asks at `from` to a later
    /// one that asks at `to`.
    pub(crate) fn leads_on(&self, from: Asks, to: Asks) -> bool {
        let walk = self.subject.credential.walk();
        let first = walk.iter().position(|asks| *asks == from);
        let last = walk.iter().rposition(|asks| *asks == to);
        first.is_some_and(|first| last.is_some_and(|last| first < last))
    }

    /// Whether `AZURE_TOKEN_CREDENTIALS` selects the managed identity alone. Credentials built
    /// later see later values.
    fn selects_managed_identity(&self) -> bool {
        const SELECTION: &str = "AZURE_TOKEN_CREDENTIALS";
        let at_start = self.world.environment.get(SELECTION).map(String::as_str);
        let later = self.consequences().filter_map(|of| match of.on_host {
            OnHost::Variable { name, value } => (name == SELECTION).then_some(value),
            OnHost::Nothing | OnHost::Clock | OnHost::Disposal => None,
        });
        at_start.into_iter().chain(later).any(|value| {
            value
                .trim()
                .eq_ignore_ascii_case("ManagedIdentityCredential")
        })
    }
}
