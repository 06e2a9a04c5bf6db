//! Requests to the endpoint of Azure Pipelines: what is known of them, and which a scenario means.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Deserialize;

use super::TOKEN;
use crate::{
    check::Check,
    fault::{Matcher, effect::TargetKind},
    http::exchange::Request,
    scenario::document::Place,
    trace::Facts,
    wording::Number,
};

/// What is known of a request to the endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PipelinesFacts {
    /// Whether it asks for an assertion.
    pub is_token: bool,
}

impl PipelinesFacts {
    /// The facts of a request.
    pub fn of(request: &Request) -> Self {
        Self {
            is_token: request.route() == TOKEN,
        }
    }
}

/// Requests to the endpoint: all of them.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PipelinesMatch {}

impl Matcher for PipelinesMatch {
    fn check(&self, place: &Place, check: &mut Check<'_>) {
        check.service("pipelines", place);
    }

    fn lane(&self) -> Cow<'_, str> {
        "pipelines".into()
    }

    fn matches(&self, facts: &Facts) -> bool {
        facts.get::<PipelinesFacts>().is_some()
    }

    fn kind(&self) -> TargetKind {
        TargetKind::Http
    }

    fn describe(&self, number: Number) -> String {
        format!("{} to pipelines", number.pick("request", "requests"))
    }
}
