//! Whose requests a fault strikes or an expectation counts.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    command::{
        Program,
        matcher::{CommandMatch, RunsOf},
    },
    fault::Matcher,
    http::exchange::Request,
    scenario::RedisMatch,
    service::{
        entra::{self, matcher::EntraMatch},
        imds::{self, matcher::ImdsMatch},
        resource::matcher::ResourceRef,
    },
    trace::Facts,
};

/// Which requests or commands a fault strikes or an expectation counts.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Target {
    /// Requests to IMDS.
    Imds(ImdsMatch),
    /// Requests to Entra.
    Entra(EntraMatch),
    /// Runs of `az`.
    Az(CommandMatch),
    /// Runs of `azd`.
    Azd(CommandMatch),
    /// Runs of `pwsh`.
    Pwsh(CommandMatch),
    /// Uses of one of `world.resources`.
    Resource(ResourceRef),
    /// Commands for Redis.
    Redis(RedisMatch),
}

/// What a fault strikes.
pub type FaultOn = Target;

impl Target {
    /// Its key in scenario files.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Imds(_) => "imds",
            Self::Entra(_) => "entra",
            Self::Az(_) => "az",
            Self::Azd(_) => "azd",
            Self::Pwsh(_) => "pwsh",
            Self::Resource(_) => "resource",
            Self::Redis(_) => "redis",
        }
    }

    /// The matcher of the service or command that is meant.
    pub fn matcher(&self) -> &dyn Matcher {
        match self {
            Self::Imds(matcher) => matcher,
            Self::Entra(matcher) => matcher,
            Self::Az(CommandMatch {}) => &RunsOf(Program::Az),
            Self::Azd(CommandMatch {}) => &RunsOf(Program::Azd),
            Self::Pwsh(CommandMatch {}) => &RunsOf(Program::Pwsh),
            Self::Resource(matcher) => matcher,
            Self::Redis(matcher) => matcher,
        }
    }
}

/// What the service at `host` would know of a request; nothing if there is no service of ours.
pub(crate) fn facts_of(host: &str, request: &Request) -> Facts {
    let services = [imds::matcher::facts_of, entra::matcher::facts_of];
    let mut known = services.iter().filter_map(|of| of(host, request));
    known.next().unwrap_or_default()
}

impl Matcher for Target {
    fn lane(&self) -> Cow<'_, str> {
        self.matcher().lane()
    }

    fn matches(&self, facts: &Facts) -> bool {
        self.matcher().matches(facts)
    }

    fn describe(&self) -> String {
        self.matcher().describe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_about_a_target_has_its_filters() {
        let said = |to: &str| {
            toml::from_str::<Target>(to)
                .expect("a valid target")
                .describe()
        };
        assert_eq!(
            said(
                "entra = { request = \"token\", client-id = \"c\", scope = \"https://a/.default\" }"
            ),
            "token requests to entra of c for https://a/.default"
        );
        assert_eq!(said("entra = {}"), "requests to entra");
        assert_eq!(
            said("imds = { request = \"token\", resource = \"https://a\" }"),
            "token requests to imds for https://a"
        );
    }
}
