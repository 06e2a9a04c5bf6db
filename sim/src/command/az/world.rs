//! What a scenario says of `az`.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    backend::Stage,
    command::{USUAL, describe_tool},
    engine::Server,
    http::limit::Limit,
    scenario::{Range, Span},
    service::{Pace, Principal, Reach, Service},
};

/// The Azure CLI.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Az {
    /// Whether it is installed at the start. Default: true.
    #[serde(default = "yes")]
    pub installed: bool,
    /// Who is logged in at the start; one of `world.accounts`. Default: nobody.
    pub account: Option<String>,
    /// How long it takes to answer. Default: 1s.
    pub takes: Option<Range>,
    /// How long its tokens live. Default: 60m.
    #[serde(default = "one_hour")]
    pub token_life: Span,
    /// The id of the subscription it works with. Default: a fixed one.
    #[serde(default = "default_subscription")]
    pub subscription: String,
    /// Whether it is 2.54.0 or newer and prints `expires_on`. Default: true.
    #[serde(default = "yes")]
    pub prints_expires_on: bool,
    /// Text that it prints on standard error although it succeeds. Default: none.
    pub warning: Option<String>,
}

impl Default for Az {
    fn default() -> Self {
        Self {
            installed: true,
            account: None,
            takes: None,
            token_life: one_hour(),
            subscription: default_subscription(),
            prints_expires_on: true,
            warning: None,
        }
    }
}

/// The subscription of an Azure CLI that names none.
pub const DEFAULT_SUBSCRIPTION: &str = "0b1f6471-0000-0000-0000-00000000cafe";

fn default_subscription() -> String {
    DEFAULT_SUBSCRIPTION.to_owned()
}

fn yes() -> bool {
    true
}

fn one_hour() -> Span {
    Span(std::time::Duration::from_secs(3_600))
}

impl Service for Az {
    fn advice() -> &'static str {
        "with `installed = false` if it is not installed"
    }

    fn absent() -> Option<&'static str> {
        None
    }

    fn key(&self) -> &'static str {
        "az"
    }

    fn titles(&self) -> Vec<String> {
        vec!["az".to_owned()]
    }

    fn hosts(&self) -> Vec<(String, u16)> {
        Vec::new()
    }

    fn reach(&self) -> Reach {
        Reach::Reachable
    }

    fn pace(&self) -> Pace {
        Pace::Runs(self.takes.unwrap_or(Range::fixed(USUAL)))
    }

    fn token_life(&self) -> Option<Span> {
        Some(self.token_life)
    }

    fn limit(&self) -> Option<&Limit> {
        None
    }

    fn lasting(&self) -> Option<String> {
        None
    }

    fn principals(&self) -> Vec<Principal<'_>> {
        Vec::new()
    }

    fn describe(&self) -> Vec<String> {
        vec![az(self)]
    }

    fn servers(&self, _: &Stage) -> Vec<Server> {
        Vec::new()
    }

    fn crash(&self, _: &Stage, _: Duration) {}
}

fn az(az: &Az) -> String {
    let mut parts = describe_tool(
        az.installed,
        az.account.as_ref(),
        az.takes.as_ref(),
        az.token_life,
    );
    if !az.prints_expires_on {
        parts.push("prints local times only (older than 2.54.0)".to_owned());
    }
    parts.extend(
        az.warning
            .as_ref()
            .map(|text| format!("warns on standard error: {text}")),
    );
    format!("az: {}", parts.join(", "))
}
