//! An API that checks the tokens it is shown, as Azure's own do, and records which principals used
//! it.

use std::{collections::BTreeMap, time::Duration};

use http::{Method, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{super::entra::ENTRA_HOST, matcher::ResourceFacts};
use crate::trace::{Facts, fingerprint};
use crate::{
    backend::{
        Backend,
        journal::{Recorded, Why},
        jwt::{self, NotVerified},
    },
    fault::effect::Preset,
    http::exchange::{Answer, Endpoint, Request},
};

/// The endpoint.
pub struct Resource {
    /// Its name in traces: `resource.vault`.
    name: String,
    /// Its name in the world: `vault`.
    key: String,
}

/// What the API reads of a token.
#[derive(Deserialize)]
pub struct Presented {
    aud: String,
    iss: String,
    nbf: i64,
    /// When it ends, in seconds since 1970.
    pub exp: i64,
    /// The object id of its principal.
    pub oid: String,
    tid: String,
}

/// Why a token does not open the door: the API's code, and the reason in words.
type Refused = (&'static str, String);

impl Resource {
    /// The resource of this name in the world.
    pub fn new(key: &str) -> Self {
        Self {
            name: format!("resource.{key}"),
            key: key.to_owned(),
        }
    }
}

/// What a token says, if it is of this tenant, for `audience`, and neither too young nor too old.
///
/// # Errors
/// It is not.
pub fn check(
    backend: &Backend,
    audience: &str,
    claims: &Value,
    at: Duration,
) -> Result<Presented, Refused> {
    let presented = Presented::deserialize(claims).map_err(|_| {
        (
            "InvalidAuthenticationToken",
            "the token lacks a claim that the API needs".to_owned(),
        )
    })?;
    let now = backend.time(at);
    let tenant = backend.state().issuer.tenant().to_owned();
    let issuers = [
        format!("https://sts.windows.net/{tenant}/"),
        format!("https://{ENTRA_HOST}/{tenant}/v2.0"),
    ];
    let Presented {
        aud,
        iss,
        nbf,
        exp,
        tid,
        ..
    } = &presented;
    if aud.trim_end_matches('/') != audience.trim_end_matches('/') {
        let why = format!("the token is for {aud}, not for {}", audience);
        return Err(("InvalidAuthenticationTokenAudience", why));
    }
    if *tid != tenant || !issuers.contains(iss) {
        let why = format!("the token is of tenant {tid} and issuer {iss}");
        return Err(("InvalidAuthenticationTokenTenant", why));
    }
    if now.as_second() < *nbf {
        let why = format!("the token begins {} s from now", nbf - now.as_second());
        return Err(("InvalidAuthenticationToken", why));
    }
    if now.as_second() >= *exp {
        let why = format!("the token ended {} s ago", now.as_second() - exp);
        return Err(("ExpiredAuthenticationToken", why));
    }
    Ok(presented)
}

impl Endpoint for Resource {
    fn name(&self) -> &str {
        &self.name
    }

    fn refuses_pages(&self) -> bool {
        false
    }

    fn record(&self, request: &Request) -> Recorded {
        let facts = ResourceFacts {
            name: self.key.clone(),
        };
        request.recorded("use", Facts::new(facts))
    }

    fn answer(&self, backend: &Backend, request: &Request, at: Duration) -> Answer {
        let (world, tenant) = {
            let state = backend.state();
            (
                state
                    .parts
                    .get::<BTreeMap<String, super::world::Resource>>()
                    .and_then(|all| all.get(&self.key))
                    .cloned(),
                state.issuer.tenant().to_owned(),
            )
        };
        let Some(world) = world else {
            return error(
                StatusCode::NOT_FOUND,
                "ResourceNotFound",
                "there is no such resource",
            );
        };
        if request.method != Method::GET {
            let answer = error(
                StatusCode::METHOD_NOT_ALLOWED,
                "MethodNotAllowed",
                "only GET",
            );
            return answer.with_header("Allow", "GET");
        }
        let Some(token) = bearer(request) else {
            let challenge = format!(
                "Bearer authorization=\"https://login.windows.net/{tenant}\", resource=\"{}\"",
                world.audience
            );
            let why = "no token was shown";
            let answer = error(StatusCode::UNAUTHORIZED, "AuthenticationFailed", why);
            return answer.with_header("WWW-Authenticate", &challenge);
        };
        let token_shown = Some(fingerprint(token));
        let claims = match jwt::verify(token) {
            Ok(claims) => claims,
            Err(problem) => {
                let why = match problem {
                    NotVerified::Malformed => "what was shown is no token",
                    NotVerified::UnknownKey => "the token is signed with an unknown key",
                    NotVerified::Signature => "the token's signature is wrong",
                };
                let refused = ("InvalidAuthenticationToken", why.to_owned());
                let mut answer = unauthorized(&tenant, refused);
                answer.why.token = token_shown;
                return answer;
            }
        };
        let principal = claims["oid"].as_str().map(str::to_owned);
        let mut answer = match check(backend, &world.audience, &claims, at) {
            Ok(presented) => admit(&world, &presented, request),
            Err(refused) => unauthorized(&tenant, refused),
        };
        answer.why = Why {
            token: token_shown,
            principal,
            ..answer.why
        };
        answer
    }

    fn preset(&self, _: &Backend, _: &Preset, _: &Request, _: Duration) -> Option<Answer> {
        None
    }

    fn says(&self, _: &Backend, status: StatusCode, _: &Request, _: Duration) -> Answer {
        error(status, "ServiceError", "the service could not do it")
    }
}

/// The token is good; is its principal allowed to do what is asked?
fn admit(
    world: &crate::service::resource::world::Resource,
    presented: &Presented,
    request: &Request,
) -> Answer {
    let right = request
        .query_field("right")
        .unwrap_or_else(|| "read".to_owned());
    let principal = &presented.oid;
    let has = world
        .grants
        .get(principal)
        .is_some_and(|rights| rights.contains(&right));
    if !has {
        let why = format!("{principal} has no right to {right}");
        return error(StatusCode::FORBIDDEN, "AuthorizationFailed", &why);
    }
    Answer::json(
        StatusCode::OK,
        &json!({ "principal": principal, "right": right }),
    )
    .because(format!("{principal} may {right}"))
}

fn bearer(request: &Request) -> Option<&str> {
    let (scheme, token) = request
        .header(header::AUTHORIZATION.as_str())?
        .split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}

fn unauthorized(tenant: &str, (code, why): Refused) -> Answer {
    let challenge = format!(
        "Bearer authorization_uri=\"https://login.windows.net/{tenant}\", \
         error=\"invalid_token\", error_description=\"{}\"",
        why.replace(['"', '\\'], "")
    );
    error(StatusCode::UNAUTHORIZED, code, &why).with_header("WWW-Authenticate", &challenge)
}

fn error(status: StatusCode, code: &str, why: &str) -> Answer {
    let body = json!({ "error": { "code": code, "message": why } });
    Answer::json(status, &body).because(why)
}
