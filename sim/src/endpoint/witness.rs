//! Requests and commands as they arrived, whole, for somebody who compares clients. Secrets are
//! left out.

use std::sync::Arc;

use serde::Serialize;

use super::exchange::{Request, fields, is_secret};

/// Hears of every request and every command when it arrives.
pub type Witness = Arc<dyn Fn(&Witnessed) + Send + Sync>;

/// A request or a command, without its secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Witnessed {
    /// A request that reached an endpoint.
    Request {
        /// The endpoint's name.
        endpoint: String,
        /// The method.
        method: String,
        /// The path as it was sent.
        path: String,
        /// The fields of the query, decoded, in their order.
        query: Vec<(String, String)>,
        /// The headers by lower-case name, in their order.
        headers: Vec<(String, String)>,
        /// The fields of the form, decoded, in their order.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        form: Vec<(String, String)>,
    },
    /// A command that was called.
    Command {
        /// The program.
        program: String,
        /// Its arguments.
        args: Vec<String>,
    },
}

const LEFT_OUT: &str = "***";

impl Witnessed {
    /// What `endpoint` was sent.
    pub(super) fn request(endpoint: &str, request: &Request) -> Self {
        let without_secrets = |pairs: Vec<(String, String)>| -> Vec<(String, String)> {
            let kept = pairs.into_iter().map(|(name, value)| {
                let value = if is_secret(&name) {
                    LEFT_OUT.to_owned()
                } else {
                    value
                };
                (name, value)
            });
            kept.collect()
        };
        let headers = request.headers.iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), unauthorized(name.as_str(), value))
        });
        Self::Request {
            endpoint: endpoint.to_owned(),
            method: request.method.to_string(),
            path: request.path.clone(),
            query: without_secrets(fields(request.query.as_bytes())),
            headers: headers.collect(),
            form: without_secrets(fields(&request.body)),
        }
    }
}

/// Only the scheme of what authorizes.
fn unauthorized(name: &str, value: String) -> String {
    match (name, value.split_once(' ')) {
        ("authorization" | "proxy-authorization", Some((scheme, _))) => {
            format!("{scheme} {LEFT_OUT}")
        }
        ("authorization" | "proxy-authorization", None) | ("cookie", _) => LEFT_OUT.to_owned(),
        _ => value,
    }
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
        let told = serde_json::to_string(&Witnessed::request("entra", &request)).expect("texts");
        assert_eq!(
            told,
            r#"{"request":{"endpoint":"entra","method":"POST","path":"/t/oauth2/v2.0/token","query":[["a","b c"],["code","***"]],"headers":[["authorization","Bearer ***"],["metadata","true"]],"form":[["client_id","C"],["client_secret","***"]]}}"#
        );
    }
}
