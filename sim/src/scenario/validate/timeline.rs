//! What happens to the world: each event must be possible when its time comes.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{
    super::{Action, At, Service, diagnostics::closest},
    Check, Place,
};

/// The world as it is between two events.
struct Now<'a> {
    installed: BTreeMap<&'static str, bool>,
    accounts: BTreeMap<&'static str, Option<&'a str>>,
    identities: BTreeSet<&'a str>,
    /// Faults by name: when they began, and when they end by themselves.
    faults: BTreeMap<&'a str, (Duration, Option<Duration>)>,
    lifted: BTreeSet<&'a str>,
    down: BTreeSet<&'static str>,
    disposed: bool,
}

impl<'a> Check<'a> {
    pub(super) fn timeline(&mut self) {
        let scenario = self.scenario;
        let world = &scenario.world;
        let imds = world.imds.iter();
        let mut now = Now {
            installed: BTreeMap::from([
                ("az", world.az.as_ref().is_some_and(|az| az.installed)),
                ("azd", world.azd.as_ref().is_some_and(|azd| azd.installed)),
                (
                    "pwsh",
                    world.pwsh.as_ref().is_some_and(|pwsh| pwsh.installed),
                ),
            ]),
            accounts: BTreeMap::from([
                ("az", world.az.as_ref().and_then(|az| az.account.as_deref())),
                (
                    "azd",
                    world.azd.as_ref().and_then(|azd| azd.account.as_deref()),
                ),
                (
                    "pwsh",
                    world.pwsh.as_ref().and_then(|pwsh| pwsh.account.as_deref()),
                ),
            ]),
            identities: imds
                .flat_map(|imds| imds.system_identity.iter().chain(&imds.user_identities))
                .map(|identity| identity.object_id.as_str())
                .collect(),
            faults: BTreeMap::new(),
            lifted: BTreeSet::new(),
            down: BTreeSet::new(),
            disposed: false,
        };
        let mut events = scenario.at.iter().enumerate().collect::<Vec<_>>();
        events.sort_by_key(|(_, at)| at.time);
        for (index, at) in events {
            let place = Place::default().key("at").index(index);
            self.before_the_end(at.time, &place.key("time"));
            self.event(at, &place.key("do"), &mut now);
        }
    }

