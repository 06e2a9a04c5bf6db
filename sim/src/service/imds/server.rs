//! The instance metadata service, as far as it hands out tokens.

use std::{collections::BTreeMap, time::Duration};

use http::{Method, StatusCode};
use serde::Serialize;
use serde_json::{Value, json};

use super::matcher::{ImdsFacts, Route, SELECTORS};
use super::world::{Imds as ImdsWorld, ImdsAnswer};
use super::{
    answers::{
        HEADER_MISSING, forwarded, header_missing, identity_not_found, invalid_request, status,
    },
    preset,
};
use crate::scenario::Range;
use crate::service::managed_identity::{self, ManagedIdentity, Selected};
use crate::{
    backend::{
        Backend,
        handle::State,
        issuer::Issued,
        journal::{Recorded, Why},
    },
    fault::effect::Preset,
    http::{
        exchange::{Answer, Endpoint, Request},
        limit,
    },
    trace::Facts,
};

/// The tokens that IMDS keeps, by the object id of the principal and the resource.
#[derive(Default)]
pub(crate) struct KeptTokens(BTreeMap<(String, String), Issued>);

impl KeptTokens {
    /// Removes the tokens of a principal.
    pub(crate) fn forget(&mut self, object_id: &str) {
        self.0.retain(|(principal, _), _| *principal != object_id);
    }
}

/// The endpoint.
pub struct Imds;

impl Endpoint for Imds {
    fn name(&self) -> &str {
        "imds"
    }

    fn takes(&self, backend: &Backend) -> Option<Range> {
        backend.state().parts.get::<ImdsWorld>()?.takes
    }

    fn refuses_pages(&self) -> bool {
        true
    }

    fn record(&self, request: &Request) -> Recorded {
        let facts = ImdsFacts::of(request);
        request.recorded(facts.route.name(), Facts::new(facts))
    }

    fn answer(&self, backend: &Backend, request: &Request, at: Duration) -> Answer {
        if request.headers.contains_key("x-forwarded-for") {
            return forwarded();
        }
        if Route::of(request) == Route::Other {
            return status(StatusCode::NOT_FOUND).because("no such path");
        }
        if request.method != Method::GET {
            return status(StatusCode::METHOD_NOT_ALLOWED).with_header("Allow", "GET");
        }
        let mut state = backend.state();
        let State { parts, windows, .. } = &mut *state;
        let Some(imds) = parts.get::<ImdsWorld>() else {
            return status(StatusCode::NOT_FOUND);
        };
        match request.header("metadata") {
            Some("true") => {}
            given => {
                let code = imds
                    .answer
                    .missing_header_code
                    .as_deref()
                    .unwrap_or(HEADER_MISSING);
                let why = match given {
                    None => "there is no Metadata header",
                    Some(_) => "the Metadata header is not exactly true",
                };
                return header_missing(code).because(why);
            }
        }
        if let Some(limit) = &imds.limit
            && windows.is_over("imds", limit.requests, limit.per.0, at)
        {
            return limit::too_many(limit, || status(StatusCode::TOO_MANY_REQUESTS));
        }
        match request.query_field("api-version") {
            Some(version) if is_version(&version) => {}
            Some(_) => return invalid_request("The requested api-version is not supported"),
            None => {
                return invalid_request("Required query variable 'api-version' is missing");
            }
        }
        let Some(resource) = request.query_field("resource") else {
            return invalid_request("Required query variable 'resource' is missing");
        };
        match select(imds, request) {
            Ok((identity, whose)) => {
                let (imds, identity) = (imds.clone(), identity.clone());
                token(backend, &mut state, &imds, &identity, &resource, at, &whose)
            }
            Err(answer) => *answer,
        }
    }

    fn preset(&self, _: &Backend, preset: &Preset, _: &Request, _: Duration) -> Option<Answer> {
        preset::answer(preset)
    }

