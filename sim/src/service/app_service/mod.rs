//! The token endpoint that Azure App Service and Functions give to an app, version 2019-08-01.

pub mod matcher;
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
    http::{exchange::Request, limit::Limit, server::server as serve_on},
    scenario::{Range, Span, document::Place},
    service::{Bypass, Principal, Reach, Service, TokenSource, describe_http, managed_identity},
    trace::Facts,
};
use world::AppService;

/// The address of the endpoint, of the kind that App Service on Linux gives to its apps.
pub const APP_SERVICE_HOST: &str = "169.254.130.4";
/// Its port.
pub const APP_SERVICE_PORT: u16 = 8081;
/// Its path.
pub(crate) const TOKEN: &str = "/msi/token";

impl Service for AppService {
    fn advice() -> &'static str {
        "with `system-identity = { object-id = \"...\" }`"
    }

    fn absent() -> Option<&'static str> {
        None
    }

    fn presets() -> Vec<KnownPreset> {
        Vec::new()
    }

    fn facts_of(host: &str, request: &Request) -> Option<Facts> {
        (host == APP_SERVICE_HOST).then(|| Facts::new(matcher::AppServiceFacts::of(request)))
    }

    /// None: no credential of ours asks here yet.
    fn token_source() -> Option<TokenSource> {
        None
    }

    fn reserved_host() -> Option<(&'static str, &'static str)> {
        Some((APP_SERVICE_HOST, "App Service"))
    }

    fn bypass(&self) -> Option<Bypass> {
        None
    }

    fn reached_at(&self, _: &Backend, _: &str, _: SocketAddr) {}

    fn key(&self) -> &'static str {
        "app-service"
    }

    fn check(&self, place: &Place, check: &mut Check<'_>) {
        self.check_keys(place, check);
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        let endpoint = format!("http://{APP_SERVICE_HOST}:{APP_SERVICE_PORT}{TOKEN}");
        vec![
            ("IDENTITY_ENDPOINT", endpoint),
            ("IDENTITY_HEADER", self.identity_header.clone()),
        ]
    }

    fn titles(&self) -> Vec<String> {
        vec!["App Service".to_owned()]
    }

    fn hosts(&self) -> Vec<(String, u16)> {
        vec![(APP_SERVICE_HOST.to_owned(), APP_SERVICE_PORT)]
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
        let system = self.system_identity.as_ref();
        let mut parts = managed_identity::describe(system, &self.user_identities);
        parts.push(format!("tokens live {}", self.token_life));
        describe_http(
            &mut parts,
            self.takes.as_ref(),
            self.reach,
            self.limit.as_ref(),
        );
        let variables = "IDENTITY_ENDPOINT and IDENTITY_HEADER are set on the host";
        vec![format!("app-service: {}, {variables}", parts.join(", "))]
    }

    fn install(&self, backend: &Backend) {
        let mut state = backend.state();
        state.register_secret(&self.identity_header);
        state.parts.insert(self.clone());
    }

    fn servers(&self, backend: &Backend) -> Vec<Server> {
        let (host, port) = (APP_SERVICE_HOST, APP_SERVICE_PORT);
        vec![serve_on(backend, host, port, server::AppService)]
    }

    fn crash(&self, _: &Backend, _: Duration) {}
}
