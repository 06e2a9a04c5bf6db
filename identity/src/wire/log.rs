//! Events about requests and their answers, at info. They name method, host and path; a query, a
//! header or a body may hold a secret and is never part of them.

use std::fmt::Display;

use url::{Position, Url};

use crate::platform::HttpRequest;

/// The target of these events, which users filter by.
const TARGET: &str = "credsim_identity::http";

/// Logs that `request` is sent, for the `attempt`th time.
pub(crate) fn request(request: &HttpRequest, attempt: u32) {
    let (method, path) = (request.method.as_str(), request.url.path());
    let host = host(&request.url);
    tracing::info!(target: TARGET, method, host, path, attempt, "request");
}

/// Logs the final answer to `request`, after so many attempts.
pub(crate) fn response(request: &HttpRequest, status: u16, attempts: u32) {
    let (method, path) = (request.method.as_str(), request.url.path());
    let host = host(&request.url);
    tracing::info!(target: TARGET, method, host, path, status, attempts, "response");
}

/// Logs that `request` was not answered.
pub(crate) fn no_response(request: &HttpRequest, error: &dyn Display, attempts: u32) {
    let (method, path) = (request.method.as_str(), request.url.path());
    let host = host(&request.url);
    tracing::info!(target: TARGET, method, host, path, attempts, %error, "no response");
}

/// Host and port, without a user name or a password that the URL may hold.
fn host(url: &Url) -> &str {
    &url[Position::BeforeHost..Position::AfterPort]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_told_without_who_signs_in_there() {
        for (url, told) in [
            (
                "http://user:password@10.0.0.1:8080/path?query",
                "10.0.0.1:8080",
            ),
            (
                "https://login.microsoftonline.com/t",
                "login.microsoftonline.com",
            ),
            ("http://[::1]:80/", "[::1]"),
        ] {
            assert_eq!(host(&url.parse().unwrap()), told);
        }
    }
}
