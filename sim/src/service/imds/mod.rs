//! The instance metadata service, as far as it hands out tokens.

mod answers;
pub mod matcher;
mod preset;
pub(crate) mod server;
#[cfg(test)]
mod tests;
pub mod world;

use crate::{
    backend::handle::State,
    check::Check,
    fault::effect::KnownPreset,
    http::exchange::{Endpoint, Request},
    scenario::document::Place,
    service::{
        About, Asked, Bypass, CommonKeys, HttpService, Principal, TokenSource, managed_identity,
    },
    trace::Facts,
};
use world::Imds;

/// The address of the instance metadata service.
pub const IMDS_HOST: &str = "169.254.169.254";

/// The variable by which clients find another IMDS. With it they send no probe.
const AUTHORITY: &str = "AZURE_POD_IDENTITY_AUTHORITY_HOST";

impl HttpService for Imds {
    const ABOUT: About = About {
        key: "imds",
        title: "IMDS",
        short_title: "IMDS",
        host: IMDS_HOST,
        port: 80,
        advice: "with `reach = \"black-holed\"` if it never answers",
        absent: Some("imds: none, nothing answers at 169.254.169.254"),
        token_source: Some(TokenSource::Metadata),
    };

    fn presets() -> Vec<KnownPreset> {
        preset::table()
            .into_iter()
            .map(|(known, _)| known)
            .collect()
    }

    fn facts(request: &Request) -> Facts {
        Facts::new(matcher::ImdsFacts::of(request))
    }

    fn asked(facts: &Facts) -> Option<Asked> {
        let facts = facts.get::<matcher::ImdsFacts>()?;
        Some(match facts.route {
            matcher::Route::Token => Asked::Token,
            matcher::Route::Probe => Asked::Probe,
            matcher::Route::Other => Asked::Other,
        })
    }

    fn asked_for(facts: &Facts) -> Option<&str> {
        facts.get::<matcher::ImdsFacts>()?.resource.as_deref()
    }

    fn endpoint() -> impl Endpoint {
        server::Imds
    }

    fn common_keys(&self) -> CommonKeys<'_> {
        self.common()
    }

    fn check_own_keys(&self, place: &Place, check: &mut Check<'_>) {
        self.check_own(place, check);
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    fn bypass(&self) -> Option<Bypass> {
        Some(Bypass {
            is_only_way: false,
            hosts: vec![(IMDS_HOST.to_owned(), 80)],
            variables: |at| vec![(AUTHORITY, format!("http://{at}"))],
            describe: |at| {
                format!(
                    "for clients that ignore the proxy, and without a probe of IMDS: \
                     {AUTHORITY}=http://{at}"
                )
            },
        })
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

    fn prepare(&self, state: &mut State) {
        state.parts.insert(server::KeptTokens::default());
    }
}

fn metadata_service(imds: &Imds) -> String {
    let (system, common) = (imds.system_identity.as_ref(), imds.common());
    let mut parts = managed_identity::describe(system, &imds.user_identities);
    parts.push(common.describe_token_life());
    if imds.keeps_tokens {
        let until = format!("handed out again until {} are left", imds.keeps_until_left);
        parts.push(format!("and are {until}"));
    }
    parts.extend(common.describe_answering());
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
