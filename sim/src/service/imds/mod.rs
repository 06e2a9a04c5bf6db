//! The instance metadata service, as far as it hands out tokens.

mod answers;
pub mod matcher;
mod preset;
pub(crate) mod server;
#[cfg(test)]
mod tests;
pub mod world;

use std::time::Duration;

use crate::{
    backend::Backend,
    engine::Server,
    fault::effect::Preset,
    http::{limit::Limit, server::server as serve_on},
    scenario::{Range, Span},
    service::{Principal, Reach, Service, describe_http},
};
use world::{Imds, ManagedIdentity};

/// The address of the instance metadata service.
pub const IMDS_HOST: &str = "169.254.169.254";

impl Service for Imds {
    fn advice() -> &'static str {
        "with `reach = \"black-holed\"` if nobody answers there"
    }

    fn absent() -> Option<&'static str> {
        Some("imds: none, nothing answers at 169.254.169.254")
    }

    fn preset(preset: Preset) -> Option<&'static str> {
        preset::table(preset).map(|(sentence, _)| sentence)
    }

    fn key(&self) -> &'static str {
        "imds"
    }

    fn titles(&self) -> Vec<String> {
        vec!["IMDS".to_owned()]
    }

    fn hosts(&self) -> Vec<(String, u16)> {
        vec![(IMDS_HOST.to_owned(), 80)]
    }

    fn reach(&self) -> Reach {
        self.reach
    }

    fn takes(&self) -> Vec<Range> {
        self.takes.into_iter().collect()
    }

    fn token_life(&self) -> Option<Span> {
        Some(self.token_life)
    }

    fn limit(&self) -> Option<&Limit> {
        self.limit.as_ref()
    }

    fn lasting(&self) -> Option<String> {
        None
    }

    fn principals(&self) -> Vec<Principal<'_>> {
        let system = self.system_identity.iter();
        let system = system.map(|identity| (identity, "the system-assigned identity"));
        let user = self.user_identities.iter();
        let user = user.map(|identity| (identity, "a user-assigned identity"));
        let identities = system.chain(user);
        identities
            .map(|(identity, what)| Principal::Identity {
                object_id: &identity.object_id,
                what,
            })
            .collect()
    }

    fn describe(&self) -> Vec<String> {
        vec![metadata_service(self)]
    }

    fn install(&self, backend: &Backend) {
        let mut state = backend.state();
        state.parts.insert(self.clone());
        state.parts.insert(server::KeptTokens::default());
    }

    fn servers(&self, backend: &Backend) -> Vec<Server> {
        vec![serve_on(backend, IMDS_HOST, 80, server::Imds)]
    }

    fn crash(&self, _: &Backend, _: Duration) {}
}

fn metadata_service(imds: &Imds) -> String {
    let mut parts = Vec::new();
    match &imds.system_identity {
        Some(identity) => parts.push(format!("system-assigned identity {}", who(identity))),
        None => parts.push("no system-assigned identity".to_owned()),
    }
    parts.extend(
        imds.user_identities
            .iter()
            .map(|identity| format!("user-assigned identity {}", who(identity))),
    );
    parts.push(format!("tokens live {}", imds.token_life));
    if imds.keeps_tokens {
        let until = format!("handed out again until {} are left", imds.keeps_until_left);
        parts.push(format!("and are {until}"));
    }
    describe_http(
        &mut parts,
        imds.takes.as_ref(),
        imds.reach,
        imds.limit.as_ref(),
    );
    let answer = &imds.answer;
    let oddities = [
        (answer.numbers, "times are JSON numbers"),
        (answer.without_expires_in, "answers have no expires_in"),
        (answer.without_expires_on, "answers have no expires_on"),
    ];
    parts.extend(
        oddities
            .iter()
            .filter(|(is, _)| *is)
            .map(|(_, says)| (*says).to_owned()),
    );
    format!("imds: {}", parts.join(", "))
}

fn who(identity: &ManagedIdentity) -> String {
    let mut text = identity.object_id.clone();
    if let Some(client) = &identity.client_id {
        text += &format!(" (client id {client})");
    }
    text
}
