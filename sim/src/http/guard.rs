//! Which requests of processes outside a service does not serve, whatever they ask for: those for
//! another host, as a page sends them that has bound its own name to this machine, and those of a
//! page of another origin.

use http::{StatusCode, header};

use super::exchange::{Answer, Request};
use crate::redact::masked;

/// The names by which clients outside may ask for a service.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    /// Its host in the world.
    host: String,
    /// Whether it is also reached at an address of loopback, past the proxy.
    on_loopback: bool,
}

/// Why a request is not served.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// It is for another host: this one, as it may be shown.
    Misdirected(String),
    /// It does not say for which host it is, or says it twice.
    WithoutHost,
    /// A page of another origin sent it.
    Foreign,
}

impl Names {
    /// Of the service at `host`, which clients reach `on_loopback` too, past the proxy.
    pub fn new(host: &str, on_loopback: bool) -> Self {
        Self {
            host: host.to_owned(),
            on_loopback,
        }
    }

    /// Why `request` is not served, if so. `refuses_pages`: the service is one of the machine
    /// itself, which no page may ask.
    pub fn refusal(&self, request: &Request, refuses_pages: bool) -> Option<Refusal> {
        let mut given = request.headers.get_all(header::HOST).iter();
        let (Some(host), None) = (given.next(), given.next()) else {
            return Some(Refusal::WithoutHost);
        };
        let host = String::from_utf8_lossy(host.as_bytes());
        if !self.include(&host) {
            return Some(Refusal::Misdirected(masked(&host).into_owned()));
        }
        let is_own =
            |origin: &[u8]| origin.eq_ignore_ascii_case(format!("http://{host}").as_bytes());
        let origins = request.headers.get_all(header::ORIGIN);
        let is_foreign = origins.iter().any(|origin| !is_own(origin.as_bytes()));
        (refuses_pages && is_foreign).then_some(Refusal::Foreign)
    }

    /// Whether a `Host` header means the service. Its port does not matter: addresses past the
    /// proxy have another one.
    fn include(&self, host: &str) -> bool {
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => host,
        };
        let name = name.trim_end_matches('.');
        name.eq_ignore_ascii_case(&self.host) || (self.on_loopback && is_loopback(name))
    }
}

impl Refusal {
    /// The answer to such a request.
    pub fn answer(&self) -> Answer {
        match self {
            Self::Misdirected(_) | Self::WithoutHost => {
                Answer::text(StatusCode::BAD_REQUEST, "Bad Request - Invalid Hostname")
            }
            Self::Foreign => Answer::text(StatusCode::FORBIDDEN, "Forbidden")
                .because("a page of another origin asks, and this service answers programs"),
        }
    }
}

/// Whether a program on this machine is meant. Other addresses of loopback may be other programs'.
pub(crate) fn is_loopback(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1")
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, HeaderName, HeaderValue, Method};

    use super::*;

    fn refused(names: &Names, headers: &[(&'static str, &'static str)]) -> Option<String> {
        let mut all = HeaderMap::new();
        for (name, value) in headers {
            all.append(
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            );
        }
        let request = Request {
            method: Method::GET,
            path: "/".to_owned(),
            query: String::new(),
            headers: all,
            body: Bytes::new(),
        };
        names
            .refusal(&request, true)
            .map(|refusal| format!("{refusal:?}"))
    }

    #[test]
    fn only_its_own_names_and_no_page_of_another_origin() {
        let imds = Names::new("169.254.169.254", true);
        let entra = Names::new("login.microsoftonline.com", false);
        for (names, host) in [
            (&imds, "169.254.169.254"),
            (&imds, "169.254.169.254:80"),
            (&imds, "127.0.0.1:4711"),
            (&imds, "localhost:4711"),
            (&entra, "Login.MicrosoftOnline.com"),
            (&entra, "login.microsoftonline.com.:443"),
        ] {
            assert_eq!(refused(names, &[("host", host)]), None, "{host}");
        }
        for (names, host) in [
            (&imds, "evil.example:4711"),
            (&imds, "localhost.evil.example"),
            (&entra, "127.0.0.1:4711"),
            (&entra, "graph.microsoft.com"),
        ] {
            let said = refused(names, &[("host", host)]);
            assert_eq!(said, Some(format!("Misdirected({host:?})")));
        }
        let mine = ("host", "127.0.0.1:4711");
        assert_eq!(refused(&imds, &[]).as_deref(), Some("WithoutHost"));
        assert_eq!(
            refused(&imds, &[mine, mine]).as_deref(),
            Some("WithoutHost")
        );
        assert_eq!(
            refused(&imds, &[mine, ("origin", "http://127.0.0.1:4711")]),
            None
        );
        for origin in ["http://127.0.0.1:3000", "https://evil.example", "null"] {
            let said = refused(&imds, &[mine, ("origin", origin)]);
            assert_eq!(said.as_deref(), Some("Foreign"), "{origin}");
        }
    }
}
