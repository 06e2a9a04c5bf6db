//! What a scenario says of Azure Pipelines.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    http::limit::Limit,
    scenario::{Range, Span},
    service::Reach,
};

/// A job of Azure Pipelines, and the endpoint at which it gets assertions.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Pipelines {
    /// Who issues the assertions. Default: `https://vstoken.dev.azure.com/contoso`.
    #[serde(default = "issuer")]
    pub issuer: String,
    /// The subject of its assertions, their claim `sub`. Default: sc://contoso/shop/deploy.
    #[serde(default = "subject")]
    pub subject: String,
    /// The id of the one service connection of the job. Default: a fixed one.
    #[serde(default = "service_connection_id")]
    pub service_connection_id: String,
    /// The token of the job, System.AccessToken. Default: a fixed one.
    #[serde(default = "bearer")]
    pub system_access_token: String,
    /// When the job ends, and with it its token. Default: not in this world.
    pub job_ends: Option<Span>,
    /// How long an assertion lives. Default: 10m.
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
    "https://vstoken.dev.azure.com/contoso".to_owned()
}

fn subject() -> String {
    "sc://contoso/shop/deploy".to_owned()
}

fn service_connection_id() -> String {
    super::SERVICE_CONNECTION_ID.to_owned()
}

fn bearer() -> String {
    super::SYSTEM_ACCESS_TOKEN.to_owned()
}

fn life() -> Span {
    Span(std::time::Duration::from_secs(600))
}