    fn says(&self, _: &Backend, code: StatusCode, _: &Request, _: Duration) -> Answer {
        match code {
            StatusCode::BAD_REQUEST => identity_not_found(),
            code => status(code),
        }
    }
}

/// The identity that a request means, and how it named it.
fn select<'a>(
    imds: &'a ImdsWorld,
    request: &Request,
) -> Result<(&'a ManagedIdentity, String), Box<Answer>> {
    let named = managed_identity::named(&SELECTORS, request);
    let system = imds.system_identity.as_ref();
    match managed_identity::select(system, &imds.user_identities, named) {
        Selected::Identity(identity, whose) => Ok((identity, whose)),
        Selected::Unknown(why) => Err(identity_not_found().because(why).into()),
        Selected::Ambiguous => {
            let text = "Only one of client_id, object_id and msi_res_id may be given";
            Err(invalid_request(text).into())
        }
    }
}

fn token(
    backend: &Backend,
    state: &mut State,
    imds: &ImdsWorld,
    identity: &ManagedIdentity,
    resource: &str,
    at: Duration,
    whose: &str,
) -> Answer {
    let now = backend.time(at);
    let key = (
        identity.object_id.clone(),
        resource.trim_end_matches('/').to_owned(),
    );
    let enough = i64::try_from(imds.keeps_until_left.0.as_secs()).unwrap_or(i64::MAX);
    let tokens = state.parts.get::<KeptTokens>();
    let kept = tokens
        .and_then(|tokens| tokens.0.get(&key))
        .filter(|kept| {
            imds.keeps_tokens && kept.expires_on.saturating_sub(now.as_second()) > enough
        })
        .cloned();
    let (issued, why) = match kept {
        Some(kept) => (kept, format!("{whose} already has a token for {resource}")),
        None => {
            let life = imds.token_life.0;
            let issued = state.issuer.issue(identity.who(), resource, now, life);
            if imds.keeps_tokens {
                let tokens = state.parts.get_or_default::<KeptTokens>();
                tokens.0.insert(key, issued.clone());
            }
            (issued, format!("a token of {whose} for {resource}"))
        }
    };
    let body = body(&issued, &imds.answer, identity, resource, now.as_second());
    let mut answer = Answer::json(StatusCode::OK, &body);
    answer.why = Why {
        token: Some(issued.fingerprint),
        principal: Some(issued.principal),
        ..Why::plain(why)
    };
    answer
}

/// The token answer, its fields in the service's order.
#[derive(Serialize)]
struct TokenAnswer<'a> {
    access_token: &'a str,
    client_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_on: Option<Value>,
    ext_expires_in: Value,
    not_before: Value,
    resource: &'a str,
    token_type: &'static str,
}

fn body<'a>(
    issued: &'a Issued,
    form: &ImdsAnswer,
    identity: &ManagedIdentity,
    resource: &'a str,
    now: i64,
) -> TokenAnswer<'a> {
    let left = issued.expires_on - now;
    let count = |count: i64| {
        if form.numbers {
            json!(count)
        } else {
            json!(count.to_string())
        }
    };
    TokenAnswer {
        access_token: &issued.token,
        client_id: identity.client_id(),
        expires_in: (!form.without_expires_in).then(|| count(left)),
        expires_on: (!form.without_expires_on).then(|| count(issued.expires_on)),
        // These two stay texts: no client reads them.
        ext_expires_in: json!(left.to_string()),
        not_before: json!(issued.not_before.to_string()),
        resource,
        token_type: "Bearer",
    }
}

/// `2018-02-01`, with or without a suffix such as `-preview`.
fn is_version(text: &str) -> bool {
    let digits = |part: Option<&str>, length: usize| {
        part.is_some_and(|part| part.len() == length && part.bytes().all(|b| b.is_ascii_digit()))
    };
    let mut parts = text.splitn(4, '-');
    digits(parts.next(), 4) && digits(parts.next(), 2) && digits(parts.next(), 2)
}
