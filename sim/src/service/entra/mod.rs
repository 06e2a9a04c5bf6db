//! Microsoft Entra ID at `login.microsoftonline.com`.

mod answer;
mod error;
mod federation;
pub mod matcher;
mod metadata;
pub(crate) mod server;
#[cfg(test)]
mod tests;
mod token;
pub mod world;

use crate::{
    backend::handle::State,
    check::Check,
    fault::effect::KnownPreset,
    http::exchange::{Endpoint, Request},
    scenario::document::Place,
    service::{About, Asked, Bypass, CommonKeys, HttpService, Principal, TokenSource},
    trace::Facts,
};
use world::{App, Entra};

pub(crate) use error::{Refusal, refuse};

/// The name of Entra's public cloud.
pub const ENTRA_HOST: &str = "login.microsoftonline.com";

impl HttpService for Entra {
    const ABOUT: About = About {
        key: "entra",
        title: "Entra ID",
        short_title: "Entra",
        host: ENTRA_HOST,
        port: 443,
        advice: "with `reach = \"black-holed\"` if it never answers",
        absent: None,
        token_source: Some(TokenSource::Entra),
    };

    fn presets() -> Vec<KnownPreset> {
        error::presets()
            .into_iter()
            .map(|(known, _)| known)
            .collect()
    }

    fn facts(request: &Request) -> Facts {
        Facts::new(matcher::EntraFacts::of(request))
    }

    fn asked(facts: &Facts) -> Option<Asked> {
        use matcher::Route;
        let facts = facts.get::<matcher::EntraFacts>()?;
        Some(match &facts.route {
            Route::Token(_) => Asked::Token,
            Route::Discovery | Route::Configuration(_) | Route::Keys(_) | Route::Other => {
                Asked::Other
            }
        })
    }

    fn asked_for(facts: &Facts) -> Option<&str> {
        facts.get::<matcher::EntraFacts>()?.scope.as_deref()
    }

    fn endpoint() -> impl Endpoint {
        server::Entra
    }

    fn common_keys(&self) -> CommonKeys<'_> {
        CommonKeys {
            token_life: self.token_life,
            takes: self.takes,
            reach: self.reach,
            limit: self.limit.as_ref(),
        }
    }

    fn check_own_keys(&self, place: &Place, check: &mut Check<'_>) {
        self.check_own(place, check);
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    fn bypass(&self) -> Option<Bypass> {
        None
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

    fn prepare(&self, state: &mut State) {
        state.issuer.set_tenant(&self.tenant);
        for secret in self.apps.iter().filter_map(|app| app.secret.as_ref()) {
            state.register_secret(secret);
        }
    }
}

fn entra(entra: &Entra) -> String {
    let common = entra.common_keys();
    let mut parts = vec![format!("tenant {}", entra.tenant)];
    parts.push(common.describe_token_life());
    parts.extend(
        entra
            .refresh_in
            .map(|after| format!("and want to be renewed after {after}")),
    );
    parts.extend(common.describe_answering());
    format!("entra: {}", parts.join(", "))
}

fn app(app: &App) -> String {
    let mut proof = match app.secret {
        Some(_) => "with a secret".to_owned(),
        None => "without a secret".to_owned(),
    };
    for credential in &app.federated {
        proof += &format!(", trusts {} of {}", credential.subject, credential.issuer);
    }
    let disabled = if app.disabled { ", disabled" } else { "" };
    format!(
        "application {}: object id {}, {proof}{disabled}",
        app.client_id, app.object_id
    )
}
