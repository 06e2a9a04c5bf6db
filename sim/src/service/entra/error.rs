//! What Entra refuses, and how it says so.

use std::time::Duration;

use http::{Method, StatusCode};
use jiff::Timestamp;
use serde::Serialize;

use super::answer::say;
use crate::{
    backend::{Backend, jwt},
    fault::effect::KnownPreset,
    http::exchange::{Answer, Request},
};

/// A refusal before it is written down.
#[derive(Clone, Debug)]
pub struct Refusal {
    status: StatusCode,
    error: &'static str,
    /// The number after `AADSTS`.
    code: u32,
    text: String,
    suberror: Option<&'static str>,
    claims: Option<&'static str>,
}

impl Refusal {
    fn new(status: StatusCode, error: &'static str, code: u32, text: impl Into<String>) -> Self {
        Self {
            status,
            error,
            code,
            text: text.into(),
            suberror: None,
            claims: None,
        }
    }

    fn bad(error: &'static str, code: u32, text: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error, code, text)
    }

    /// The form lacks a field.
    pub fn missing(field: &str) -> Self {
        let text = format!("The request body must contain the following parameter: '{field}'.");
        Self::bad("invalid_request", 900_144, text)
    }

    /// The request makes no sense.
    pub fn malformed() -> Self {
        Self::bad(
            "invalid_request",
            9_002_313,
            "Invalid request. Request is malformed or invalid.",
        )
    }

    /// Another method is wanted.
    pub fn wrong_method(wanted: &Method, got: &Method) -> Self {
        let text =
            format!("The endpoint only accepts {wanted} requests. Received a {got} request.");
        Self::bad("invalid_request", 900_561, text)
    }

    /// A grant that this endpoint does not serve.
    pub fn unsupported_grant(grant: &str) -> Self {
        let text = format!("The app requested an unsupported grant type '{grant}'.");
        Self::bad("unsupported_grant_type", 70_003, text)
    }

    /// No such tenant. `error` differs between the endpoints.
    pub fn unknown_tenant(error: &'static str, tenant: &str) -> Self {
        let text = format!("Tenant '{tenant}' not found. Check that it is the right tenant id.");
        Self::bad(error, 90_002, text)
    }

    /// An application has no home in a tenant that stands for many.
    pub fn no_tenant() -> Self {
        let text = "No tenant-identifying information found in the request.";
        Self::bad("invalid_request", 50_059, text)
    }

    /// No such application in the tenant.
    pub fn unknown_application(client: &str) -> Self {
        let text =
            format!("Application with identifier '{client}' was not found in the directory.");
        Self::bad("unauthorized_client", 700_016, text)
    }

    /// An administrator disabled the application.
    pub fn disabled_application(client: &str) -> Self {
        let text = format!("Application '{client}' is disabled.");
        Self::bad("unauthorized_client", 7_000_112, text)
    }

    /// The request shows neither secret nor assertion.
    pub fn no_proof() -> Self {
        let text = "The request body must contain the following parameter: \
            'client_assertion' or 'client_secret'.";
        Self::new(StatusCode::UNAUTHORIZED, "invalid_client", 7_000_218, text)
    }

    /// The secret is not the application's.
    pub fn wrong_secret(client: &str) -> Self {
        let text = format!("Invalid client secret provided for app '{client}'.");
        Self::new(StatusCode::UNAUTHORIZED, "invalid_client", 7_000_215, text)
    }

    /// The assertion is no JWT, or has not the claims of one.
    pub fn malformed_assertion() -> Self {
        let text = "Invalid JWT token. The client assertion is not a well-formed token.";
        Self::new(StatusCode::UNAUTHORIZED, "invalid_client", 50_027, text)
    }

    /// The assertion was accepted before (number unverified).
    pub fn replayed() -> Self {
        let text = "Invalid JWT token. The client assertion was presented before.";
        Self::new(StatusCode::UNAUTHORIZED, "invalid_client", 50_027, text)
    }

