//! Services asked directly, for their tests.

use std::time::Duration;

use ::http::{HeaderMap, HeaderName, HeaderValue, Method};
use bytes::Bytes;
use serde_json::Value;

use super::Backend;
pub(crate) use crate::action::testing::act;
use crate::http::exchange::{Answer, Endpoint, Request};
use crate::{
    trace::{Kind, Recorder},
    world::World,
};

/// A world with everything in it, and its recorder. `more` adds to it.
pub(crate) fn backend(more: &str) -> (Backend, Recorder) {
    let text = format!(
        r#"
        start = "2026-01-01T00:00:00Z"
        lasts = "10d"
        {more}
        "#
    );
    let world: World = toml::from_str(&text).expect("the world of a test is valid");
    let recorder = Recorder::default();
    (Backend::new(&world, 1, recorder.clone()), recorder)
}

pub(crate) fn request(
    method: Method,
    target: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Request {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers: HeaderMap = headers
        .iter()
        .map(|(name, value)| {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a header name");
            (name, HeaderValue::from_str(value).expect("a header value"))
        })
        .collect();
    Request {
        method,
        path: path.to_owned(),
        query: query.to_owned(),
        headers,
        body: Bytes::copy_from_slice(body.as_bytes()),
    }
}

pub(crate) fn get(target: &str, headers: &[(&str, &str)]) -> Request {
    request(Method::GET, target, headers, "")
}

pub(crate) fn json(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).expect("a JSON body")
}

pub(crate) fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer
        .headers
        .get(name)
        .map_or("", |value| value.to_str().expect("text"))
}

/// The claims of a token, its signature checked.
pub(crate) fn claims(token: &Value) -> Value {
    super::jwt::verify(token.as_str().expect("a token")).expect("a token of ours")
}

pub(crate) const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// The whys of all that ended, in order.
pub(crate) fn whys(recorder: &Recorder) -> Vec<String> {
    let events = recorder.finish().events.into_iter();
    events
        .filter_map(|event| match event.kind {
            Kind::RequestAnswered { why, .. } | Kind::CommandEnded { why, .. } => Some(why.into()),
            _ => None,
        })
        .collect()
}

pub(crate) fn ask(endpoint: &dyn Endpoint, backend: &Backend, request: &Request) -> Answer {
    endpoint.answer(backend, request, Duration::ZERO)
}
