//! What a scenario says of `azd`.

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

/// The Azure Developer CLI.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Azd {
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
}

impl Default for Azd {
    fn default() -> Self {
        Self {
            installed: true,
            account: None,
            takes: None,
            token_life: one_hour(),
        }
    }
}

fn yes() -> bool {
    true
}

fn one_hour() -> Span {
    Span(std::time::Duration::from_secs(3_600))
}

impl Service for Azd {
    fn advice() -> &'static str {
        "with `installed = false` if it is not installed"
    }

    fn absent() -> Option<&'static str> {
        None
    }

    fn key(&self) -> &'static str {
        "azd"
    }

    fn titles(&self) -> Vec<String> {
        vec!["azd".to_owned()]
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
        vec![azd(self)]
    }

    fn servers(&self, _: &Stage) -> Vec<Server> {
        Vec::new()
    }

    fn crash(&self, _: &Stage, _: Duration) {}
}

fn azd(azd: &Azd) -> String {
    let parts = describe_tool(
        azd.installed,
        azd.account.as_ref(),
        azd.takes.as_ref(),
        azd.token_life,
    );
    format!("azd: {}", parts.join(", "))
}
