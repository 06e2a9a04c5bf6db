//! Microsoft Entra ID at `login.microsoftonline.com`: which path means what.

use std::time::Duration;

use http::{Method, StatusCode};

use super::{
    error::{self, Refusal, refuse},
    matcher::{EntraFacts, Route},
    metadata, token,
};
use crate::scenario::Range;
use crate::{
    backend::{Backend, journal::Recorded},
    fault::effect::Preset,
    http::exchange::{Answer, Endpoint, Request},
    trace::Facts,
};

/// The endpoint.
pub struct Entra;

impl Endpoint for Entra {
    fn name(&self) -> &str {
        "entra"
    }

    fn takes(&self, backend: &Backend) -> Option<Range> {
        backend.state().parts.get::<super::world::Entra>()?.takes
    }

    fn refuses_pages(&self) -> bool {
        false
    }

    fn record(&self, request: &Request) -> Recorded {
        let facts = EntraFacts::of(request);
        match &facts.route {
            Route::Token(_) => request.recorded("token", Facts::new(facts)),
            other => request.recorded(other.name(), Facts::new(facts)),
        }
    }

    fn answer(&self, backend: &Backend, request: &Request, at: Duration) -> Answer {
        let route = Route::of(&request.route());
        let wanted = if matches!(route, Route::Token(_)) {
            Method::POST
        } else {
            Method::GET
        };
        if request.method != wanted && !matches!(route, Route::Other) {
            return refuse(
                backend,
                request,
                &Refusal::wrong_method(&wanted, &request.method),
                at,
            );
        }
        match route {
            Route::Token(tenant) => token::token(backend, &tenant, request, at)
                .unwrap_or_else(|refusal| refuse(backend, request, &refusal, at)),
            Route::Discovery => metadata::instance(backend, request, at),
            Route::Configuration(tenant) => metadata::configuration(backend, &tenant, request, at),
            Route::Keys(tenant) => metadata::keys(backend, &tenant, request, at),
            Route::Other => Answer::new(StatusCode::NOT_FOUND, "text/html; charset=utf-8", "")
                .because("no such path"),
        }
    }

    fn preset(
        &self,
        backend: &Backend,
        preset: &Preset,
        request: &Request,
        at: Duration,
    ) -> Option<Answer> {
        let mut known = error::presets().into_iter();
        let (_, refusal) = known.find(|(known, _)| known.name == preset.0)?;
        Some(refuse(
            backend,
            request,
            &refusal(request, backend.time(at)),
            at,
        ))
    }

    fn says(
        &self,
        backend: &Backend,
        status: StatusCode,
        request: &Request,
        at: Duration,
    ) -> Answer {
        let client = request.form_field("client_id").unwrap_or_default();
        let refusal = match status.as_u16() {
            401 => Refusal::wrong_secret(&client),
            429 => Refusal::throttled(),
            500.. => Refusal::transient(),
            _ => Refusal::malformed(),
        };
        refuse(backend, request, &refusal, at)
    }
}