    fn event(&mut self, at: &'a At, place: &Place, now: &mut Now<'a>) {
        match &at.action {
            Action::AzLogin(login) => self.login("az", &login.account, &place.key("az-login"), now),
            Action::AzdLogin(login) => {
                self.login("azd", &login.account, &place.key("azd-login"), now)
            }
            Action::AzLogout(_) => self.logout("az", &place.key("az-logout"), now),
            Action::AzdLogout(_) => self.logout("azd", &place.key("azd-logout"), now),
            Action::PwshLogin(login) => {
                self.login("pwsh", &login.account, &place.key("pwsh-login"), now)
            }
            Action::PwshLogout(_) => self.logout("pwsh", &place.key("pwsh-logout"), now),
            Action::AzInstall(_) => self.install("az", true, &place.key("az-install"), now),
            Action::AzUninstall(_) => self.install("az", false, &place.key("az-uninstall"), now),
            Action::PwshInstall(_) => self.install("pwsh", true, &place.key("pwsh-install"), now),
            Action::PwshUninstall(_) => {
                self.install("pwsh", false, &place.key("pwsh-uninstall"), now)
            }
            Action::RemoveIdentity(identity) => {
                let place = place.key("remove-identity");
                if self.service("imds", &place) {
                    self.remove(&identity.object_id, &place.key("object-id"), now);
                }
            }
            Action::AssignSystemIdentity(identity) => {
                let place = place.key("assign-system-identity");
                self.service("imds", &place);
                self.system_identity(identity, &place);
                self.guid(&identity.object_id, &place.key("object-id"));
                now.identities.insert(&identity.object_id);
            }
            Action::Fault(fault) => {
                self.fault(fault, &place.key("fault"));
                let ends = fault.lasts.map(|lasts| at.time.0.saturating_add(lasts.0));
                if now.faults.insert(&fault.name, (at.time.0, ends)).is_some() {
                    self.at_value(
                        &place.key("fault").key("name"),
                        format!("two faults are called `{}`", fault.name),
                    )
                    .label("this is the second one")
                    .help("give each its own name: `lift` and the trace know it by that");
                }
            }
            Action::Lift(lift) => self.lift(at, &lift.fault, &place.key("lift").key("fault"), now),
            Action::Network(change) => {
                self.of_service(change.service, &place.key("network").key("service"));
            }
            Action::Crash(of) => self.crash(of.service, &place.key("crash"), now),
            Action::Restart(of) => self.restart(of.service, &place.key("restart"), now),
            Action::StepClock(step) => {
                let place = place.key("step-clock").key("by");
                self.longer_than_zero(
                    super::Span(step.by.length),
                    &place,
                    "a step of nothing changes nothing",
                );
            }
            Action::SetVariable(change) => {
                self.variable(
                    &change.name,
                    &change.value,
                    &place.key("set-variable").key("name"),
                );
            }
            Action::Dispose(_) => {
                if std::mem::replace(&mut now.disposed, true) {
                    self.at_key(
                        &place.key("dispose"),
                        "the shared credential is disposed twice",
                    )
                    .label("it is gone already")
                    .help("remove one of the two events");
                } else if !self.uses_shared() {
                    self.at_key(&place.key("dispose"), "no call uses the shared credential")
                        .label("so nobody notices")
                        .expected("a `[[call]]` whose `credential` is `shared` or `clone`")
                        .help("add one, or remove this event");
                }
            }
            Action::RotateSecret(rotation) => {
                let place = place.key("rotate-secret");
                if self.service("entra", &place) {
                    self.app(&rotation.client_id, &place.key("client-id"));
                }
                self.text(&rotation.secret, &place.key("secret"), "the new secret");
            }
            Action::RedisKill(of) => self.redis_kill(of, &place.key("redis-kill")),
            Action::RedisFailOver(of) => self.redis_fail_over(of, &place.key("redis-fail-over")),
            Action::RedisAllow(of) => self.redis_principal(of, &place.key("redis-allow")),
            Action::RedisDeny(of) => self.redis_principal(of, &place.key("redis-deny")),
        }
    }

    /// Whether a call asks the shared credential or a clone of it.
    fn uses_shared(&self) -> bool {
        let mut calls = self.scenario.call.iter();
        calls.any(|call| call.credential.is_shared())
    }

    fn login(&mut self, command: &'static str, user: &'a str, place: &Place, now: &mut Now<'a>) {
        if self.service(command, place) {
            self.needs_installed(command, place, now);
        }
        self.account(user, &place.key("account"));
        now.accounts.insert(command, Some(user));
    }

    fn logout(&mut self, command: &'static str, place: &Place, now: &mut Now<'a>) {
        if !self.service(command, place) || !self.needs_installed(command, place, now) {
            return;
        }
        if now.accounts.insert(command, None).flatten().is_none() {
            self.at_key(
                place,
                format!("nobody is logged in to `{command}` at that time"),
            )
            .label("nothing to log out of")
            .help("events happen in the order of their times, whatever their order in the file");
        }
    }

    fn needs_installed(&mut self, command: &'static str, place: &Place, now: &Now<'_>) -> bool {
        let is_installed = now.installed[command];
        if !is_installed {
            self.at_key(place, format!("`{command}` is not installed at that time"))
                .label("nobody can run it")
                .help(format!(
                    "set `installed = true` in `[world.{command}]`, or install it before"
                ));
        }
        is_installed
    }

    fn install(
        &mut self,
        command: &'static str,
        installed: bool,
        place: &Place,
        now: &mut Now<'_>,
    ) {
        if self.service(command, place)
            && now.installed.insert(command, installed) == Some(installed)
        {
            let state = if installed {
                "already installed"
            } else {
                "not installed"
            };
            self.at_key(place, format!("`{command}` is {state} at that time"))
                .label("this changes nothing")
                .help(format!(
                    "`installed` in `[world.{command}]` says how the world begins; the default is \
                     true"
                ));
        }
    }

