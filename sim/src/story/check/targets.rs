//! References to what must exist in the world.

use super::Check;
use crate::{command::matcher::CommandMatch, scenario::document::Place, world::Target};

impl Check<'_> {
    /// Which requests an expectation is about.
    pub(crate) fn target(&mut self, target: &Target, place: &Place) {
        self.requests_of(target, &place.key("to"));
    }

    /// Whether what is meant exists: a target at its key in `place`.
    pub(crate) fn requests_of(&mut self, target: &Target, place: &Place) {
        let place = place.key(target.key());
        match target {
            Target::Imds(of) => of.check(&place, self),
            Target::Entra(of) => of.check(&place, self),
            Target::Az(CommandMatch {}) => self.on_command("az", &place),
            Target::Azd(CommandMatch {}) => self.on_command("azd", &place),
            Target::Pwsh(CommandMatch {}) => self.on_command("pwsh", &place),
            Target::Resource(resource) => {
                self.resource(&resource.name, &place.key("name"));
            }
            Target::Redis(of) => of.check(&place, self),
        }
    }

    fn on_command(&mut self, name: &str, place: &Place) {
        self.service(name, place);
    }
}
