//! App Service's token endpoint (MI-11, MI-50, MI-69).

use std::time::Duration;

use http::{Method, StatusCode};
use serde::Serialize;
use serde_json::json;

use super::matcher::{AppServiceFacts, Route, SELECTORS};
use super::world::AppService as AppServiceWorld;
use crate::{
    backend::{
        Backend,
        handle::State,
        issuer::Who,
        journal::{Recorded, Why},
        settings::DEFAULT_SUBSCRIPTION,
    },
    fault::effect::Preset,
    http::{
        exchange::{Answer, Endpoint, Request},
        limit,
    },
    scenario::Range,
    service::managed_identity::{self, ManagedIdentity, Selected},
    trace::Facts,
};

/// The version of the protocol that is simulated.
const VERSION: &str = "2019-08-01";

/// The endpoint.
pub struct AppService;

impl Endpoint for AppService {
    fn name(&self) -> &str {
        "app-service"
    }

    fn takes(&self, backend: &Backend) -> Option<Range> {
        backend.state().parts.get::<AppServiceWorld>()?.takes
    }

    fn refuses_pages(&self) -> bool {
        true
    }

    fn record(&self, request: &Request) -> Recorded {
        let facts = AppServiceFacts::of(request);
        request.recorded(facts.route.name(), Facts::new(facts))
    }

    fn answer(&self, backend: &Backend, request: &Request, at: Duration) -> Answer {
        let mut state = backend.state();
        if AppServiceFacts::of(request).route == Route::Other {
            return status(&mut state, StatusCode::NOT_FOUND).because("no such path");
        }
        if request.method != Method::GET {
            return status(&mut state, StatusCode::METHOD_NOT_ALLOWED).with_header("Allow", "GET");
        }
        let State { parts, windows, .. } = &mut *state;
        let Some(app) = parts.get::<AppServiceWorld>().cloned() else {
            return status(&mut state, StatusCode::NOT_FOUND);
        };
        let header = request.header("x-identity-header");
        if header != Some(app.identity_header.as_str()) {
            let why = match header {
                None => "there is no X-IDENTITY-HEADER",
                Some(_) => "X-IDENTITY-HEADER is not the value of IDENTITY_HEADER",
            };
            let refused = StatusCode::from_u16(app.wrong_header_status);
            let refused = refused.unwrap_or(StatusCode::UNAUTHORIZED);
            return status(&mut state, refused).because(why);
        }
        if let Some(limit) = &app.limit
            && windows.is_over("app-service", limit.requests, limit.per.0, at)
        {
            return limit::too_many(limit, || status(&mut state, StatusCode::TOO_MANY_REQUESTS));
        }
        match request.query_field("api-version").as_deref() {
            Some(VERSION) => {}
            Some(_) => return refuse(&mut state, "The api-version is not supported"),
            None => return refuse(&mut state, "The parameter api-version is missing"),
        }
        let Some(resource) = request.query_field("resource") else {
            return refuse(&mut state, "The parameter resource is missing");
        };
        let named = managed_identity::named(&SELECTORS, request);
        let system = app.system_identity.as_ref();
        match managed_identity::select(system, &app.user_identities, named) {
            Selected::Identity(identity, whose) => {
                token(backend, &mut state, &app, identity, &resource, at, &whose)
            }
            Selected::Unknown(why) => not_found(&mut state).because(why),
            Selected::Ambiguous => refuse(&mut state, "More than one identity is named"),
        }
    }

    fn preset(&self, _: &Backend, _: &Preset, _: &Request, _: Duration) -> Option<Answer> {
        None
    }

    fn says(&self, backend: &Backend, code: StatusCode, _: &Request, _: Duration) -> Answer {
        let mut state = backend.state();
        match code {
            StatusCode::BAD_REQUEST => not_found(&mut state),
            code => status(&mut state, code),
        }
    }
}

/// The token answer, its fields in the service's order.
#[derive(Serialize)]
struct TokenAnswer<'a> {
    access_token: &'a str,
    expires_on: String,
    resource: &'a str,
    token_type: &'static str,
    client_id: String,
}

fn token(
    backend: &Backend,
    state: &mut State,
    app: &AppServiceWorld,
    identity: &ManagedIdentity,
    resource: &str,
    at: Duration,
    whose: &str,
) -> Answer {
    // The resource that a system-assigned identity belongs to is the app.
    let site = format!(
        "/subscriptions/{DEFAULT_SUBSCRIPTION}/resourcegroups/credsim/providers/\
         Microsoft.Web/sites/app"
    );
    let who = Who::Managed {
        object_id: &identity.object_id,
        client_id: identity.client_id.as_deref(),
        resource_id: Some(identity.resource_id.as_deref().unwrap_or(&site)),
        app_roles: identity.app_roles,
    };
    let now = backend.time(at);
    let issued = state.issuer.issue(who, resource, now, app.token_life.0);
    let body = TokenAnswer {
        access_token: &issued.token,
        expires_on: issued.expires_on.to_string(),
        resource,
        token_type: "Bearer",
        client_id: identity.client_id(),
    };
    let mut answer = Answer::json(StatusCode::OK, &body);
    answer.why = Why {
        token: Some(issued.fingerprint),
        principal: Some(issued.principal),
        ..Why::plain(format!("a token of {whose} for {resource}"))
    };
    answer
}

/// An error with its message, in the service's form (MI-69).
fn error(state: &mut State, status: StatusCode, message: &str) -> Answer {
    let body = json!({
        "statusCode": status.as_u16(),
        "message": message,
        "correlationId": state.issuer.new_guid("app service correlation"),
    });
    Answer::json(status, &body).because(message)
}

/// The request cannot be served as it is.
fn refuse(state: &mut State, message: &str) -> Answer {
    error(state, StatusCode::BAD_REQUEST, message)
}

/// No such identity (MI-69).
fn not_found(state: &mut State) -> Answer {
    let message = "No Managed Identity found for specified ClientId/ResourceId/PrincipalId.";
    refuse(state, message)
}

/// What the service says with a status: its name, for its own texts are not known.
fn status(state: &mut State, status: StatusCode) -> Answer {
    error(state, status, status.canonical_reason().unwrap_or("error"))
}