    /// The signature of the assertion is wrong.
    pub fn wrong_signature() -> Self {
        let text = "Client assertion failed signature validation.";
        Self::new(StatusCode::UNAUTHORIZED, "invalid_client", 700_027, text)
    }

    /// The assertion has ended, or has not begun. Times are seconds since 1970.
    pub fn outside_its_lifetime(status: u16, now: i64, begin: i64, end: i64) -> Self {
        let time = |at: i64| Timestamp::from_second(at).unwrap_or_default();
        let text = format!(
            "Client assertion is not within its valid time range. Current time: {}, assertion \
             valid from {}, expiry time of assertion {}.",
            time(now),
            time(begin),
            time(end)
        );
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::UNAUTHORIZED);
        Self::new(status, "invalid_client", 700_024, text)
    }

    /// No federated credential of the application has the issuer of the assertion.
    pub fn no_issuer(issuer: &str) -> Self {
        Self::no_federated_record(700_211, "issuer", issuer)
    }

    /// None of that issuer has the audience of the assertion.
    pub fn no_audience(audience: &str) -> Self {
        Self::no_federated_record(700_212, "audience", audience)
    }

    /// None of that issuer and audience has the subject of the assertion.
    pub fn no_subject(subject: &str) -> Self {
        Self::no_federated_record(700_213, "subject", subject)
    }

    fn no_federated_record(code: u32, claim: &str, presented: &str) -> Self {
        let text = format!(
            "No matching federated identity record found for presented assertion {claim} \
             '{presented}'."
        );
        Self::new(StatusCode::UNAUTHORIZED, "invalid_client", code, text)
    }

    /// The scope is none.
    pub fn bad_scope(scope: &str) -> Self {
        let text =
            format!("The provided value for the input parameter 'scope' is not valid: {scope}");
        Self::bad("invalid_scope", 70_011, text)
    }

    /// The scope of an application must end in `/.default`.
    pub fn not_default_scope(scope: &str) -> Self {
        let text = format!(
            "The provided value for scope {scope} is not valid. Client credential flows must have \
             a scope value with /.default suffixed to the resource identifier."
        );
        Self::bad("invalid_scope", 1_002_012, text)
    }

    /// Too many requests.
    pub fn throttled() -> Self {
        let text = "The request exceeded the limit of requests for the tenant.";
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "temporarily_unavailable",
            90_055,
            text,
        )
    }

    /// Something broke for a moment.
    pub fn transient() -> Self {
        let text = "A transient error has occurred. Please try again.";
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "temporarily_unavailable",
            90_033,
            text,
        )
    }

    /// A person must show a second factor.
    pub fn multifactor() -> Self {
        let text = "Due to a configuration change made by your administrator, \
            you must use multi-factor authentication to access the resource.";
        Self {
            suberror: Some("basic_action"),
            claims: Some(
                "{\"access_token\":{\"capolids\":{\"essential\":true,\
                 \"values\":[\"c1f0f0b5-0000-0000-0000-000000000001\"]}}}",
            ),
            ..Self::bad("invalid_grant", 50_076, text)
        }
    }

    /// No authority has this name.
    pub fn unknown_instance() -> Self {
        Self::bad("invalid_instance", 50_049, "Unknown or invalid instance.")
    }
}

/// The body of an error, its fields in the service's order.
#[derive(Serialize)]
struct ErrorBody<'a> {
    error: &'a str,
    error_description: String,
    error_codes: [u32; 1],
    timestamp: &'a str,
    trace_id: &'a str,
    correlation_id: &'a str,
    error_uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    suberror: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    claims: Option<&'a str>,
}

