//! Microsoft Entra ID at `login.microsoftonline.com`.

mod answer;
mod error;
pub mod matcher;
mod metadata;
pub(crate) mod server;
#[cfg(test)]
mod tests;
mod token;
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
    service::{Bypass, Principal, Reach, Service, TokenSource, describe_http},
    trace::Facts,
};
use world::{App, Entra};

pub(crate) use error::{Refusal, refuse};

/// The name of Entra's public cloud.
pub const ENTRA_HOST: &str = "login.microsoftonline.com";

impl Service for Entra {
    fn advice() -> &'static str {
        "with `reach = \"black-holed\"` if it never answers"
    }

    fn absent() -> Option<&'static str> {
        None
    }

    fn presets() -> Vec<KnownPreset> {
        error::presets()
            .into_iter()
            .map(|(known, _)| known)
            .collect()
    }

    fn facts_of(host: &str, request: &Request) -> Option<Facts> {
        (host == ENTRA_HOST).then(|| Facts::new(matcher::EntraFacts::of(request)))
    }

    fn token_source() -> Option<TokenSource> {
        Some(TokenSource::Entra)
    }

    fn reserved_host() -> Option<(&'static str, &'static str)> {
        Some((ENTRA_HOST, "Entra"))
    }

    fn bypass(&self) -> Option<Bypass> {
        None
    }

    fn reached_at(&self, _: &Backend, _: &str, _: SocketAddr) {}

    fn key(&self) -> &'static str {
        "entra"
    }

    fn check(&self, place: &Place, check: &mut Check<'_>) {
        self.check_keys(place, check);
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    fn titles(&self) -> Vec<String> {
        vec!["Entra ID".to_owned()]
    }

    fn hosts(&self) -> Vec<(String, u16)> {
        vec![(ENTRA_HOST.to_owned(), 443)]
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
        let says = "Entra ID says when a token is to be renewed";
        self.refresh_in.map(|_| says.to_owned())
    }

    fn principals(&self) -> Vec<Principal<'_>> {
        let apps = self.apps.iter();
        apps.map(|app| Principal::App {
            object_id: &app.object_id,
            client_id: &app.client_id,
        })
        .collect()
    }

    fn describe(&self) -> Vec<String> {
        let service = [entra(self)].into_iter();
        service.chain(self.apps.iter().map(app)).collect()
    }

    fn install(&self, backend: &Backend) {
        let mut state = backend.state();
        state.issuer.set_tenant(&self.tenant);
        for secret in self.apps.iter().filter_map(|app| app.secret.as_ref()) {
            state.register_secret(secret);
        }
        state.parts.insert(self.clone());
    }

    fn servers(&self, backend: &Backend) -> Vec<Server> {
        vec![serve_on(backend, ENTRA_HOST, 443, server::Entra)]
    }

    fn crash(&self, _: &Backend, _: Duration) {}
}

fn entra(entra: &Entra) -> String {
    let mut parts = vec![format!("tenant {}", entra.tenant)];
    parts.push(format!("tokens live {}", entra.token_life));
    parts.extend(
        entra
            .refresh_in
            .map(|after| format!("and want to be renewed after {after}")),
    );
    describe_http(
        &mut parts,
        entra.takes.as_ref(),
        entra.reach,
        entra.limit.as_ref(),
    );
    format!("entra: {}", parts.join(", "))
}

fn app(app: &App) -> String {
    let secret = if app.secret.is_some() {
        "with a secret"
    } else {
        "without a secret"
    };
    let disabled = if app.disabled { ", disabled" } else { "" };
    format!(
        "application {}: object id {}, {secret}{disabled}",
        app.client_id, app.object_id
    )
}
