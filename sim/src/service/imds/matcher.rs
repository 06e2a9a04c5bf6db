//! Requests to IMDS: what is known of them, and which of them a scenario means.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::service::managed_identity::{self, Selector, is_same_resource};
use crate::wording::Number;
use crate::{check::Check, scenario::document::Place};
use crate::{
    fault::{Matcher, effect::TargetKind},
    http::exchange::Request,
    trace::Facts,
};

/// The path of the token endpoint.
const TOKEN: &str = "/metadata/identity/oauth2/token";

/// The query parameters that name a user-assigned identity.
pub(super) const SELECTORS: [(&str, Selector); 4] = [
    ("client_id", Selector::Client),
    ("object_id", Selector::Object),
    ("msi_res_id", Selector::Resource),
    ("mi_res_id", Selector::Resource),
];

/// What IMDS is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// The token endpoint without the `Metadata` header: such a request can only ask whether IMDS
    /// answers at all.
    Probe,
    /// A token.
    Token,
    /// A path that does not exist.
    Other,
}

impl Route {
    /// The route of a request.
    pub fn of(request: &Request) -> Self {
        match request.is_for(TOKEN) {
            true if request.headers.contains_key("metadata") => Self::Token,
            true => Self::Probe,
            false => Self::Other,
        }
    }

    /// Its name in traces.
    pub fn name(self) -> &'static str {
        match self {
            Self::Probe => "probe",
            Self::Token => "token",
            Self::Other => "other",
        }
    }
}

/// What is known of a request to IMDS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImdsFacts {
    /// What is asked for.
    pub route: Route,
    /// For which resource.
    pub resource: Option<String>,
    /// Of which user-assigned identity: the parameter and its value.
    pub identity: Option<(&'static str, String)>,
}

impl ImdsFacts {
    /// The facts of a request.
    pub fn of(request: &Request) -> Self {
        let identity = managed_identity::named(&SELECTORS, request).next();
        Self {
            route: Route::of(request),
            resource: request.query_field("resource"),
            identity: identity.map(|(_, name, value)| (name, value)),
        }
    }
}

/// Which requests to IMDS; what is not given matches all.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ImdsMatch {
    /// Probes or token requests.
    pub request: Option<ImdsRequest>,
    /// Token requests for this resource.
    pub resource: Option<String>,
}

/// What IMDS is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ImdsRequest {
    /// The probe, with which a chain finds out whether IMDS is there.
    Probe,
    /// A token.
    Token,
}

impl Matcher for ImdsMatch {
    fn check(&self, place: &Place, check: &mut Check<'_>) {
        check.service("imds", place);
        managed_identity::check_resource("IMDS", self.resource.as_deref(), place, check);
    }

    fn lane(&self) -> Cow<'_, str> {
        "imds".into()
    }

    fn matches(&self, facts: &Facts) -> bool {
        let Some(facts) = facts.get::<ImdsFacts>() else {
            return false;
        };
        let request = self.request.is_none_or(|wanted| match wanted {
            ImdsRequest::Probe => facts.route == Route::Probe,
            ImdsRequest::Token => facts.route == Route::Token,
        });
        let resource = self.resource.as_ref().is_none_or(|wanted| {
            let asked = facts.resource.as_ref();
            facts.route == Route::Token
                && asked.is_some_and(|asked| is_same_resource(asked, wanted))
        });
        request && resource
    }

    fn kind(&self) -> TargetKind {
        TargetKind::Http
    }

    fn describe(&self, number: Number) -> String {
        let mut text = match self.request {
            None => number.pick("request to imds", "requests to imds"),
            Some(ImdsRequest::Probe) => number.pick("probe of imds", "probes of imds"),
            Some(ImdsRequest::Token) => {
                number.pick("token request to imds", "token requests to imds")
            }
        }
        .to_owned();
        if let Some(resource) = &self.resource {
            text += &format!(" for {resource}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::testing::get;

    fn facts(target: &str, headers: &[(&str, &str)]) -> Facts {
        Facts::new(ImdsFacts::of(&get(target, headers)))
    }

    fn matcher(text: &str) -> ImdsMatch {
        toml::from_str(text).expect("a valid matcher")
    }

    #[test]
    fn a_matcher_reads_route_and_resource() {
        let target = format!("{TOKEN}?api-version=1&resource=https%3A%2F%2Fa&client_id=c");
        let token = facts(&target, &[("Metadata", "true")]);
        let probe = facts(&target, &[]);
        let is = |text: &str, facts| matcher(text).matches(facts);
        assert!(is("", &token) && is("", &probe));
        assert!(is("request = \"token\"", &token) && !is("request = \"token\"", &probe));
        assert!(is("request = \"probe\"", &probe) && !is("request = \"probe\"", &token));
        assert!(is("resource = \"https://a/\"", &token));
        assert!(!is("resource = \"https://b\"", &token));
        assert!(!is("resource = \"https://a\"", &probe));
        assert!(!is("", &Facts::default()));
        let identity = token.get::<ImdsFacts>().map(|facts| facts.identity.clone());
        assert_eq!(identity, Some(Some(("client_id", "c".to_owned()))));
    }
}
