//! The token endpoint: client credentials with a secret or a federated assertion.

use std::time::Duration;

use http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;

use super::world::{App, Entra};
use super::{
    Refusal,
    answer::{SHARED, is_known, say},
    federation, refuse,
};
use crate::{
    backend::{Backend, handle::State, issuer::Who, journal::Why},
    http::{
        exchange::{Answer, Request},
        limit,
    },
};

/// A token answer for an application. It names no scope and no client info: real ones don't, and
/// caches of SDKs rely on it.
#[derive(Serialize)]
struct TokenAnswer<'a> {
    token_type: &'static str,
    expires_in: i64,
    ext_expires_in: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_in: Option<u64>,
    access_token: &'a str,
}

/// Answers a token request.
pub fn token(
    backend: &Backend,
    tenant: &str,
    request: &Request,
    at: Duration,
) -> Result<Answer, Refusal> {
    let field = |name: &str| {
        request
            .form_field(name)
            .ok_or_else(|| Refusal::missing(name))
    };
    let grant = field("grant_type")?;
    if grant != "client_credentials" {
        return Err(Refusal::unsupported_grant(&grant));
    }
    let (client, scope) = (field("client_id")?, field("scope")?);
    if SHARED.contains(&tenant.to_ascii_lowercase().as_str()) {
        return Err(Refusal::no_tenant());
    }
    if !is_known(backend, tenant) {
        return Err(Refusal::unknown_tenant("invalid_request", tenant));
    }
    if let Some(answer) = throttle(backend, request, &client, at) {
        return Ok(answer);
    }
    let mut state = backend.state();
    let trace = state.issuer.new_guid("trace");
    let State { parts, issuer, .. } = &mut *state;
    let Some(entra) = parts.get::<Entra>() else {
        return Err(Refusal::transient());
    };
    let app = application(entra, &client)?.clone();
    let now = backend.time(at);
    let assertion = prove(entra, &app, request, now)?;
    let audience = audience(&scope)?;
    let (life, refresh_in) = (entra.token_life.0, entra.refresh_in);
    if let Some(assertion) = assertion {
        let replay = entra.assertion_replay;
        federation::note(parts.get_or_default(), replay, &assertion)?;
    }
    let who = Who::App {
        object_id: &app.object_id,
        client_id: &app.client_id,
    };
    let issued = issuer.issue(who, audience, now, life);
    let expires_in = issued.expires_on - now.as_second();
    let body = TokenAnswer {
        token_type: "Bearer",
        expires_in,
        ext_expires_in: expires_in,
        refresh_in: refresh_in.map(|refresh_in| refresh_in.0.as_secs()),
        access_token: &issued.token,
    };
    let mut answer = say(StatusCode::OK, &body, &trace);
    answer.why = Why {
        token: Some(issued.fingerprint),
        principal: Some(issued.principal),
        ..Why::plain(format!("a token of application {client} for {scope}"))
    };
    Ok(answer)
}

/// Checks that the request comes from `app`, and returns the assertion that shows it, if it is not
/// a secret.
fn prove(
    entra: &Entra,
    app: &App,
    request: &Request,
    now: Timestamp,
) -> Result<Option<String>, Refusal> {
    if let Some(assertion) = request.form_field("client_assertion") {
        let kind = request.form_field("client_assertion_type");
        federation::accept(entra, app, kind.as_deref(), &assertion, now)?;
        return Ok(Some(assertion));
    }
    match request.form_field("client_secret") {
        None => Err(Refusal::no_proof()),
        Some(secret) if app.secret.as_ref() == Some(&secret) => Ok(None),
        Some(_) => Err(Refusal::wrong_secret(&app.client_id)),
    }
}

/// The 429, if the application has used up its budget.
fn throttle(backend: &Backend, request: &Request, client: &str, at: Duration) -> Option<Answer> {
    let mut state = backend.state();
    let State { parts, windows, .. } = &mut *state;
    let limit = parts.get::<Entra>()?.limit.clone()?;
    let is_over = windows.is_over(&format!("entra {client}"), limit.requests, limit.per.0, at);
    drop(state);
    let json = || refuse(backend, request, &Refusal::throttled(), at);
    is_over.then(|| limit::too_many(&limit, json))
}

fn application<'a>(entra: &'a Entra, client: &str) -> Result<&'a App, Refusal> {
    let app = entra
        .apps
        .iter()
        .find(|app| app.client_id.eq_ignore_ascii_case(client));
    match app {
        None => Err(Refusal::unknown_application(client)),
        Some(app) if app.disabled => Err(Refusal::disabled_application(client)),
        Some(app) => Ok(app),
    }
}

/// The one resource that a scope such as `https://vault.azure.net/.default` names.
fn audience(scope: &str) -> Result<&str, Refusal> {
    if scope.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(Refusal::bad_scope(scope));
    }
    match scope.strip_suffix("/.default") {
        Some("") => Err(Refusal::bad_scope(scope)),
        Some(resource) => Ok(resource),
        None => Err(Refusal::not_default_scope(scope)),
    }
}
