//! What a part of a scenario is checked with.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::{Deref, DerefMut, Range as Window},
    time::Duration,
};

use super::{Names, is_guid};
use crate::scenario::{
    Span,
    checker::Checker,
    diagnostics::{closest, one_of},
    document::Place,
};

/// Checks parts of a scenario. Derefs to the [`Checker`], which reports.
pub(crate) struct Check<'a> {
    /// The names that the scenario defines.
    pub names: Names<'a>,
    /// What the rest of the file says.
    pub rest: Rest<'a>,
    /// The ids that the world has given out so far: each belongs to one thing only.
    pub ids: BTreeSet<String>,
    /// Where problems are reported.
    pub checker: Checker<'a>,
}

/// What the parts of a scenario need to know of each other when they are checked.
pub(crate) struct Rest<'a> {
    /// The services and commands of the world, by their keys in `[world]`.
    pub services: BTreeSet<&'static str>,
    /// How to add a service or a command of this key to `[world]`, for the help of a diagnostic.
    pub advice: fn(&str) -> &'static str,
    /// The user names of the people who can sign in.
    pub accounts: BTreeSet<&'a str>,
    /// The hosts that resources cannot have, and what is there.
    pub reserved_hosts: Vec<(&'static str, &'static str)>,
    /// The services that give tokens to credentials, by their keys in `[world]`.
    pub token_sources: Vec<&'static str>,
    /// The rights that each resource grants, to whomever, by its name in `[world.resources]`.
    pub resources: BTreeMap<&'a str, BTreeSet<&'a str>>,
    /// How many nodes share the keys of the world's Redis; 1 if there is none.
    pub redis_nodes: u32,
    /// One entry for each `[[call]]`, in the order of the file.
    pub calls: Vec<Series<'a>>,
    /// The name of each fault of the timeline, and when it begins.
    pub faults: Vec<(&'a str, Span)>,
    /// How many seeds are played, if the file says so.
    pub seeds: Option<u32>,
    /// Whether a Redis client is under test.
    pub has_redis_client: bool,
    /// When something in the world gets better for the last time.
    pub last_repair: Option<Duration>,
    /// Whether the story is that the credential can't be built.
    pub is_about_building: bool,
}

/// When a `[[call]]` begins, and what it does.
pub(crate) struct Series<'a> {
    /// The first one.
    pub at: Span,
    /// How often it is repeated.
    pub every: Option<Span>,
    /// The last repetition begins before this.
    pub until: Option<Span>,
    /// Whether it asks the shared credential or a clone of it.
    pub shares_credential: bool,
    /// What of the subject it uses.
    pub uses: Uses,
    /// The resource that it uses.
    pub resource: Option<&'a str>,
    /// The name of the subscriber that it makes.
    pub subscribes: Option<&'a str>,
}

/// What of the subject a call uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uses {
    /// The credential.
    Credential,
    /// The Redis client.
    RedisClient,
    /// Nothing: it sends a bare HTTP request, and no credential is built for it.
    BareHttp,
}

impl Uses {
    /// All of them.
    pub(crate) const ALL: &'static [Self] = &[Self::Credential, Self::RedisClient, Self::BareHttp];

    /// What a call does that uses it, to follow `that` in a sentence.
    pub(crate) fn describe(self) -> &'static str {
        match self {
            Self::Credential => "asks the credential",
            Self::RedisClient => "uses the Redis client",
            Self::BareHttp => "sends a bare request",
        }
    }
}

impl<'a> Deref for Check<'a> {
    type Target = Checker<'a>;

    fn deref(&self) -> &Checker<'a> {
        &self.checker
    }
}

impl DerefMut for Check<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.checker
    }
}

