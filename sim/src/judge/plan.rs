//! What a scenario says, as far as judging a run of it needs that.

use std::{collections::BTreeSet, time::Duration};

use crate::credential::Source;
use crate::scenario::{
    Action, At, Call, CallDo, FaultThen, GetToken, Reach, RedisClientKind, RedisHow, Service, Span,
    Subject, World, last_repair, parse_command,
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
}

impl<'a> Plan<'a> {
    fn actions(&self) -> impl Iterator<Item = &'a Action> + use<'a> {
        self.at.iter().map(|at| &at.action)
    }

    /// Whether the clock of the subject's host is right all the time.
    pub(crate) fn clock_is_right(&self) -> bool {
        let is_right = self.world.host.clock_skew.length.is_zero();
        is_right && !self.actions().any(|action| loss(action) == Loss::Clock)
    }

    /// Whether the shared credential is disposed.
    pub(crate) fn disposes(&self) -> bool {
        self.actions()
            .any(|action| loss(action) == Loss::Credential)
    }

    /// Whether the world ends without something that it began with, so that failing is right.
    pub(crate) fn changes_for_good(&self) -> bool {
        self.actions().any(|action| loss(action) != Loss::Nothing)
    }

    /// Whether attempts at a service may never arrive there.
    pub(crate) fn cuts_off(&self, service: Service) -> bool {
        let reach = match service {
            Service::Imds => self.world.imds.as_ref().map(|imds| imds.reach),
            Service::Entra => self.world.entra.as_ref().map(|entra| entra.reach),
            Service::Redis => self.world.redis.as_ref().map(|redis| redis.reach),
        };
        let hidden =
            |action: &Action| matches!(hides(action), Hides::Arrivals(of) if of == service);
        reach != Some(Reach::Reachable) || self.actions().any(hidden)
    }

    /// Whether an answer of a service comes piece by piece.
    pub(crate) fn drips(&self, service: Service) -> bool {
        let hidden =
            |action: &Action| matches!(hides(action), Hides::Ends(of) if of == service.name());
        self.actions().any(hidden)
    }

    /// The last time at which something in the world gets better, as far as the file says.
    pub(crate) fn last_repair(&self) -> Option<Duration> {
        last_repair(self.at)
    }

    /// When the first call at `from` or later is due.
    pub(crate) fn first_call(&self, from: Span, step: Option<usize>) -> Option<Duration> {
        let calls = self.call.iter().enumerate();
        let calls = calls.filter(|(index, _)| step.is_none_or(|step| step == index + 1));
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

    /// What the `[[call]]` of this number asks for, if it asks for a token itself.
    pub(crate) fn token_request(&self, step: usize) -> Option<&'a GetToken> {
        match &self.call.get(step.checked_sub(1)?)?.action {
            CallDo::GetToken(get) => Some(get),
            CallDo::UseResource(_) | CallDo::Redis(_) | CallDo::RedisSubscribe(_) => None,
        }
    }

    /// The channels to which the subscriber of this name listens.
    pub(crate) fn channels(&self, subscriber: &str) -> BTreeSet<&'a str> {
        let wanted = self.call.iter().filter_map(|call| match &call.action {
            CallDo::RedisSubscribe(to) => (to.connection == subscriber).then_some(&to.channels),
            CallDo::GetToken(_) | CallDo::UseResource(_) | CallDo::Redis(_) => None,
        });
        wanted.flatten().map(String::as_str).collect()
    }

    /// The names of the commands that callers send in Redis transactions, in capitals.
    pub(crate) fn sent_in_transactions(&self) -> BTreeSet<String> {
        let works = self.call.iter().filter_map(|call| match &call.action {
            CallDo::Redis(work) => Some(work),
            CallDo::GetToken(_) | CallDo::UseResource(_) | CallDo::RedisSubscribe(_) => None,
        });
        let mut names = BTreeSet::new();
        for work in works {
            let commands = work.send.iter().filter_map(|text| parse_command(text).ok());
            let commands = commands.filter_map(|words| words.into_iter().next());
            let commands: BTreeSet<String> = commands.map(|name| name.to_uppercase()).collect();
            if work.how == RedisHow::Transaction || commands.contains("MULTI") {
                names.extend(commands);
            }
        }
        names
    }

    /// Whether a Redis connection of the subject stays broken once it is.
    pub(crate) fn connections_stay_broken(&self) -> bool {
        let client = self.subject.redis.as_ref().map(|redis| redis.client);
        client == Some(RedisClientKind::Single)
    }

    /// How many retries the documentation allows one waiting caller of the subject at a service;
    /// none if nothing in it asks there.
    pub(crate) fn retries(&self, service: Service) -> Option<u32> {
        let source = match service {
            Service::Imds => Source::Imds {
                selected: self.selects_managed_identity(),
            },
            Service::Entra => Source::Entra,
            Service::Redis => return None,
        };
        self.subject.credential.retries(&source)
    }

    /// Whether `AZURE_TOKEN_CREDENTIALS` selects the managed identity alone. Credentials built
    /// later see later values.
    fn selects_managed_identity(&self) -> bool {
        const SELECTION: &str = "AZURE_TOKEN_CREDENTIALS";
        let at_start = self.world.environment.get(SELECTION);
        let later = self
            .actions()
            .filter_map(|action| set_to(action, SELECTION));
        at_start.into_iter().chain(later).any(|value| {
            value
                .trim()
                .eq_ignore_ascii_case("ManagedIdentityCredential")
        })
    }
}

