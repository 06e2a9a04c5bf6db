//! Microsoft Entra ID at `login.microsoftonline.com`: which path means what.

use std::time::Duration;

use http::{Method, StatusCode};
use serde::Serialize;

use super::{
    error::{self, Refusal, refuse},
    matcher::{EntraFacts, Route},
    metadata, token,
};
use crate::scenario::Range;
use crate::{
    backend::{Backend, journal::Recorded},
    fault::effect::Preset,
    http::{
        exchange::{Answer, Endpoint, Request},
        reply::header_value,
    },
    trace::Facts,
};

/// The endpoint.
pub struct Entra;

/// The tenants that stand for many.
pub(crate) const SHARED: [&str; 3] = ["common", "organizations", "consumers"];

impl Endpoint for Entra {
    fn name(&self) -> &str {
        "entra"
    }

    fn takes(&self, backend: &Backend) -> Option<Range> {
        backend.state().parts.get::<super::world::Entra>()?.takes
    }

    fn record(&self, request: &Request) -> Recorded {
        let facts = EntraFacts::of(request);
        match &facts.route {
            Route::Token(_) => request.recorded_with_form("token", Facts::new(facts)),
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
        let client = request.form_field("client_id").unwrap_or_default();
        Some(refuse(backend, request, &refusal(&client), at))
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

/// Whether `tenant` is the world's own.
pub(crate) fn is_known(backend: &Backend, tenant: &str) -> bool {
    backend.state().issuer.tenant().eq_ignore_ascii_case(tenant)
}

/// A JSON answer with the headers that all answers of the service have.
pub(crate) fn say(status: StatusCode, body: &impl Serialize, trace: &str) -> Answer {
    let mut answer = Answer::json(status, body);
    let headers = [
        ("cache-control", "no-store, no-cache"),
        ("pragma", "no-cache"),
        ("content-type", "application/json; charset=utf-8"),
        ("expires", "-1"),
        (
            "strict-transport-security",
            "max-age=31536000; includeSubDomains",
        ),
        ("x-content-type-options", "nosniff"),
        ("p3p", "CP=\"DSP CUR OTPi IND OTRi ONL FIN\""),
        ("x-ms-request-id", trace),
        ("x-ms-ests-server", "2.1.0.0 - CREDSIM ProdSlices"),
        ("x-xss-protection", "0"),
    ];
    for (name, value) in headers {
        answer.headers.insert(name, header_value(value));
    }
    let flags = "path=/; secure; HttpOnly; SameSite=None";
    for cookie in [
        format!("fpc={trace}; {flags}"),
        format!("x-ms-gateway-slice=estsfd; {flags}"),
        format!("stsservicecookie=estsfd; {flags}"),
    ] {
        answer.headers.append("set-cookie", header_value(&cookie));
    }
    answer
}
