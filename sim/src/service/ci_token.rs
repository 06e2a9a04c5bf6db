//! What the token endpoints of CI systems share: who may ask, and the assertions that they issue.

use std::time::Duration;

use crate::{
    backend::{Backend, issuer::Assertion},
    check::Check,
    http::exchange::Request,
    scenario::{Span, document::Place},
};

/// The audience that Entra asks for in the public cloud.
pub(crate) const TOKEN_EXCHANGE: &str = "api://AzureADTokenExchange";

/// Why a request may not ask for a token; none if it may. `ends` is when the job ends, and with it
/// the bearer token.
pub(crate) fn refusal(
    request: &Request,
    bearer: &str,
    ends: Option<Span>,
    at: Duration,
) -> Option<&'static str> {
    match request.header("authorization") {
        None => Some("there is no Authorization"),
        Some(sent) if sent != format!("Bearer {bearer}") => {
            Some("the bearer token is not that of the job")
        }
        Some(_) => ends
            .is_some_and(|ends| at >= ends.0)
            .then_some("the job has ended, and its bearer token with it"),
    }
}

/// A new assertion.
pub(crate) fn issue(
    backend: &Backend,
    at: Duration,
    (issuer, subject, audience): (&str, &str, &str),
    life: Span,
) -> String {
    let assertion = Assertion {
        issuer,
        subject,
        audience,
        begins: Duration::ZERO,
        life: life.0,
    };
    let now = backend.time(at);
    backend.state().issuer.assert(&assertion, now)
}

/// Checks the keys that both have, at `place`.
pub(crate) fn check(
    (issuer, subject, bearer): (&str, &str, &str),
    (bearer_key, ends): (&str, Option<Span>),
    place: &Place,
    check: &mut Check<'_>,
) {
    check.text(issuer, &place.key("issuer"), "the URL of an issuer");
    check.text(subject, &place.key("subject"), "the subject of a token");
    let bearer_place = place.key(bearer_key);
    check.text(bearer, &bearer_place, "a bearer token");
    check.header_value(bearer, &bearer_place);
    if let Some(ends) = ends {
        check.longer_than_zero(ends, &place.key("job-ends"), "no job ends before it begins");
    }
}

/// What `explain` says of when the job ends.
pub(crate) fn describe_end(ends: Option<Span>) -> String {
    ends.map_or_else(String::new, |ends| format!(", the job ends after {ends}"))
}
