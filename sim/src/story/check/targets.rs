//! References to what must exist in the world.

use super::{Check, Place};
use crate::{
    command::matcher::CommandMatch,
    scenario::diagnostics::one_of,
    service::{entra::matcher::EntraMatch, imds::matcher::ImdsMatch},
    world::Target,
};

impl Check<'_> {
    /// Which requests an expectation is about.
    pub(crate) fn target(&mut self, target: &Target, place: &Place) {
        self.requests_of(target, &place.key("to"));
    }

    /// Whether what is meant exists: a target at its key in `place`.
    pub(crate) fn requests_of(&mut self, target: &Target, place: &Place) {
        let place = place.key(target.key());
        match target {
            Target::Imds(of) => self.on_imds(of, &place),
            Target::Entra(of) => self.on_entra(of, &place),
            Target::Az(CommandMatch {}) => self.on_command("az", &place),
            Target::Azd(CommandMatch {}) => self.on_command("azd", &place),
            Target::Pwsh(CommandMatch {}) => self.on_command("pwsh", &place),
            Target::Resource(resource) => {
                self.resource(&resource.name, &place.key("name"));
            }
            Target::Redis(of) => of.check(&place, self),
        }
    }

    pub(crate) fn on_imds(&mut self, of: &ImdsMatch, place: &Place) {
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

    pub(crate) fn on_entra(&mut self, of: &EntraMatch, place: &Place) {
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

    pub(crate) fn on_command(&mut self, name: &str, place: &Place) {
        self.service(name, place);
    }
}
