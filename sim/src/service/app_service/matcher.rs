//! Requests to App Service's token endpoint: what is known of them, and which a scenario means.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Deserialize;

use super::TOKEN;
use crate::{
    check::Check,
    fault::{Matcher, effect::TargetKind},
    http::exchange::Request,
    scenario::document::Place,
    service::managed_identity::{self, Selector, is_same_resource},
    trace::Facts,
    wording::Number,
};

/// The query parameters that name a user-assigned identity (MI-11).
pub(super) const SELECTORS: [(&str, Selector); 4] = [
    ("client_id", Selector::Client),
    ("object_id", Selector::Object),
    ("principal_id", Selector::Object),
    ("mi_res_id", Selector::Resource),
];

/// What the endpoint is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// A token.
    Token,
    /// A path that does not exist.
    Other,
}

impl Route {
    /// Its name in traces.
    pub fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Other => "other",
        }
    }
}

/// What is known of a request to the endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppServiceFacts {
    /// What is asked for.
    pub route: Route,
    /// For which resource.
    pub resource: Option<String>,
    /// Of which user-assigned identity: the parameter and its value.
    pub identity: Option<(&'static str, String)>,
}

impl AppServiceFacts {
    /// The facts of a request.
    pub fn of(request: &Request) -> Self {
        let route = match request.route() == TOKEN {
            true => Route::Token,
            false => Route::Other,
        };
        let identity = managed_identity::named(&SELECTORS, request).next();
        Self {
            route,
            resource: request.query_field("resource"),
            identity: identity.map(|(_, name, value)| (name, value)),
        }
    }
}

/// Which requests to App Service's token endpoint; what is not given matches all.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AppServiceMatch {
    /// For this resource.
    pub resource: Option<String>,
}

impl Matcher for AppServiceMatch {
    fn check(&self, place: &Place, check: &mut Check<'_>) {
        check.service("app-service", place);
        managed_identity::check_resource("App Service", self.resource.as_deref(), place, check);
    }

    fn lane(&self) -> Cow<'_, str> {
        "app-service".into()
    }

    fn matches(&self, facts: &Facts) -> bool {
        let Some(facts) = facts.get::<AppServiceFacts>() else {
            return false;
        };
        self.resource.as_ref().is_none_or(|wanted| {
            let asked = facts
                .resource
                .as_ref()
                .filter(|_| facts.route == Route::Token);
            asked.is_some_and(|asked| is_same_resource(asked, wanted))
        })
    }

    fn kind(&self) -> TargetKind {
        TargetKind::Http
    }

    fn describe(&self, number: Number) -> String {
        let resource = self.resource.as_ref();
        let resource = resource.map_or_else(String::new, |resource| format!(" for {resource}"));
        format!(
            "{} to app-service{resource}",
            number.pick("request", "requests")
        )
    }
}
