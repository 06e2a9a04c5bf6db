//! The token service that a Service Fabric cluster gives to an application, version
//! 2019-07-01-preview: https, with a certificate of its own that clients know by its thumbprint.

pub mod matcher;
pub(crate) mod server;
#[cfg(test)]
mod tests;
pub mod world;

use crate::{
    backend::{Certificate, SignedBy, handle::State},
    check::Check,
    fault::effect::KnownPreset,
    http::exchange::{Endpoint, Request},
    scenario::document::Place,
    service::{
        About, Asked, Bypass, CommonKeys, HttpService, Principal, TokenSource, managed_identity,
    },
    trace::Facts,
};
use world::ServiceFabric;

/// The address of the token service: that of a node, which runs it beside the application.
pub const SERVICE_FABRIC_HOST: &str = "10.0.0.4";
/// Its port.
pub const SERVICE_FABRIC_PORT: u16 = 2377;
/// Its path.
pub(crate) const TOKEN: &str = "/metadata/identity/oauth2/token";

impl HttpService for ServiceFabric {
    const ABOUT: About = About {
        key: "service-fabric",
        title: "Service Fabric",
        short_title: "Service Fabric",
        host: SERVICE_FABRIC_HOST,
        port: SERVICE_FABRIC_PORT,
        advice: "with `system-identity = { object-id = \"...\" }`",
        absent: None,
        token_source: Some(TokenSource::Endpoint),
    };

    fn presets() -> Vec<KnownPreset> {
        Vec::new()
    }

    fn facts(request: &Request) -> Facts {
        Facts::new(matcher::ServiceFabricFacts::of(request))
    }

    fn asked(facts: &Facts) -> Option<Asked> {
        let facts = facts.get::<matcher::ServiceFabricFacts>()?;
        Some(match facts.route {
            matcher::Route::Token => Asked::Token,
            matcher::Route::Other => Asked::Other,
        })
    }

    fn asked_for(facts: &Facts) -> Option<&str> {
        facts
            .get::<matcher::ServiceFabricFacts>()?
            .resource
            .as_deref()
    }

    fn endpoint() -> impl Endpoint {
        server::ServiceFabric
    }

    fn common_keys(&self) -> CommonKeys<'_> {
        self.common()
    }

    fn check_own_keys(&self, place: &Place, check: &mut Check<'_>) {
        self.check_own(place, check);
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        let endpoint = format!("https://{SERVICE_FABRIC_HOST}:{SERVICE_FABRIC_PORT}{TOKEN}");
        vec![
            ("IDENTITY_ENDPOINT", endpoint),
            ("IDENTITY_HEADER", self.identity_header.clone()),
            (
                "IDENTITY_SERVER_THUMBPRINT",
                certificate(1).thumbprint_text(),
            ),
        ]
    }

    fn bypass(&self) -> Option<Bypass> {
        None
    }

    fn lasting(&self) -> Option<String> {
        None
    }

    fn principals(&self) -> Vec<Principal<'_>> {
        managed_identity::principals(self.system_identity.as_ref(), &self.user_identities)
    }

    fn describe(&self) -> Vec<String> {
        let (system, common) = (self.system_identity.as_ref(), self.common());
        let mut parts = managed_identity::describe(system, &self.user_identities);
        parts.push(common.describe_token_life());
        parts.extend(common.describe_answering());
        let variables =
            "IDENTITY_ENDPOINT, IDENTITY_HEADER and IDENTITY_SERVER_THUMBPRINT are set on the host";
        vec![format!("service-fabric: {}, {variables}", parts.join(", "))]
    }

    fn prepare(&self, state: &mut State) {
        state.register_secret(&self.identity_header);
        state.present(SERVICE_FABRIC_HOST, certificate(1));
    }
}

/// The self-signed certificate of the token service. Another `serial` is another certificate, with
/// another thumbprint.
pub(crate) fn certificate(serial: u64) -> Certificate {
    Certificate {
        serial,
        ..Certificate::new(SERVICE_FABRIC_HOST, SignedBy::Itself)
    }
}
