//! Microsoft Entra ID at `login.microsoftonline.com`: which path means what.

use std::time::Duration;

use http::{Method, StatusCode};
use serde::Serialize;

use super::{
    error::{Refusal, refuse},
    metadata, token,
};
use crate::scenario::Range;
use crate::{
    backend::{Stage, journal::Told},
    http::{
        exchange::{Answer, Endpoint, Request},
        reply::header_value,
    },
};

/// The endpoint.
pub struct Entra;

/// The tenants that stand for many.
pub(crate) const SHARED: [&str; 3] = ["common", "organizations", "consumers"];

/// What a request is about.
enum Route<'a> {
    Token(&'a str),
    Discovery,
    Configuration(&'a str),
    Keys(&'a str),
    Other,
}

impl<'a> Route<'a> {
    /// The route of a path that has been stripped to `/a/b/c`.
    fn of(path: &'a str) -> Self {
        let parts: Vec<&str> = path.split('/').skip(1).collect();
        match parts[..] {
            ["common", "discovery", "instance"] => Self::Discovery,
            [tenant, "oauth2", "v2.0", "token"] => Self::Token(tenant),
            [tenant, "v2.0", ".well-known", "openid-configuration"] => Self::Configuration(tenant),
            [tenant, "discovery", "v2.0", "keys"] => Self::Keys(tenant),
            _ => Self::Other,
        }
    }
}

impl Endpoint for Entra {
    fn name(&self) -> &str {
        "entra"
    }

    fn takes(&self, stage: &Stage) -> Option<Range> {
        stage.state().world.entra.as_ref()?.takes
    }

    fn tell(&self, request: &Request) -> Told {
        match Route::of(&request.route()) {
            Route::Token(_) => request.told_with_form("token"),
            Route::Discovery => request.told("discovery"),
            Route::Configuration(_) => request.told("configuration"),
            Route::Keys(_) => request.told("keys"),
            Route::Other => request.told("other"),
        }
    }

    fn answer(&self, stage: &Stage, request: &Request, at: Duration) -> Answer {
        let path = request.route();
        let route = Route::of(&path);
        let wanted = if matches!(route, Route::Token(_)) {
            Method::POST
        } else {
            Method::GET
        };
        if request.method != wanted && !matches!(route, Route::Other) {
            return refuse(
                stage,
                request,
                &Refusal::wrong_method(&wanted, &request.method),
                at,
            );
        }
        match route {
            Route::Token(tenant) => token::token(stage, tenant, request, at)
                .unwrap_or_else(|refusal| refuse(stage, request, &refusal, at)),
            Route::Discovery => metadata::instance(stage, request, at),
            Route::Configuration(tenant) => metadata::configuration(stage, tenant, request, at),
            Route::Keys(tenant) => metadata::keys(stage, tenant, request, at),
            Route::Other => Answer::new(StatusCode::NOT_FOUND, "text/html; charset=utf-8", "")
                .because("no such path"),
        }
    }

    fn says(&self, stage: &Stage, status: StatusCode, request: &Request, at: Duration) -> Answer {
        let client = request.form_field("client_id").unwrap_or_default();
        let refusal = match status.as_u16() {
            401 => Refusal::wrong_secret(&client),
            429 => Refusal::throttled(),
            500.. => Refusal::transient(),
            _ => Refusal::malformed(),
        };
        refuse(stage, request, &refusal, at)
    }
}

/// Whether `tenant` is the world's own.
pub(crate) fn is_known(stage: &Stage, tenant: &str) -> bool {
    stage.state().issuer.tenant().eq_ignore_ascii_case(tenant)
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
