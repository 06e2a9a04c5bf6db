//! The answers that faults put in place of the right one.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use jiff::{Timestamp, fmt::rfc2822::DateTimePrinter};

use super::exchange::{Answer, Endpoint, Request};
use crate::{
    backend::Backend,
    fault::effect::{Body, Reply},
    limits::BODY,
};

/// The page of a proxy that intercepts requests.
const PAGE: &str = "<!DOCTYPE html>\n<html>\n<head><title>Service unavailable</title></head>\n\
    <body>\n<h1>The proxy could not reach the service</h1>\n<p>Please try again later.</p>\n\
    </body>\n</html>\n";

/// The answer that `wanted` describes, in the endpoint's words where it gives none.
pub fn reply(
    backend: &Backend,
    endpoint: &dyn Endpoint,
    request: &Request,
    wanted: &Reply,
    at: Duration,
) -> Answer {
    let status = StatusCode::from_u16(wanted.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = match &wanted.body {
        None if status.is_success() => endpoint.answer(backend, request, at),
        None => endpoint.says(backend, status, request, at),
        // The check of a scenario refuses presets of other services.
        Some(Body::Preset(preset)) => endpoint
            .preset(backend, preset, request, at)
            .unwrap_or_else(|| endpoint.says(backend, status, request, at)),
        Some(Body::Json(text)) => Answer::new(status, "application/json", text.clone()),
        Some(Body::Text(text)) => Answer::new(status, "text/plain; charset=utf-8", text.clone()),
        Some(Body::Html(_)) => Answer::new(status, "text/html; charset=utf-8", PAGE),
        Some(Body::Empty(_)) => Answer::new(status, "text/plain", Bytes::new()),
        Some(Body::Padded(bytes)) => padded(endpoint.answer(backend, request, at), *bytes),
    };
    answer.status = status;
    if answer.body.is_empty() {
        answer.headers.remove(header::CONTENT_TYPE);
    }
    answer.why.why = format!("a fault answers {}", status.as_u16());
    if let Some(date) = wanted.retry_after_date {
        let date = http_date(date.added_to(backend.time(at)));
        answer = answer.with_header("Retry-After", &date);
    }
    if let Some(text) = &wanted.retry_after {
        answer = answer.with_header("Retry-After", text);
    }
    wanted.headers.iter().fold(answer, |answer, (name, value)| {
        answer.with_header(name, value)
    })
}

/// The answer's JSON object with one more field, so that it is `bytes` long.
fn padded(mut answer: Answer, bytes: u64) -> Answer {
    const OPENING: &[u8] = b",\"padding\":\"";
    const CLOSING: &[u8] = b"\"}";
    let bytes = usize::try_from(bytes.min(BODY)).unwrap_or(usize::MAX);
    let Some(object) = answer.body.strip_suffix(b"}") else {
        return answer;
    };
    let frame = object.len() + OPENING.len() + CLOSING.len();
    let padding = vec![b'x'; bytes.saturating_sub(frame)];
    answer.body = [object, OPENING, &padding, CLOSING].concat().into();
    answer
}

/// A moment as HTTP headers write it: `Wed, 21 Oct 2026 07:28:00 GMT`.
pub fn http_date(time: Timestamp) -> String {
    // Only years before 1 cannot be written.
    DateTimePrinter::new()
        .timestamp_to_rfc9110_string(&time)
        .unwrap_or_default()
}

/// A header's value; what cannot be one is empty.
pub fn header_value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}
