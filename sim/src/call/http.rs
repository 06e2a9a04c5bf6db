//! `do.http`: a caller on the simulated host sends a bare HTTP request, with no credential in
//! between.

use std::collections::BTreeMap;

use credsim_identity::{
    TokenRequest,
    platform::{HttpRequest, Method, TransportError},
};
use http_body_util::BodyExt as _;
use schemars::JsonSchema;
use serde::Deserialize;
use url::{Position, Url};

use super::{Call, CallKind, Caller, Subscription, Uses, Which};
use crate::wording::counted;
use crate::{
    check::Check,
    redact::{MASK, is_secret_name, masked, masked_path, masked_query},
    scenario::document::Place,
    trace::{Facts, Kind},
    world::World,
};

/// A bare request, to a service that no credential asks.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Http {
    /// The method. Default: GET.
    #[serde(default)]
    pub method: HttpMethod,
    /// Where to: `http` or `https`, a host of the world, path and query. `{n}` is the number of the
    /// repetition, from 1, and `{caller}` that of the caller.
    pub url: String,
    /// The headers, by name.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The body. Default: empty.
    #[serde(default)]
    pub body: String,
}

/// A method of HTTP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum HttpMethod {
    /// Reads.
    #[default]
    Get,
    /// Sends a body.
    Post,
}

impl HttpMethod {
    fn of_platform(self) -> Method {
        match self {
            Self::Get => Method::Get,
            Self::Post => Method::Post,
        }
    }
}

/// Rides along with the event that begins a bare request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpSent;

/// The status of the reply to a bare request; none if there was no reply. Rides along with the
/// event that ends the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpReply(pub Option<u16>);

impl CallKind for Http {
    type State = ();

    fn check(&self, _: &Call, place: &Place, check: &mut Check<'_>) {
        let url = place.key("url");
        match Url::parse(&self.url) {
            Ok(parsed) if matches!(parsed.scheme(), "http" | "https") => {}
            Ok(parsed) => {
                check
                    .at_value(
                        &url,
                        format!("the scheme `{}` is not supported", parsed.scheme()),
                    )
                    .label("not HTTP")
                    .expected("`http` or `https`");
            }
            Err(why) => {
                check
                    .at_value(&url, "this is not a URL")
                    .label(why.to_string())
                    .expected("such as \"http://169.254.169.254/metadata/instance\"");
            }
        }
        for (name, value) in &self.headers {
            let place = place.key("headers").key(name);
            if http::HeaderName::from_bytes(name.as_bytes()).is_err() {
                check
                    .at_key(&place, format!("`{name}` can't be the name of a header"))
                    .label("contains a character that is not allowed in a name")
                    .expected("a name such as `Metadata`");
            }
            check.header_value(value, &place);
        }
    }

    fn describe(&self, plural: &str) -> String {
        format!("send{plural} {}", self.shown(&self.url))
    }

    fn uses(&self) -> Uses {
        Uses::BareHttp
    }

    fn token_request(&self, _: &World, _: Which) -> Option<TokenRequest> {
        None
    }

    fn request_options(&self) -> Vec<&'static str> {
        Vec::new()
    }

    fn resource(&self) -> Option<&str> {
        None
    }

    fn commands_in_transactions(&self) -> Vec<String> {
        Vec::new()
    }

    fn subscription(&self) -> Option<Subscription<'_>> {
        None
    }

    async fn play(&self, caller: &Caller, (): &()) {
        let url = caller.fill(&self.url);
        let started = caller.elapsed();
        caller.record(Kind::WorkStarted {
            call: caller.call,
            step: caller.step,
            caller: caller.which.caller,
            work: format!("sends {}", self.shown(&url)),
            facts: Facts::new(HttpSent),
        });
        let reply = caller.within_patience(self.send(caller, &url)).await;
        let (outcome, status) = match reply {
            Some(Ok(status)) => (format!("receives {status}"), Some(status)),
            Some(Err(error)) => (format!("fails: {}", error.message), None),
            None => ("gives up".to_owned(), None),
        };
        caller.record(Kind::WorkEnded {
            call: caller.call,
            step: caller.step,
            waited: caller.elapsed().saturating_sub(started),
            outcome: caller.vetted(outcome),
            facts: Facts::new(HttpReply(status)),
        });
    }

    fn before_dispose((): &()) {}
}

impl Http {
    /// Sends the request and reads the whole reply. Returns its status.
    async fn send(&self, caller: &Caller, url: &str) -> Result<u16, TransportError> {
        let url = Url::parse(url).map_err(|why| {
            let kind = credsim_identity::platform::TransportErrorKind::Protocol;
            TransportError::new(kind, format!("this is no URL: {why}"))
        })?;
        let request = HttpRequest::new(self.method.of_platform(), url);
        let headers = self.headers.iter();
        let mut request = headers.fold(request, |request, (name, value)| {
            request.header(name, value.clone())
        });
        request.body = self.body.clone().into_bytes();
        let host = caller.context.host.clone();
        let (head, mut body, _connection) = host.exchange(request).await?;
        while let Some(Ok(_)) = body.frame().await {}
        Ok(head.status.as_u16())
    }

    /// The request as it may stand in a trace: secrets in the URL and in headers are covered, and
    /// of a body only its length is told.
    fn shown(&self, url: &str) -> String {
        let url = match Url::parse(url) {
            Ok(url) => shown_url(&url),
            Err(_) => masked(url).into_owned(),
        };
        let mut text = format!("{} {url}", self.method.of_platform().as_str());
        for (name, value) in &self.headers {
            let value = if is_secret_name(name) {
                MASK.into()
            } else {
                masked(value)
            };
            text += &format!(", {name}: {value}");
        }
        if !self.body.is_empty() {
            text += &format!(", with a body of {}", counted(self.body.len(), "byte"));
        }
        text
    }
}

fn shown_url(url: &Url) -> String {
    let mut text = format!(
        "{}://{}{}",
        url.scheme(),
        &url[Position::BeforeHost..Position::AfterPort],
        masked_path(url.path())
    );
    if let Some(query) = url.query() {
        text += &format!("?{}", masked_query(query));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn http(text: &str) -> Http {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn no_secret_is_shown() {
        let secret = "eyJhbGciOiJSUzI1NiJ9.eyJvaWQiOiIxIn0.c2lnbmF0dXJl";
        let request = http(&format!(
            "method = \"POST\"\nurl = \"http://user:pw@h.example:81/a/{secret}?b=1&client_secret=s3cret\"\n\
             headers = {{ Authorization = \"Bearer abc\", X-Note = \"{secret}\", Metadata = \"true\" }}\n\
             body = \"client_secret=s3cret\""
        ));
        let shown = request.shown(&request.url);
        assert_eq!(
            shown,
            "POST http://h.example:81/a/***?b=1&client_secret=***, Authorization: ***, \
             Metadata: true, X-Note: ***, with a body of 20 bytes"
        );
    }

    #[test]
    fn a_get_without_more_is_the_default() {
        let request = http("url = \"http://169.254.169.254/metadata/instance\"");
        assert_eq!(
            request.describe("s"),
            "sends GET http://169.254.169.254/metadata/instance"
        );
    }
}
