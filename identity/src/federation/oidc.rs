//! Requests to the token endpoint of a CI system.

use url::Url;

use super::{check_form, failed};
use crate::{
    Error, ErrorKind, Secret,
    http::{
        self, Exchange, Reply, RetryOptions, RetryPolicy, error::unanswered,
        identification::identified,
    },
    platform::{HttpRequest, Platform},
};

/// The token endpoint of a CI system.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) credential: &'static str,
    /// Its name, for messages.
    pub(super) title: &'static str,
    /// The field of the answer that holds the token.
    pub(super) field: &'static str,
    /// The headers that hold the id of a request, the first of them counts.
    pub(super) request_ids: &'static [&'static str],
    /// What to do if it refuses the bearer token.
    pub(super) help: &'static str,
    pub(super) policy: RetryPolicy,
    pub(super) platform: Platform,
}

/// The policy of these endpoints: that of Entra (PR-14).
pub(super) fn policy(options: &RetryOptions) -> RetryPolicy {
    RetryPolicy::entra().with(options)
}

/// Returns the endpoint in the variable `name`: the https URL of a host without user name, because
/// a bearer token is sent there.
///
/// # Errors
/// `Configuration` (PR-08). The value is not shown.
pub(super) fn endpoint(credential: &str, name: &str, value: &str) -> Result<Url, Error> {
    let is_endpoint = |url: &Url| {
        url.scheme() == "https"
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
            && url.fragment().is_none()
    };
    let url = Url::parse(value.trim()).ok().filter(is_endpoint);
    url.ok_or_else(|| {
        let message = format!("{name} is not the https URL of an endpoint");
        let help = format!("leave {name} as the CI system sets it");
        Error::unusable(credential, message, &help)
    })
}

/// Checks that `token` can be sent in a header.
///
/// # Errors
/// `Configuration`; `what` is named and not shown.
pub(super) fn bearer(credential: &str, what: &str, token: &str) -> Result<Secret, Error> {
    let token = token.trim();
    if !token.is_empty() && token.bytes().all(|byte| matches!(byte, b'!'..=b'~')) {
        return Ok(Secret::new(format!("Bearer {token}")));
    }
    let what = match token.is_empty() {
        true => format!("{what} is empty"),
        false => format!("{what} holds characters that a header cannot hold"),
    };
    Err(Error::unusable(
        credential,
        what,
        "leave it as the CI system sets it",
    ))
}

impl Endpoint {
    /// Sends `request`, which is authorised by `bearer`, and returns the assertion of the answer.
    /// No error quotes the answer: it may hold a token.
    pub(super) async fn ask(&self, request: HttpRequest, bearer: &Secret) -> Result<Secret, Error> {
        let request = request
            .header("Authorization", bearer.expose())
            .header("Accept", "application/json");
        let request = identified(request, &self.platform);
        let exchange = Exchange::send(&self.platform, &self.policy, "oidc", request).await;
        let exchange = exchange.map_err(|failure| {
            // The environment names the endpoint, so a chain must not go on with another identity.
            let (kind, help) = (ErrorKind::Failed, "check that this job reaches it");
            unanswered(self.credential, self.title, failure, kind, help)
        })?;
        let reply = exchange.reply;
        if reply.status != 200 {
            return Err(self.refusal(&reply));
        }
        self.token(reply)
    }

    fn refusal(&self, reply: &Reply) -> Error {
        let message = format!(
            "{} answered {}{}",
            self.title,
            reply.status,
            http::error::times(reply)
        );
        let help = match reply.status {
            // A wrong bearer token is answered with a redirect to a sign-in page, too.
            203 | 300..=399 | 401 | 403 => self.help,
            429 | 500..=599 => "try again later",
            _ => "check the variables that the CI system sets",
        };
        let mut ids = self.request_ids.iter();
        let id = ids.find_map(|name| reply.header(name));
        http::error::refused(failed(self.credential, message, help), reply, None, id)
    }

    fn token(&self, reply: Reply) -> Result<Secret, Error> {
        let body = zeroize::Zeroizing::new(reply.body);
        let wrong = |what: &str| {
            let message = format!("the answer of {} {what}", self.title);
            let help = "something else may be answering: check proxies";
            failed(self.credential, message, help).with_status(200)
        };
        let answer: serde_json::Value =
            serde_json::from_slice(&body).map_err(|_| wrong("is not JSON"))?;
        let token = answer.get(self.field).and_then(serde_json::Value::as_str);
        let token = token.ok_or_else(|| wrong(&format!("has no {}", self.field)))?;
        check_form(token).map_err(|_| wrong(&format!("has a {} that is no token", self.field)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pr_08_an_endpoint_is_an_https_url() {
        let good = "https://dev.azure.com/contoso/_apis/x?y=z";
        assert_eq!(endpoint("Test", "E", good).unwrap().as_str(), good);
        for bad in [
            "",
            "dev.azure.com/contoso",
            "http://dev.azure.com/",
            "https://",
            "https://user@dev.azure.com/",
            "https://:word@dev.azure.com/",
            "https://dev.azure.com/#part",
        ] {
            let error = endpoint("Test", "E", bad).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration, "{bad}");
            assert_eq!(error.message(), "E is not the https URL of an endpoint");
        }
        for bad in ["", " ", "k3y\r\nb", "k3y y", "k3y\u{e9}"] {
            let error = bearer("Test", "B", bad).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration, "{bad:?}");
            assert!(!format!("{error} {error:?}").contains("k3y"), "{bad:?}");
        }
    }

    proptest::proptest! {
        /// Any value is an endpoint or an error that names the variable and does not show it.
        #[test]
        fn any_value_is_survived(value in "(https?|ftp)?:?/{0,3}[a-z:@\\[\\].#?0-9é\r]{0,20}") {
            if let Err(error) = endpoint("Test", "NAME", &value) {
                assert!(error.message().starts_with("NAME "));
            }
            let _ = bearer("Test", "NAME", &value);
        }
    }
}
