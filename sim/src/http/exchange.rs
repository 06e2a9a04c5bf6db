//! A request and its answer, as the endpoints see them: no sockets, no faults.

use std::{fmt, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use serde::Serialize;

use crate::scenario::Range;
use crate::{
    backend::{
        Backend,
        journal::{Recorded, Why},
    },
    fault::effect::Preset,
    redact::{Body, Shown, masked_path, masked_query},
    trace::Facts,
};

/// A service that answers HTTP requests.
pub trait Endpoint: Send + Sync + 'static {
    /// Its name in scenario files and traces.
    fn name(&self) -> &str;

    /// How long an answer takes.
    fn takes(&self, _backend: &Backend) -> Option<Range> {
        None
    }

    /// Whether it answers programs of the machine alone, and no page of a browser.
    fn refuses_pages(&self) -> bool;

    /// What the trace tells about a request.
    fn record(&self, request: &Request) -> Recorded;

    /// The answer of the healthy service.
    fn answer(&self, backend: &Backend, request: &Request, at: Duration) -> Answer;

    /// What the service says word for word, if this preset is one of its own.
    fn preset(
        &self,
        backend: &Backend,
        preset: &Preset,
        request: &Request,
        at: Duration,
    ) -> Option<Answer>;

    /// What the service says when all it says is this status.
    fn says(
        &self,
        backend: &Backend,
        status: StatusCode,
        request: &Request,
        at: Duration,
    ) -> Answer;
}

/// A request, read to its end. `Debug` covers its secrets.
#[derive(Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The path as it was sent.
    pub path: String,
    /// The query as it was sent, without the question mark.
    pub query: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Request {
    /// The path as services read it: one slash at its beginning and none at its end.
    pub fn route(&self) -> String {
        format!("/{}", self.path.trim_matches('/'))
    }

    /// Whether its [`route`](Self::route) is this one.
    pub fn is_for(&self, route: &str) -> bool {
        route.strip_prefix('/') == Some(self.path.trim_matches('/'))
    }

    /// A header, if it is there once and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// A field of the query that is there and not empty.
    pub fn query_field(&self, name: &str) -> Option<String> {
        field(self.query.as_bytes(), name)
    }

    /// A field of the form that is there and not empty.
    pub fn form_field(&self, name: &str) -> Option<String> {
        field(&self.body, name)
    }

    /// What the trace tells about it: the body too, if there is one.
    pub fn recorded(&self, what: &'static str, facts: Facts) -> Recorded {
        let mut line = format!("{} {}", self.method, masked_path(&self.path));
        if !self.query.is_empty() {
            line.push('?');
            line.push_str(&masked_query(&self.query));
        }
        Recorded {
            what,
            line,
            detail: self.shown_body(),
            facts,
        }
    }

    /// The body as the trace shows it: the fields of a form without telemetry.
    fn shown_body(&self) -> String {
        let fields = match Body::of(&self.body).shown() {
            Shown::Text(text) => return text,
            Shown::Fields(fields) => fields,
        };
        let mut detail = String::with_capacity(self.body.len());
        for (name, value) in fields.iter().filter(|(name, _)| !is_telemetry(name)) {
            if !detail.is_empty() {
                detail.push('&');
            }
            push_readable(&mut detail, name);
            detail.push('=');
            push_readable(&mut detail, value);
        }
        detail
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.keys().map(HeaderName::as_str).collect();
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("path", &masked_path(&self.path))
            .field("query", &masked_query(&self.query))
            .field("headers", &names)
            .field("body", &self.shown_body())
            .finish()
    }
}

/// The first field of this name that is not empty. Only the fields that can have the name are
/// decoded: services ask for many that are not there.
fn field(form: &[u8], name: &str) -> Option<String> {
    let is_encoded = |key: &[u8]| key.iter().any(|byte| matches!(byte, b'%' | b'+'));
    form.split(|byte| *byte == b'&')
        .filter(|part| {
            let key = part.split(|byte| *byte == b'=').next().unwrap_or_default();
            key == name.as_bytes() || is_encoded(key)
        })
        .flat_map(form_urlencoded::parse)
        .find(|(key, value)| key == name && !value.is_empty())
        .map(|(_, value)| value.into_owned())
}

/// All fields of a form or a query, decoded, in their order.
pub(crate) fn fields(form: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(form)
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect()
}

