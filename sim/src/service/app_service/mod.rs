//! The token endpoint that Azure App Service and Functions give to an app, version 2019-08-01.

pub mod matcher;
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
use world::AppService;

/// The address of the endpoint, of the kind that App Service on Linux gives to its apps.
pub const APP_SERVICE_HOST: &str = "169.254.130.4";
/// Its port.
pub const APP_SERVICE_PORT: u16 = 8081;
/// Its path.
pub(crate) const TOKEN: &str = "/msi/token";

impl HttpService for AppService {
    const ABOUT: About = About {
        key: "app-service",
        title: "App Service",
        short_title: "App Service",
        host: APP_SERVICE_HOST,
        port: APP_SERVICE_PORT,
        advice: "with `system-identity = { object-id = \"...\" }`",
        absent: None,
        token_source: Some(TokenSource::Endpoint),
    };

    fn presets() -> Vec<KnownPreset> {
        Vec::new()
    }

    fn facts(request: &Request) -> Facts {
        Facts::new(matcher::AppServiceFacts::of(request))
    }

    fn asked(facts: &Facts) -> Option<Asked> {
        let facts = facts.get::<matcher::AppServiceFacts>()?;
        Some(match facts.route {
            matcher::Route::Token => Asked::Token,
            matcher::Route::Other => Asked::Other,
        })
    }

    fn asked_for(facts: &Facts) -> Option<&str> {
        facts.get::<matcher::AppServiceFacts>()?.resource.as_deref()
    }

    fn endpoint() -> impl Endpoint {
        server::AppService
    }

    fn common_keys(&self) -> CommonKeys<'_> {
        self.common()
    }

    fn check_own_keys(&self, place: &Place, check: &mut Check<'_>) {
        self.check_own(place, check);
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        let endpoint = format!("http://{APP_SERVICE_HOST}:{APP_SERVICE_PORT}{TOKEN}");
        vec![
            ("IDENTITY_ENDPOINT", endpoint),
            ("IDENTITY_HEADER", self.identity_header.clone()),
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
        let variables = "IDENTITY_ENDPOINT and IDENTITY_HEADER are set on the host";
        vec![format!("app-service: {}, {variables}", parts.join(", "))]
    }

    fn prepare(&self, state: &mut State) {
        state.register_secret(&self.identity_header);
    }
}
