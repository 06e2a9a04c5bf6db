//! What a scenario says of GitHub Actions.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    http::limit::Limit,
    scenario::{Range, Span},
    service::Reach,
};

/// A job of GitHub Actions, and the endpoint at which it gets assertions.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GitHub {
    /// Who issues the assertions. Default: `https://token.actions.githubusercontent.com`.
    #[serde(default = "issuer")]
    pub issuer: String,
    /// The subject of its assertions, their claim `sub`. GitHub has two spellings: with names, and
    /// with ids after `@`. Default: repo:contoso/shop:ref:refs/heads/main.
    #[serde(default = "subject")]
    pub subject: String,
    /// The token of the job, ACTIONS_ID_TOKEN_REQUEST_TOKEN. Default: a fixed one.
    #[serde(default = "bearer")]
    pub request_token: String,
    /// When the job ends, and with it its token. Default: not in this world.
    pub job_ends: Option<Span>,
    /// How long an assertion lives. Default: 5m.
    #[serde(default = "life")]
    pub token_life: Span,
    /// How long an answer takes. Default: 0s.
    pub takes: Option<Range>,
    /// Whether packets reach it at the start. Default: reachable.
    #[serde(default)]
    pub reach: Reach,
    /// How many requests it serves per window before it answers 429.
    pub limit: Option<Limit>,
}

fn issuer() -> String {
    "https://token.actions.githubusercontent.com".to_owned()
}

fn subject() -> String {
    "repo:contoso/shop:ref:refs/heads/main".to_owned()
}

fn bearer() -> String {
    "r3quest-t0ken-of-the-job".to_owned()
}

fn life() -> Span {
    Span(std::time::Duration::from_secs(300))
}
