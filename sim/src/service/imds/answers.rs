//! What IMDS says word for word when it has no token.

use http::StatusCode;
use serde_json::json;

use crate::http::exchange::Answer;

/// The error code for a missing `Metadata` header, if the scenario names no other.
pub const HEADER_MISSING: &str = "bad_request_102";

/// An error with its code and description.
fn error(status: StatusCode, code: &str, description: &str) -> Answer {
    let body = json!({ "error": code, "error_description": description });
    Answer::json(status, &body).because(description)
}

/// The request cannot be served as it is.
pub fn invalid_request(description: &str) -> Answer {
    error(StatusCode::BAD_REQUEST, "invalid_request", description)
}

/// No such identity on this host (MI-60).
pub fn identity_not_found() -> Answer {
    invalid_request("Identity not found")
}

/// The header is missing (MI-61).
pub fn header_missing(code: &str) -> Answer {
    error(
        StatusCode::BAD_REQUEST,
        code,
        "Required metadata header not specified",
    )
}

/// The request was passed on by a proxy that says so (MI-108).
pub fn forwarded() -> Answer {
    invalid_request("Requests with an X-Forwarded-For header are not served")
}

/// Unknown resource (MI-62).
pub fn invalid_resource() -> Answer {
    let description =
        "AADSTS50001: The application that was asked for does not exist in the tenant.";
    error(StatusCode::BAD_REQUEST, "invalid_resource", description)
}

/// What a proxy on a developer's machine says in place of IMDS (MI-68).
pub fn docker_unreachable() -> Answer {
    let text = "connecting to 169.254.169.254:80: connecting to 169.254.169.254:80: dial tcp \
        169.254.169.254:80: connectex: A socket operation was attempted to an unreachable network.";
    Answer::text(StatusCode::FORBIDDEN, text)
}

/// What the service says with a status (MI-63 to MI-67).
pub fn status(status: StatusCode) -> Answer {
    let (code, description) = match status.as_u16() {
        401 => (
            "unauthorized_client",
            "The client is not allowed to ask for a token",
        ),
        403 => ("access_denied", "The request was denied"),
        404 => (
            "not_found",
            "The service is being updated or the path does not exist",
        ),
        405 => ("method_not_allowed", "Only GET is allowed"),
        410 => (
            "gone",
            "The service is being updated and will be back within 70 seconds",
        ),
        429 => ("too_many_requests", "Too many requests"),
        500 => (
            "unknown",
            "Failed to retrieve token from the Active directory. Try again later",
        ),
        503 => (
            "service_unavailable",
            "The service is busy. Try again later",
        ),
        504 => (
            "gateway_timeout",
            "The service did not get an answer in time",
        ),
        _ => ("invalid_request", "The request could not be served"),
    };
    error(status, code, description)
}