/// What an action takes away for good.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Loss {
    Nothing,
    /// The shared credential.
    Credential,
    /// A right clock: by a wrong one, tokens that are good may never be.
    Clock,
    /// Something that tokens come from, or the right to use them.
    Source,
}

fn loss(action: &Action) -> Loss {
    match action {
        Action::Dispose(_) => Loss::Credential,
        Action::StepClock(_) => Loss::Clock,
        Action::RemoveIdentity(_)
        | Action::AzLogout(_)
        | Action::AzdLogout(_)
        | Action::PwshLogout(_)
        | Action::AzUninstall(_)
        | Action::PwshUninstall(_)
        | Action::RotateSecret(_)
        | Action::RedisDeny(_) => Loss::Source,
        Action::AzLogin(_)
        | Action::AzdLogin(_)
        | Action::PwshLogin(_)
        | Action::AzInstall(_)
        | Action::PwshInstall(_)
        | Action::AssignSystemIdentity(_)
        | Action::Fault(_)
        | Action::Lift(_)
        | Action::Network(_)
        | Action::Crash(_)
        | Action::Restart(_)
        | Action::SetVariable(_)
        | Action::RedisKill(_)
        | Action::RedisFailOver(_)
        | Action::RedisAllow(_) => Loss::Nothing,
    }
}

/// How an action changes what of a client's attempts its service sees.
enum Hides {
    Nothing,
    /// Attempts do not arrive there any more.
    Arrivals(Service),
    /// The end of an answer of the service of this name.
    Ends(&'static str),
}

fn hides(action: &Action) -> Hides {
    match action {
        Action::Network(change) if change.reach != Reach::Reachable => {
            Hides::Arrivals(change.service)
        }
        Action::Crash(crash) => Hides::Arrivals(crash.service),
        Action::Fault(fault) if matches!(fault.then, FaultThen::Drip(_)) => {
            Hides::Ends(fault.on.endpoint())
        }
        Action::Network(_)
        | Action::Fault(_)
        | Action::Dispose(_)
        | Action::StepClock(_)
        | Action::RemoveIdentity(_)
        | Action::AzLogout(_)
        | Action::AzdLogout(_)
        | Action::PwshLogout(_)
        | Action::AzUninstall(_)
        | Action::PwshUninstall(_)
        | Action::RotateSecret(_)
        | Action::RedisDeny(_)
        | Action::AzLogin(_)
        | Action::AzdLogin(_)
        | Action::PwshLogin(_)
        | Action::AzInstall(_)
        | Action::PwshInstall(_)
        | Action::AssignSystemIdentity(_)
        | Action::Lift(_)
        | Action::Restart(_)
        | Action::SetVariable(_)
        | Action::RedisKill(_)
        | Action::RedisFailOver(_)
        | Action::RedisAllow(_) => Hides::Nothing,
    }
}

/// The value to which an action sets the variable of this name, if it does.
fn set_to<'a>(action: &'a Action, name: &str) -> Option<&'a String> {
    // Every other action leaves variables alone.
    let Action::SetVariable(set) = action else {
        return None;
    };
    (set.name == name).then_some(&set.value)
}