impl Check<'_> {
    /// A principal that a token can be for.
    pub(crate) fn principal(&mut self, id: &str, place: &Place) {
        self.principal_at(id, place, false);
    }

    /// The same, where the id may be a key.
    pub(crate) fn principal_at(&mut self, id: &str, place: &Place, is_key: bool) {
        if self.names.principals.contains_key(id) {
            return;
        }
        let message = format!("no principal in this world has the object id `{id}`");
        let problem = if is_key {
            self.checker.at_key(place, message)
        } else {
            self.checker.at_value(place, message)
        };
        if problem.is_unshown() {
            return;
        }
        let principals = &self.names.principals;
        let known = principals.keys().copied().collect::<Vec<_>>();
        let by_name = principals.iter().find(|(_, name)| name.as_str() == id);
        let help = match (by_name, closest(id, known.iter().copied())) {
            (Some((id, name)), _) => Some(format!("the object id of {name} is `{id}`")),
            (None, Some(near)) => Some(format!("did you mean `{near}`, {}?", principals[near])),
            (None, None) => None,
        };
        let expected = match known.as_slice() {
            [] => "an object id; but this world has no principals".to_owned(),
            known => {
                let said = |id: &&str| format!("`{id}` ({})", principals[*id]);
                let known = known.iter().map(said).collect::<Vec<_>>();
                format!("an object id: {}", known.join(", "))
            }
        };
        problem.label("not in this world").expected(expected);
        if let Some(help) = help {
            problem.help(help);
        }
    }

    /// A person who can sign in.
    pub(crate) fn account(&mut self, user: &str, place: &Place) {
        let accounts = &self.rest.accounts;
        if accounts.contains(user) {
            return;
        }
        let message = format!("there is no account `{user}`");
        let problem = self.checker.at_value(place, message);
        if problem.is_unshown() {
            return;
        }
        problem.label("not in `world.accounts`");
        if accounts.is_empty() {
            problem.expected("the name of an account").help(format!(
                "add `[world.accounts.\"{user}\"]` with `object-id = \"...\"`"
            ));
        } else {
            let users = accounts.iter().copied();
            problem
                .expected(one_of(users.clone()))
                .did_you_mean(user, users);
        }
    }

    /// An object id or client id of the world: a GUID that nothing else in it has.
    pub(crate) fn own_id(&mut self, id: &str, place: &Place) {
        self.guid(id, place);
        if !id.is_empty() && !self.ids.insert(id.to_owned()) {
            self.at_value(place, format!("two ids are `{id}`"))
                .label("this is the second one")
                .expected("an id that is used only once in this world")
                .help("give each its own: otherwise the trace can't say which one answered");
        }
    }

    /// An id in the form that Azure gives them.
    pub(crate) fn guid(&mut self, id: &str, place: &Place) {
        if !is_guid(id) {
            self.at_value(place, format!("`{id}` is not an id of Azure"))
                .label(match id.len() {
                    0 => "it is empty".to_owned(),
                    36 => "not hexadecimal digits in groups of 8-4-4-4-12".to_owned(),
                    length => format!("{length} characters instead of 36"),
                })
                .expected("a GUID, such as \"5e29463d-0000-0000-0000-000000000001\"");
        }
    }

    /// An environment variable.
    pub(crate) fn variable(&mut self, name: &str, value: &str, place: &Place) {
        if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
            self.at_key(place, "no system has such an environment variable")
                .label("impossible")
                .expected("a name without `=`, and neither name nor value with a NUL");
        }
    }

    /// How long the tokens of a service or a command live.
    pub(crate) fn token_life(&mut self, life: Span, place: &Place) {
        let place = place.key("token-life");
        self.longer_than_zero(life, &place, TOKEN_LIFE);
        self.whole_seconds(life, &place);
    }

    /// A resource of the world.
    pub(crate) fn resource(&mut self, name: &str, place: &Place) -> bool {
        if self.rest.resources.contains_key(name) {
            return true;
        }
        let message = format!("there is no resource `{name}`");
        let problem = self.checker.at_value(place, message);
        if problem.is_unshown() {
            return false;
        }
        problem.label("not in `world.resources`");
        let resources = self.rest.resources.keys().copied().collect::<Vec<_>>();
        if resources.is_empty() {
            problem.expected("the name of a resource").help(format!(
                "add `[world.resources.{name}]` with `audience = \"https://vault.azure.net\"`"
            ));
        } else {
            let names = resources.iter().copied();
            problem
                .expected(one_of(names.clone()))
                .did_you_mean(name, names);
        }
        false
    }

    /// A credential that can answer or fail in this scenario.
    pub(crate) fn credential(&mut self, name: &str, place: &Place) {
        let known = self.names.credentials.clone();
        if !known.contains(name) {
            self.at_value(place, format!("`{name}` has no part in this scenario"))
                .label("not a credential of the subject")
                .expected(one_of(known.iter().copied()))
                .did_you_mean(name, known.iter().copied());
        }
    }

    /// A service or command that must be in the world.
    pub(crate) fn service(&mut self, name: &str, place: &Place) -> bool {
        let exists = self.rest.services.contains(name);
        if !exists {
            let advice = (self.rest.advice)(name);
            self.at_key(place, format!("there is no `{name}` in this world"))
                .label(format!("the file has no `[world.{name}]`"))
                .help(format!("add `[world.{name}]`, {advice}"));
        }
        exists
    }

    /// Returns whether a call of the step, or of any, begins in the window and uses one of `uses`.
    pub(crate) fn some_call(
        &self,
        window: &Window<Duration>,
        step: Option<usize>,
        uses: &[Uses],
    ) -> bool {
        let end = self.lasts;
        let calls = self.rest.calls.iter().enumerate();
        let calls = calls.filter(|(index, _)| step.is_none_or(|step| step == index + 1));
        let mut calls = calls.filter(|(_, call)| uses.contains(&call.uses));
        calls.any(|(_, call)| {
            let first = call.at.0;
            let every = call.every.unwrap_or_default().0.as_nanos();
            let skipped = match window.start.checked_sub(first) {
                None => 0,
                Some(early) if every > 0 => early.as_nanos().div_ceil(every),
                Some(early) if early.is_zero() => 0,
                Some(_) => return false,
            };
            let begins = first
                .as_nanos()
                .saturating_add(skipped.saturating_mul(every));
            let last = if skipped > 0 {
                call.until.unwrap_or(end).min(end)
            } else {
                end
            };
            begins < window.end.as_nanos() && begins < last.0.as_nanos()
        })
    }
}

const TOKEN_LIFE: &str =
    "a token that ends at once is never handed out; leave it out for the default";
