//! Requests to Service Fabric's token service: what is known of them, and which a scenario means.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Deserialize;

use super::TOKEN;
use crate::{
    check::Check,
    fault::{Matcher, effect::TargetKind},
    http::exchange::Request,
    scenario::document::Place,
    service::managed_identity::{self, is_same_resource},
    trace::Facts,
    wording::Number,
};

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
pub struct ServiceFabricFacts {
    /// What is asked for.
    pub route: Route,
    /// For which resource.
    pub resource: Option<String>,
}

impl ServiceFabricFacts {
    /// The facts of a request.
    pub fn of(request: &Request) -> Self {
        let route = match request.route() == TOKEN {
            true => Route::Token,
            false => Route::Other,
        };
        Self {
            route,
            resource: request.query_field("resource"),
        }
    }
}

/// Which requests to Service Fabric's token service; what is not given matches all.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ServiceFabricMatch {
    /// For this resource.
    pub resource: Option<String>,
}

impl Matcher for ServiceFabricMatch {
    fn check(&self, place: &Place, check: &mut Check<'_>) {
        check.service("service-fabric", place);
        managed_identity::check_resource("Service Fabric", self.resource.as_deref(), place, check);
    }

    fn lane(&self) -> Cow<'_, str> {
        "service-fabric".into()
    }

    fn matches(&self, facts: &Facts) -> bool {
        let Some(facts) = facts.get::<ServiceFabricFacts>() else {
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
            "{} to service-fabric{resource}",
            number.pick("request", "requests")
        )
    }
}
