//! Service Fabric's token service (MI-14, MI-50, MI-70).

use std::time::Duration;

use http::{Method, StatusCode};
use serde::Serialize;
use serde_json::json;

use super::matcher::{Route, ServiceFabricFacts};
use super::world::ServiceFabric as ServiceFabricWorld;
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
    service::managed_identity::ManagedIdentity,
    trace::Facts,
};

/// The version of the protocol that is simulated.
const VERSION: &str = "2019-07-01-preview";

/// The endpoint.
pub struct ServiceFabric;

impl Endpoint for ServiceFabric {
    fn name(&self) -> &str {
        "service-fabric"
    }

    fn takes(&self, backend: &Backend) -> Option<Range> {
        backend.state().parts.get::<ServiceFabricWorld>()?.takes
    }

    fn refuses_pages(&self) -> bool {
        true
    }

    fn record(&self, request: &Request) -> Recorded {
        let facts = ServiceFabricFacts::of(request);
        request.recorded(facts.route.name(), Facts::new(facts))
    }

    fn answer(&self, backend: &Backend, request: &Request, at: Duration) -> Answer {
        let mut state = backend.state();
        if ServiceFabricFacts::of(request).route == Route::Other {
            return status(&mut state, StatusCode::NOT_FOUND).because("no such path");
        }
        if request.method != Method::GET {
            return status(&mut state, StatusCode::METHOD_NOT_ALLOWED).with_header("Allow", "GET");
        }
        let State { parts, windows, .. } = &mut *state;
        let Some(fabric) = parts.get::<ServiceFabricWorld>().cloned() else {
            return status(&mut state, StatusCode::NOT_FOUND);
        };
        match request.header("secret") {
            None => {
                let message = "The request headers do not contain Secret";
                return refuse(&mut state, "SecretHeaderNotFound", message);
            }
            Some(secret) if secret != fabric.identity_header => {
                let refused = StatusCode::from_u16(fabric.wrong_header_status);
                let refused = refused.unwrap_or(StatusCode::UNAUTHORIZED);
                return status(&mut state, refused)
                    .because("Secret is not the value of IDENTITY_HEADER");
            }
            Some(_) => {}
        }
        if let Some(limit) = &fabric.limit
            && windows.is_over("service-fabric", limit.requests, limit.per.0, at)
        {
            return limit::too_many(limit, || status(&mut state, StatusCode::TOO_MANY_REQUESTS));
        }
        if request.query_field("api-version").as_deref() != Some(VERSION) {
            let message = "The api-version is missing or not supported";
            return refuse(&mut state, "InvalidApiVersion", message);
        }
        let Some(resource) = request.query_field("resource") else {
            let message = "The parameter resource is missing";
            return refuse(&mut state, "ArgumentNullOrEmpty", message);
        };
        match &fabric.system_identity {
            Some(identity) => token(backend, &mut state, &fabric, identity, &resource, at),
            None => not_found(&mut state),
        }
    }

    fn preset(&self, _: &Backend, _: &Preset, _: &Request, _: Duration) -> Option<Answer> {
        None
    }

    fn says(&self, backend: &Backend, code: StatusCode, _: &Request, _: Duration) -> Answer {
        let mut state = backend.state();
        match code {
            StatusCode::NOT_FOUND => not_found(&mut state),
            code => status(&mut state, code),
        }
    }
}

/// The token answer, its fields in the service's order.
#[derive(Serialize)]
struct TokenAnswer<'a> {
    access_token: &'a str,
    expires_on: i64,
    resource: &'a str,
    token_type: &'static str,
}

fn token(
    backend: &Backend,
    state: &mut State,
    fabric: &ServiceFabricWorld,
    identity: &ManagedIdentity,
    resource: &str,
    at: Duration,
) -> Answer {
    // The resource that the identity belongs to is the application.
    let application = format!(
        "/subscriptions/{DEFAULT_SUBSCRIPTION}/resourcegroups/credsim/providers/\
         Microsoft.ServiceFabric/managedclusters/credsim/applications/app"
    );
    let who = Who::Managed {
        object_id: &identity.object_id,
        client_id: identity.client_id.as_deref(),
        resource_id: Some(identity.resource_id.as_deref().unwrap_or(&application)),
        app_roles: identity.app_roles,
    };
    let now = backend.time(at);
    let issued = state.issuer.issue(who, resource, now, fabric.token_life.0);
    let body = TokenAnswer {
        access_token: &issued.token,
        expires_on: issued.expires_on,
        resource,
        token_type: "Bearer",
    };
    let mut answer = Answer::json(StatusCode::OK, &body);
    answer.why = Why {
        token: Some(issued.fingerprint),
        principal: Some(issued.principal),
        ..Why::plain(format!(
            "a token of the application's identity for {resource}"
        ))
    };
    answer
}

/// An error with its code and message, in the service's form (MI-70).
fn error(state: &mut State, status: StatusCode, code: &str, message: &str) -> Answer {
    let body = json!({
        "error": {
            "correlationId": state.issuer.new_guid("service fabric correlation"),
            "code": code,
            "message": message,
        },
    });
    Answer::json(status, &body).because(message)
}

/// The request cannot be served as it is.
fn refuse(state: &mut State, code: &str, message: &str) -> Answer {
    error(state, StatusCode::BAD_REQUEST, code, message)
}

/// The application has no identity (MI-64).
fn not_found(state: &mut State) -> Answer {
    let message = "Managed identity not found for the application";
    error(
        state,
        StatusCode::NOT_FOUND,
        "ManagedIdentityNotFound",
        message,
    )
}

/// What the service says with another status: its name, for its own texts are not known.
fn status(state: &mut State, status: StatusCode) -> Answer {
    let code = match status {
        StatusCode::INTERNAL_SERVER_ERROR => "InternalServerError".to_owned(),
        _ => status
            .canonical_reason()
            .unwrap_or("Error")
            .replace(' ', ""),
    };
    let message = status.canonical_reason().unwrap_or("error");
    error(state, status, &code, message)
}
