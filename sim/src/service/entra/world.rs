//! What a scenario says of Entra.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{ENTRA_HOST, server::Entra as Endpoint};
use crate::{
    backend::Stage,
    engine::Server,
    http::{limit::Limit, server::server},
    scenario::{Range, Span},
    service::{Principal, Reach, Service, describe_http},
};

/// Microsoft Entra ID.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Entra {
    /// How long its tokens live. Default: 60m.
    #[serde(default = "one_hour")]
    pub token_life: Span,
    /// After how long the answer's `refresh_in` wants the token renewed. Default: not said.
    pub refresh_in: Option<Span>,
    /// The tenant's id. Default: a fixed one.
    #[serde(default = "default_tenant")]
    pub tenant: String,
    /// The registered applications.
    #[serde(default)]
    pub apps: Vec<App>,
    /// How long an answer takes. Default: 0s.
    pub takes: Option<Range>,
    /// Whether packets reach it at the start. Default: reachable.
    #[serde(default)]
    pub reach: Reach,
    /// How many token requests of one application it serves per window before it answers 429.
    pub limit: Option<Limit>,
    /// Separates the lines of an error description with CR LF instead of spaces. Default: false.
    #[serde(default)]
    pub crlf_descriptions: bool,
}

/// An application registered in Entra.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct App {
    /// Its client id.
    pub client_id: String,
    /// The object id of its service principal.
    pub object_id: String,
    /// Its secret.
    pub secret: Option<String>,
    /// Whether an administrator disabled it. Default: false.
    #[serde(default)]
    pub disabled: bool,
}

/// The tenant of a world that names none.
pub const DEFAULT_TENANT: &str = "72f988bf-0000-0000-0000-00000000cafe";

fn default_tenant() -> String {
    DEFAULT_TENANT.to_owned()
}

fn one_hour() -> Span {
    Span(std::time::Duration::from_secs(3_600))
}

impl Service for Entra {
    fn advice() -> &'static str {
        "with `reach = \"black-holed\"` if nobody answers there"
    }

    fn absent() -> Option<&'static str> {
        None
    }

    fn key(&self) -> &'static str {
        "entra"
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

    fn servers(&self, backend: &Stage) -> Vec<Server> {
        vec![server(backend, ENTRA_HOST, 443, Endpoint)]
    }

    fn crash(&self, _: &Stage, _: Duration) {}
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