    fn remove(&mut self, id: &str, place: &Place, now: &mut Now<'_>) {
        if now.identities.remove(id) {
            return;
        }
        if self.names.identities.contains(id) {
            self.at_value(place, "IMDS does not know this identity at that time")
                .label("already removed, or not yet assigned")
                .help(
                    "events happen in the order of their times, whatever their order in the file",
                );
            return;
        }
        let known = self.names.identities.clone();
        self.at_value(place, format!("IMDS never knows an identity `{id}`"))
            .label("not in this world")
            .expected(match known.len() {
                0 => "the object id of a managed identity; but there is none in this world"
                    .to_owned(),
                _ => super::super::diagnostics::one_of(known.iter().copied()),
            })
            .did_you_mean(id, known.iter().copied());
    }

    fn lift(&mut self, at: &At, name: &'a str, place: &Place, now: &mut Now<'a>) {
        let all = self.scenario.at.iter().filter_map(|at| match &at.action {
            Action::Fault(fault) => Some((fault.name.as_str(), at.time)),
            _ => None,
        });
        let all = all.collect::<Vec<_>>();
        match now.faults.get(name) {
            Some((_, Some(ends))) if *ends <= at.time.0 => {
                self.at_value(
                    place,
                    format!("the fault `{name}` has ended by itself before"),
                )
                .label(format!("its `lasts` ended it at {}", super::Span(*ends)))
                .help("remove this event, or the fault's `lasts`");
            }
            Some(_) if !now.lifted.insert(name) => {
                self.at_value(place, format!("the fault `{name}` is lifted twice"))
                    .label("it is gone already")
                    .help("remove one of the two events");
            }
            Some(_) => {}
            None => match all.iter().find(|(known, _)| *known == name) {
                Some((_, begins)) => {
                    self.at_value(
                        place,
                        format!("the fault `{name}` is lifted before it begins"),
                    )
                    .label(format!("lifted at {}, but it begins at {begins}", at.time))
                    .expected(format!("a `time` after {begins}"))
                    .help("at equal times the order of the file counts");
                }
                None => {
                    let names = all.iter().map(|(known, _)| *known).collect::<Vec<_>>();
                    let near = closest(name, names.iter().copied());
                    let problem = self.at_value(place, format!("there is no fault `{name}`"));
                    problem
                        .label("nothing to lift")
                        .expected(match names.as_slice() {
                            [] => "the name of a fault; but this scenario has none".to_owned(),
                            names => super::super::diagnostics::one_of(names.iter().copied()),
                        });
                    if let Some(near) = near {
                        problem.help(format!("did you mean `{near}`?"));
                    }
                }
            },
        }
    }

    fn of_service(&mut self, service: Service, place: &Place) -> bool {
        let name = service.name();
        self.service(name, place)
    }

    fn crash(&mut self, service: Service, place: &Place, now: &mut Now<'_>) {
        if self.of_service(service, &place.key("service")) && !now.down.insert(service.name()) {
            self.at_key(
                place,
                format!("`{}` is down already at that time", service.name()),
            )
            .label("this changes nothing")
            .help("let it `restart` before it crashes again");
        }
    }

    fn restart(&mut self, service: Service, place: &Place, now: &mut Now<'_>) {
        if self.of_service(service, &place.key("service")) && !now.down.remove(service.name()) {
            self.at_key(
                place,
                format!("`{}` is not down at that time", service.name()),
            )
            .label("this changes nothing")
            .help("let it `crash` before");
        }
    }

    fn app(&mut self, client_id: &str, place: &Place) {
        let known = self.names.apps.clone();
        if !known.contains(client_id) {
            self.at_value(place, format!("there is no application `{client_id}`"))
                .label("not in `world.entra.apps`")
                .expected(match known.len() {
                    0 => "a client id; but no application is registered".to_owned(),
                    _ => super::super::diagnostics::one_of(known.iter().copied()),
                })
                .did_you_mean(client_id, known.iter().copied());
        }
    }
}