fn is_telemetry(field: &str) -> bool {
    field.starts_with("x-") || field == "client-request-id"
}

/// Adds `text`, form-encoded as little as possible, so that people can read it and programs parse
/// it.
fn push_readable(readable: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => readable.push_str("%26"),
            '%' => readable.push_str("%25"),
            '+' => readable.push_str("%2B"),
            '=' => readable.push_str("%3D"),
            ' ' => readable.push_str("%20"),
            c if c.is_control() => readable.extend(form_urlencoded::byte_serialize(
                c.encode_utf8(&mut [0; 4]).as_bytes(),
            )),
            c => readable.push(c),
        }
    }
}

/// An answer, and why it is what it is.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers, without length and date.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// For the trace.
    pub why: Why,
}

impl Answer {
    /// An answer with this body.
    pub fn new(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        Self {
            status,
            headers,
            body: body.into(),
            why: Why::default(),
        }
    }

    /// A JSON answer, in compact form.
    pub fn json(status: StatusCode, body: &impl Serialize) -> Self {
        // What the endpoints say consists of texts and numbers: writing it cannot fail.
        let body = serde_json::to_vec(body).unwrap_or_default();
        Self::new(status, "application/json", body)
    }

    /// A plain-text answer.
    pub fn text(status: StatusCode, body: &'static str) -> Self {
        Self::new(status, "text/plain; charset=utf-8", body)
    }

    /// Says why.
    pub fn because(mut self, why: impl Into<String>) -> Self {
        self.why.why = why.into();
        self
    }

    /// Adds a header; what is no header (a scenario may ask for anything) is left out.
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
            self.headers.insert(name, value);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(query: &str, body: &'static str) -> Request {
        Request {
            method: Method::POST,
            path: "//tenant/oauth2/v2.0/token/".to_owned(),
            query: query.to_owned(),
            headers: HeaderMap::new(),
            body: Bytes::from_static(body.as_bytes()),
        }
    }

    #[test]
    fn the_route_has_one_slash_before_and_none_after() {
        assert_eq!(request("", "").route(), "/tenant/oauth2/v2.0/token");
    }

    #[test]
    fn secrets_and_telemetry_stay_out_of_the_trace() {
        let recorded = request(
            "client-request-id=1&code=abc",
            "client_id=C&scope=https%3A%2F%2Fa%2F.default%20b&client_secret=S%26&x-client-SKU=x",
        )
        .recorded("token", Facts::default());
        assert_eq!(
            recorded.line,
            "POST //tenant/oauth2/v2.0/token/?client-request-id=1&code=***"
        );
        assert_eq!(
            recorded.detail,
            "client_id=C&scope=https://a/.default%20b&client_secret=***"
        );
    }

    #[test]
    fn what_looks_like_a_secret_stays_out_wherever_it_stands() {
        // Made up.
        let secret = format!("abc8Q~{}", "x".repeat(34));
        let encoded = secret.replace('~', "%7E");
        let mut request = request(&format!("a={encoded}&client%5Fsecret=S&{secret}=b"), "");
        request.path = format!("/t/{encoded}/token");
        request.body = Bytes::from(format!("scope={encoded}&Code_Verifier=V&x=y"));
        let recorded = request.recorded("token", Facts::default());
        assert_eq!(
            recorded.line,
            "POST /t/***/token?a=***&client%5Fsecret=***&***=b"
        );
        assert_eq!(recorded.detail, "scope=***&Code_Verifier=***&x=y");
    }

    proptest::proptest! {
        #[test]
        fn a_field_is_found_as_in_the_parsed_form(form in "[ab%6+=&é]{0,24}") {
            let parsed = form_urlencoded::parse(form.as_bytes())
                .find(|(key, value)| key == "a" && !value.is_empty())
                .map(|(_, value)| value.into_owned());
            proptest::prop_assert_eq!(field(form.as_bytes(), "a"), parsed);
        }

        #[test]
        fn what_is_told_of_a_form_can_be_parsed_back(value in ".*") {
            let mut form = "a=".to_owned();
            push_readable(&mut form, &value);
            let back: Vec<_> = form_urlencoded::parse(form.as_bytes()).collect();
            proptest::prop_assert_eq!(&back[0].1, &value);
        }
    }
}
