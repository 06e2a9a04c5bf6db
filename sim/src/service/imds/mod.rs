//! The instance metadata service, as far as it hands out tokens.

mod answers;
pub mod matcher;
mod preset;
pub(crate) mod server;
#[cfg(test)]
mod tests;
pub mod world;

use std::{net::SocketAddr, time::Duration};

use crate::{
    backend::Backend,
    check::Check,
    engine::Server,
    fault::effect::KnownPreset,
    http::exchange::Request,
    http::{limit::Limit, server::server as serve_on},
    scenario::{Range, Span, document::Place},
    service::{Bypass, Principal, Reach, Service, TokenSource, describe_http, managed_identity},
    trace::Facts,
};
use world::Imds;

/// The address of the instance metadata service.
pub const IMDS_HOST: &str = "169.254.169.254";

/// The variable by which clients find another IMDS. With it they send no probe.
const AUTHORITY: &str = "AZURE_POD_IDENTITY_AUTHORITY_HOST";

impl Service for Imds {
    fn advice() -> &'static str {
        "with `reach = \"black-holed\"` if it never answers"
    }

    fn absent() -> Option<&'static str> {
        Some("imds: none, nothing answers at 169.254.169.254")
    }

    fn presets() -> Vec<KnownPreset> {
        preset::table()
            .into_iter()
            .map(|(known, _)| known)
            .collect()
    }

    fn facts_of(host: &str, request: &Request) -> Option<Facts> {
        (host == IMDS_HOST).then(|| Facts::new(matcher::ImdsFacts::of(request)))
    }

    fn token_source() -> Option<TokenSource> {
        Some(TokenSource::Metadata)
    }

    fn reserved_host() -> Option<(&'static str, &'static str)> {
        Some((IMDS_HOST, "IMDS"))
    }

    fn bypass(&self) -> Option<Bypass> {
        Some(Bypass {
            is_only_way: false,
            hosts: self.hosts(),
            variables: |at| vec![(AUTHORITY, format!("http://{at}"))],
            describe: |at| {
                format!(
                    "for clients that ignore the proxy, and without a probe of IMDS: \
                     {AUTHORITY}=http://{at}"
                )
            },
        })
    }

    fn reached_at(&self, _: &Backend, _: &str, _: SocketAddr) {}

    fn key(&self) -> &'static str {
        "imds"
    }

    fn check(&self, place: &Place, check: &mut Check<'_>) {
        self.check_keys(place, check);
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        Vec::new()
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
        managed_identity::principals(self.system_identity.as_ref(), &self.user_identities)
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
    let mut parts =
        managed_identity::describe(imds.system_identity.as_ref(), &imds.user_identities);
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
