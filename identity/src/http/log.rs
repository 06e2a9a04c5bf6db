//! Events about requests and their answers, at info. They show method, host and path, but never a
//! query, a header or a body, which may hold a secret.

use std::fmt::Display;

use url::{Position, Url};

use crate::platform::HttpRequest;

/// The target of these events, for filters.
const TARGET: &str = "credsim_identity::http";

/// Logs that `request` is sent as attempt number `attempt`, counted from 1.
pub(crate) fn request(request: &HttpRequest, attempt: u32) {
    let (method, path) = (request.method.as_str(), request.url.path());
    let host = host(&request.url);
    tracing::info!(target: TARGET, method, host, path, attempt, "request");
}

/// Logs the status of the final answer to `request`, which took `attempts` attempts.
pub(crate) fn response(request: &HttpRequest, status: u16, attempts: u32) {
    let (method, path) = (request.method.as_str(), request.url.path());
    let host = host(&request.url);
    tracing::info!(target: TARGET, method, host, path, status, attempts, "response");
}

/// Logs that `attempts` attempts of `request` brought no answer.
pub(crate) fn no_response(request: &HttpRequest, error: &dyn Display, attempts: u32) {
    let (method, path) = (request.method.as_str(), request.url.path());
    let host = host(&request.url);
    tracing::info!(target: TARGET, method, host, path, attempts, %error, "no response");
}

/// Returns host and port, without the user name and the password that the URL may hold.
fn host(url: &Url) -> &str {
    &url[Position::BeforeHost..Position::AfterPort]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_name_and_the_password_are_left_out() {
        for (url, shown) in [
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
            assert_eq!(host(&url.parse().unwrap()), shown);
        }
    }
}