/// A refusal as Entra says it.
pub fn refuse(backend: &Backend, request: &Request, refusal: &Refusal, at: Duration) -> Answer {
    let mut state = backend.state();
    let crlf = state
        .parts
        .get::<super::world::Entra>()
        .is_some_and(|entra| entra.crlf_descriptions);
    let trace = state.issuer.new_guid("trace");
    let correlation = correlation(request).unwrap_or_else(|| state.issuer.new_guid("correlation"));
    drop(state);
    let timestamp = backend.time(at).strftime("%Y-%m-%d %H:%M:%SZ").to_string();
    let code = refusal.code;
    let gap = if crlf { "\r\n" } else { " " };
    let text = &refusal.text;
    let body = ErrorBody {
        error: refusal.error,
        error_description: format!(
            "AADSTS{code}: {text}{gap}Trace ID: {trace}{gap}Correlation ID: {correlation}{gap}\
             Timestamp: {timestamp}"
        ),
        error_codes: [code],
        timestamp: &timestamp,
        trace_id: &trace,
        correlation_id: &correlation,
        error_uri: format!("https://login.microsoftonline.com/error?code={code}"),
        suberror: refusal.suberror,
        claims: refusal.claims,
    };
    say(refusal.status, &body, &trace).because(format!("AADSTS{code}: {text}"))
}

/// The id under which the client knows the request; SDKs send it in different places.
fn correlation(request: &Request) -> Option<String> {
    const NAME: &str = "client-request-id";
    request
        .query_field(NAME)
        .or_else(|| request.header(NAME).map(str::to_owned))
        .or_else(|| request.form_field(NAME))
        .or_else(|| request.header("x-ms-client-request-id").map(str::to_owned))
}

/// A preset, and what it refuses a request with.
pub type Said = (KnownPreset, fn(&Request, Timestamp) -> Refusal);

/// The application that a request comes from.
fn client_of(request: &Request) -> String {
    request.form_field("client_id").unwrap_or_default()
}

/// A claim of the assertion in a request.
fn claim_of(request: &Request, name: &str) -> String {
    let claims = request.form_field("client_assertion");
    let claims = claims.and_then(|assertion| jwt::claims_unverified(&assertion));
    let text = claims.and_then(|claims| Some(claims.get(name)?.as_str()?.to_owned()));
    text.unwrap_or_default()
}

/// The presets that Entra says.
pub fn presets() -> [Said; 7] {
    let said = |name, sentence, summary, refusal: fn(&Request, Timestamp) -> Refusal| {
        let known = KnownPreset {
            service: "entra",
            name,
            summary,
            sentence,
        };
        (known, refusal)
    };
    [
        said(
            "invalid-client-secret",
            "AADSTS7000215, wrong secret",
            "Entra: wrong client secret, AADSTS7000215.",
            |request, _| Refusal::wrong_secret(&client_of(request)),
        ),
        said(
            "unknown-application",
            "AADSTS700016, unknown application",
            "Entra: application not found in the tenant, AADSTS700016.",
            |request, _| Refusal::unknown_application(&client_of(request)),
        ),
        said(
            "multifactor-required",
            "AADSTS50076, a second factor is needed",
            "Entra: multifactor authentication needed, AADSTS50076.",
            |_, _| Refusal::multifactor(),
        ),
        said(
            "transient",
            "AADSTS90033, transient",
            "Entra: transient, AADSTS90033.",
            |_, _| Refusal::transient(),
        ),
        said(
            "no-federated-issuer",
            "AADSTS700211, unknown issuer of the assertion",
            "Entra: no federated credential has the assertion's issuer, AADSTS700211.",
            |request, _| Refusal::no_issuer(&claim_of(request, "iss")),
        ),
        said(
            "no-federated-subject",
            "AADSTS700213, unknown subject of the assertion",
            "Entra: no federated credential has the assertion's subject, AADSTS700213.",
            |request, _| Refusal::no_subject(&claim_of(request, "sub")),
        ),
        said(
            "assertion-expired",
            "AADSTS700024, the assertion is outside its lifetime",
            "Entra: the assertion has ended, AADSTS700024.",
            |_, now| Refusal::outside_its_lifetime(401, now.as_second(), 0, now.as_second()),
        ),
    ]
}
