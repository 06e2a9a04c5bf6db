//! A request as it arrived, for a client comparison, without its secrets.

use super::exchange::{Request, fields};
use crate::{
    backend::Captured,
    redact::{Body, MASK, Shown, is_secret_name, masked, masked_path, masked_value},
};

/// Headers whose values are shown: those that clients of these services are known to send, and
/// that hold no secret. A `*` at the end stands for any rest.
const TOLD: &[&str] = &[
    "accept*",
    "cache-control",
    "client-request-id",
    "connection",
    "content-*",
    "host",
    "metadata",
    "pragma",
    "return-client-request-id",
    "traceparent",
    "transfer-encoding",
    "user-agent",
    "x-anchormailbox",
    "x-client-*",
    "x-ms-*",
];

impl Captured {
    /// What `endpoint` was sent.
    pub(crate) fn request(endpoint: &str, request: &Request) -> Self {
        let without_secrets = |pairs: Vec<(String, String)>| -> Vec<(String, String)> {
            let kept = pairs.into_iter().map(|(name, value)| {
                let value = masked_value(&name, &value).into_owned();
                (masked(&name).into_owned(), value)
            });
            kept.collect()
        };
        let headers = request.headers.iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes());
            (name.as_str().to_owned(), shown(name.as_str(), &value))
        });
        let (form, body) = match Body::of(&request.body).shown() {
            Shown::Fields(form) => (form, String::new()),
            Shown::Text(body) => (Vec::new(), body),
        };
        Self::Request {
            endpoint: endpoint.to_owned(),
            method: request.method.to_string(),
            path: masked_path(&request.path),
            query: without_secrets(fields(request.query.as_bytes())),
            headers: headers.collect(),
            form,
            body,
        }
    }
}

/// The value of a header as it may be shown: of what authorizes, only the scheme.
fn shown(name: &str, value: &str) -> String {
    let is_told = TOLD.iter().any(|pattern| match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == *pattern,
    });
    match (name, value.split_once(' ')) {
        _ if is_told && !is_secret_name(name) => masked(value).into_owned(),
        ("authorization" | "proxy-authorization", Some((scheme, _))) if is_scheme(scheme) => {
            format!("{scheme} {MASK}")
        }
        _ => MASK.to_owned(),
    }
}

fn is_scheme(text: &str) -> bool {
    let known = ["basic", "bearer", "digest", "negotiate", "pop"];
    known.contains(&text.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, HeaderValue, Method};

    use super::*;

    #[test]
    fn all_is_told_but_secrets() {
        let mut headers = HeaderMap::new();
        headers.insert(
            "authorization",
            HeaderValue::from_static("Bearer eyJsecret"),
        );
        headers.insert("metadata", HeaderValue::from_static("true"));
        let request = Request {
            method: Method::POST,
            path: "/t/oauth2/v2.0/token".to_owned(),
            query: "a=b%20c&code=secret".to_owned(),
            headers,
            body: Bytes::from_static(b"client_id=C&client_secret=secret"),
        };
        let shown = serde_json::to_string(&Captured::request("entra", &request)).expect("texts");
        assert_eq!(
            shown,
            r#"{"request":{"endpoint":"entra","method":"POST","path":"/t/oauth2/v2.0/token","query":[["a","b c"],["code","***"]],"headers":[["authorization","Bearer ***"],["metadata","true"]],"form":[["client_id","C"],["client_secret","***"]]}}"#
        );
    }

    #[test]
    fn only_known_headers_and_harmless_values_are_told() {
        // Made up.
        let token = format!("eyJ{}.{}.sig", "a".repeat(30), "b".repeat(30));
        let mut headers = HeaderMap::new();
        for (name, value, _) in HEADERS {
            headers.insert(*name, HeaderValue::from_static(value));
        }
        let value = HeaderValue::from_str(&format!("app/1 {token}"));
        headers.insert("user-agent", value.expect("a header value"));
        let request = Request {
            method: Method::GET,
            path: format!("/secrets/{token}"),
            query: format!("code_verifier=V&resource={token}"),
            headers,
            body: Bytes::new(),
        };
        let Captured::Request {
            path,
            query,
            headers,
            ..
        } = Captured::request("imds", &request)
        else {
            panic!("it is a request");
        };
        assert_eq!(path, "/secrets/***");
        let query: Vec<_> = query.into_iter().map(|(_, value)| value).collect();
        assert_eq!(query, ["***", "***"]);
        for (name, _, expected) in HEADERS {
            let shown = headers.iter().find(|(known, _)| known == name);
            assert_eq!(
                shown.map(|(_, value)| value.as_str()),
                Some(*expected),
                "{name}"
            );
        }
        let agent = headers.iter().find(|(name, _)| name == "user-agent");
        assert_eq!(agent.map(|(_, value)| value.as_str()), Some("app/1 ***"));
    }

    /// Headers, and how they are shown.
    const HEADERS: &[(&str, &str, &str)] = &[
        ("authorization", "Basic aTpz", "Basic ***"),
        ("cookie", "a=b", "***"),
        ("content-type", "text/plain", "text/plain"),
        ("proxy-authorization", "s3cret", "***"),
        ("secret", "S", "***"),
        ("x-client-sku", "msal.js.node", "msal.js.node"),
        ("x-identity-header", "S", "***"),
        ("x-ms-authorization-auxiliary", "Bearer S", "***"),
        ("x-ms-client-request-id", "1", "1"),
        ("x-ms-encryption-key", "S", "***"),
        (
            "x-ms-copy-source",
            "https://h/a?sv=1&sig=S",
            "https://h/a?sv=1&sig=***",
        ),
        ("x-functions-key", "S", "***"),
        ("x-of-somebody", "S", "***"),
    ];
}
