//! Uses of an API: what is known of them, and which of them a scenario means.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::wording::Number;
use crate::{
    check::Check,
    fault::{Matcher, effect::TargetKind},
    scenario::document::Place,
    trace::Facts,
};

/// What is known of a use of an API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceFacts {
    /// Its name in `world.resources`.
    pub name: String,
}

/// A resource.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ResourceRef {
    /// Its name in `world.resources`.
    pub name: String,
}

impl Matcher for ResourceRef {
    fn check(&self, place: &Place, check: &mut Check<'_>) {
        check.resource(&self.name, &place.key("name"));
    }

    fn lane(&self) -> Cow<'_, str> {
        format!("resource.{}", self.name).into()
    }

    fn matches(&self, facts: &Facts) -> bool {
        let facts = facts.get::<ResourceFacts>();
        facts.is_some_and(|facts| facts.name == self.name)
    }

    fn kind(&self) -> TargetKind {
        TargetKind::Http
    }

    fn describe(&self, number: Number) -> String {
        format!("{} of {}", number.pick("use", "uses"), self.name)
    }
}
