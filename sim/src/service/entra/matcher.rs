//! Requests to Entra: what is known of them, and which of them a scenario means.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::wording::Number;
use crate::{
    check::Check,
    scenario::{diagnostics::one_of, document::Place},
};
use crate::{
    fault::{Matcher, effect::TargetKind},
    http::exchange::Request,
    trace::Facts,
};

/// What Entra is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// A token of this tenant.
    Token(String),
    /// Which hosts are authorities of the cloud.
    Discovery,
    /// The OpenID configuration of this tenant.
    Configuration(String),
    /// The public keys of this tenant.
    Keys(String),
    /// A path that does not exist.
    Other,
}

impl Route {
    /// The route of a path that has been stripped to `/a/b/c`.
    pub fn of(path: &str) -> Self {
        let parts: Vec<&str> = path.split('/').skip(1).collect();
        match parts[..] {
            ["common", "discovery", "instance"] => Self::Discovery,
            [tenant, "oauth2", "v2.0", "token"] => Self::Token(tenant.to_owned()),
            [tenant, "v2.0", ".well-known", "openid-configuration"] => {
                Self::Configuration(tenant.to_owned())
            }
            [tenant, "discovery", "v2.0", "keys"] => Self::Keys(tenant.to_owned()),
            _ => Self::Other,
        }
    }

    /// Its name in traces.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Token(_) => "token",
            Self::Discovery => "discovery",
            Self::Configuration(_) => "configuration",
            Self::Keys(_) => "keys",
            Self::Other => "other",
        }
    }
}

/// What is known of a request to Entra.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntraFacts {
    /// What is asked for.
    pub route: Route,
    /// The application that asks for a token.
    pub client_id: Option<String>,
    /// The scopes of the token, separated by spaces.
    pub scope: Option<String>,
}

impl EntraFacts {
    /// The facts of a request.
    pub fn of(request: &Request) -> Self {
        let route = Route::of(&request.route());
        let is_token = matches!(route, Route::Token(_));
        let field = |name| request.form_field(name).filter(|_| is_token);
        Self {
            client_id: field("client_id"),
            scope: field("scope"),
            route,
        }
    }
}

/// Which requests to Entra; what is not given matches all.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct EntraMatch {
    /// What is asked for.
    pub request: Option<EntraRequest>,
    /// Of this application.
    pub client_id: Option<String>,
    /// For this scope.
    pub scope: Option<String>,
}

/// What Entra is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EntraRequest {
    /// A token.
    Token,
    /// The metadata of the cloud's instance: which hosts are its authorities.
    Discovery,
    /// The OpenID configuration of a tenant.
    Configuration,
    /// The public keys of a tenant.
    Keys,
}

impl EntraRequest {
    fn is(self, route: &Route) -> bool {
        match self {
            Self::Token => matches!(route, Route::Token(_)),
            Self::Discovery => matches!(route, Route::Discovery),
            Self::Configuration => matches!(route, Route::Configuration(_)),
            Self::Keys => matches!(route, Route::Keys(_)),
        }
    }
}

impl Matcher for EntraMatch {
    fn check(&self, place: &Place, check: &mut Check<'_>) {
        check.service("entra", place);
        if let Some(client) = &self.client_id
            && !check.names.clients.contains(client.as_str())
        {
            let known = check.names.clients.clone();
            check
                .at_value(
                    &place.key("client-id"),
                    format!("no request comes from `{client}`"),
                )
                .label("neither registered in Entra nor used by the subject")
                .expected(match known.len() {
                    0 => "a client id; but there is none in this scenario".to_owned(),
                    _ => one_of(known.iter().copied()),
                })
                .did_you_mean(client, known.iter().copied());
        }
    }

    fn lane(&self) -> Cow<'_, str> {
        "entra".into()
    }

    fn matches(&self, facts: &Facts) -> bool {
        let Some(facts) = facts.get::<EntraFacts>() else {
            return false;
        };
        let request = self.request.is_none_or(|wanted| wanted.is(&facts.route));
        let client = self.client_id.as_ref().is_none_or(|wanted| {
            let asked = facts.client_id.as_ref();
            asked.is_some_and(|asked| asked.eq_ignore_ascii_case(wanted))
        });
        let scope = self.scope.as_ref().is_none_or(|wanted| {
            let asked = facts.scope.as_ref();
            asked.is_some_and(|asked| asked.split(' ').any(|scope| scope == wanted))
        });
        request && client && scope
    }

    fn kind(&self) -> TargetKind {
        TargetKind::Http
    }

    fn describe(&self, number: Number) -> String {
        let mut text = match self.request {
            None => number.pick("request to entra", "requests to entra"),
            Some(EntraRequest::Token) => {
                number.pick("token request to entra", "token requests to entra")
            }
            Some(EntraRequest::Discovery) => {
                number.pick("discovery request to entra", "discovery requests to entra")
            }
            Some(EntraRequest::Configuration) => number.pick(
                "configuration request to entra",
                "configuration requests to entra",
            ),
            Some(EntraRequest::Keys) => number.pick(
                "request for the keys of entra",
                "requests for the keys of entra",
            ),
        }
        .to_owned();
        if let Some(client) = &self.client_id {
            text += &format!(" of {client}");
        }
        if let Some(scope) = &self.scope {
            text += &format!(" for {scope}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;
    use crate::backend::testing::{get, request};

    fn matcher(text: &str) -> EntraMatch {
        toml::from_str(text).expect("a valid matcher")
    }

    #[test]
    fn a_matcher_reads_route_application_and_scope() {
        let form = "client_id=c&scope=https%3A%2F%2Fa%2F.default%20https%3A%2F%2Fb%2F.default";
        let token = request(Method::POST, "/t/oauth2/v2.0/token", &[], form);
        let token = Facts::new(EntraFacts::of(&token));
        let keys = Facts::new(EntraFacts::of(&get("/t/discovery/v2.0/keys", &[])));
        let is = |text: &str, facts| matcher(text).matches(facts);
        assert!(is("", &token) && is("", &keys));
        assert!(is("request = \"token\"", &token) && !is("request = \"token\"", &keys));
        assert!(is("request = \"keys\"", &keys) && !is("request = \"keys\"", &token));
        assert!(is("client-id = \"C\"", &token) && !is("client-id = \"d\"", &token));
        assert!(is("scope = \"https://b/.default\"", &token));
        assert!(!is("scope = \"https://b\"", &token));
        assert!(!is("client-id = \"c\"", &keys));
        assert!(!is("", &Facts::default()));
    }
}
