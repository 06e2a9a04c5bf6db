//! References to what must exist in the world.

use super::{
    super::{
        CommandMatch, EntraMatch, ImdsMatch, Target,
        diagnostics::{closest, one_of},
    },
    Check, Place,
};

impl Check<'_> {
    /// Somebody that a token can be for.
    pub(super) fn principal(&mut self, id: &str, place: &Place) {
        self.principal_at(id, place, false);
    }

    /// The same, where the id may be a key.
    pub(super) fn principal_at(&mut self, id: &str, place: &Place, is_key: bool) {
        if self.names.principals.contains_key(id) {
            return;
        }
        let known = self.names.principals.keys().copied().collect::<Vec<_>>();
        let by_name = self
            .names
            .principals
            .iter()
            .find(|(_, name)| name.as_str() == id);
        let help = match (by_name, closest(id, known.iter().copied())) {
            (Some((id, name)), _) => Some(format!("the object id of {name} is `{id}`")),
            (None, Some(near)) => Some(format!(
                "did you mean `{near}`, {}?",
                self.names.principals[near]
            )),
            (None, None) => None,
        };
        let expected = match known.as_slice() {
            [] => "an object id; but there is nobody in this world".to_owned(),
            known => {
                let said = |id: &&str| format!("`{id}` ({})", self.names.principals[*id]);
                let known = known.iter().map(said).collect::<Vec<_>>();
                format!("an object id: {}", known.join(", "))
            }
        };
        let message = format!("nobody in this world has the object id `{id}`");
        let problem = if is_key {
            self.at_key(place, message)
        } else {
            self.at_value(place, message)
        };
        problem.label("nobody").expected(expected);
        if let Some(help) = help {
            problem.help(help);
        }
    }

    /// A person who can sign in.
    pub(super) fn account(&mut self, user: &str, place: &Place) {
        let accounts = &self.scenario.world.accounts;
        if accounts.contains_key(user) {
            return;
        }
        let problem = self.at_value(place, format!("there is no account `{user}`"));
        problem.label("not in `world.accounts`");
        if accounts.is_empty() {
            problem.expected("the name of an account").help(format!(
                "add `[world.accounts.\"{user}\"]` with `object-id = \"...\"`"
            ));
        } else {
            let users = accounts.keys().map(String::as_str);
            problem
                .expected(one_of(users.clone()))
                .did_you_mean(user, users);
        }
    }

    /// A resource of the world.
    pub(super) fn resource(&mut self, name: &str, place: &Place) -> bool {
        let resources = &self.scenario.world.resources;
        if resources.contains_key(name) {
            return true;
        }
        let problem = self.at_value(place, format!("there is no resource `{name}`"));
        problem.label("not in `world.resources`");
        if resources.is_empty() {
            problem.expected("the name of a resource").help(format!(
                "add `[world.resources.{name}]` with `audience = \"https://vault.azure.net\"`"
            ));
        } else {
            let names = resources.keys().map(String::as_str);
            problem
                .expected(one_of(names.clone()))
                .did_you_mean(name, names);
        }
        false
    }

    /// A credential that can answer or fail in this scenario.
    pub(super) fn credential(&mut self, name: &str, place: &Place) {
        let known = self.names.credentials.clone();
        if !known.contains(name) {
            self.at_value(place, format!("`{name}` has no part in this scenario"))
                .label("not a credential of the subject")
                .expected(one_of(known.iter().copied()))
                .did_you_mean(name, known.iter().copied());
        }
    }

    /// Which requests an expectation is about.
    pub(super) fn target(&mut self, target: &Target, place: &Place) {
        let place = place.key("to");
        match target {
            Target::Imds(of) => self.on_imds(of, &place.key("imds")),
            Target::Entra(of) => self.on_entra(of, &place.key("entra")),
            Target::Az(CommandMatch {}) => self.on_command("az", &place.key("az")),
            Target::Azd(CommandMatch {}) => self.on_command("azd", &place.key("azd")),
            Target::Pwsh(CommandMatch {}) => self.on_command("pwsh", &place.key("pwsh")),
            Target::Resource(resource) => {
                self.resource(&resource.name, &place.key("resource").key("name"));
            }
            Target::Redis(of) => self.on_redis(of, &place.key("redis")),
        }
    }

    pub(super) fn on_imds(&mut self, of: &ImdsMatch, place: &Place) {
        self.service("imds", place);
        if let Some(resource) = &of.resource
            && let Some(audience) = resource.strip_suffix("/.default")
        {
            self.at_value(
                &place.key("resource"),
                "IMDS is asked for a resource, not for a scope",
            )
            .label("this is a scope")
            .help(format!("write \"{audience}\""));
        }
    }

    pub(super) fn on_entra(&mut self, of: &EntraMatch, place: &Place) {
        self.service("entra", place);
        if let Some(client) = &of.client_id
            && !self.names.clients.contains(client.as_str())
        {
            let known = self.names.clients.clone();
            self.at_value(
                &place.key("client-id"),
                format!("no request comes from `{client}`"),
            )
            .label("neither registered in Entra nor used by the subject")
            .expected(match known.len() {
                0 => "a client id; but there is none in this scenario".to_owned(),
                _ => one_of(known.iter().copied()),
            })
            .did_you_mean(client, known.iter().copied());
        }
    }

    pub(super) fn on_command(&mut self, name: &str, place: &Place) {
        self.service(name, place);
    }

    /// A service or command that must be in the world.
    pub(super) fn service(&mut self, name: &str, place: &Place) -> bool {
        let world = &self.scenario.world;
        let (exists, instead) = match name {
            "imds" => (
                world.imds.is_some(),
                "with `reach = \"black-holed\"` if nobody answers there",
            ),
            "entra" => (
                world.entra.is_some(),
                "with `reach = \"black-holed\"` if nobody answers there",
            ),
            "redis" => (
                world.redis.is_some(),
                "with `principals = [\"...\"]`: who may sign in",
            ),
            "az" => (
                world.az.is_some(),
                "with `installed = false` if it is not installed",
            ),
            "azd" => (
                world.azd.is_some(),
                "with `installed = false` if it is not installed",
            ),
            _ => (
                world.pwsh.is_some(),
                "with `installed = false` if it is not installed",
            ),
        };
        if !exists {
            self.at_key(place, format!("there is no `{name}` in this world"))
                .label(format!("the file has no `[world.{name}]`"))
                .help(format!("add `[world.{name}]`, {instead}"));
        }
        exists
    }
}
