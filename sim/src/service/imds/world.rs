//! What a scenario says of IMDS.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::backend::issuer::{self, Who};
use crate::{
    http::limit::Limit,
    scenario::{Range, Span},
    service::Reach,
};

/// The instance metadata service.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Imds {
    /// How long its tokens live. Default: 24h.
    #[serde(default = "one_day")]
    pub token_life: Span,
    /// Whether the platform hands out the token it already has for a resource, as real hosts do,
    /// until it is at the end of its life. Default: false (each request gets a new one).
    #[serde(default)]
    pub keeps_tokens: bool,
    /// With `keeps-tokens`: how much life the token must have left to be handed out again.
    /// Default: 0s.
    #[serde(default)]
    pub keeps_until_left: Span,
    /// The system-assigned identity, if the host has one.
    pub system_identity: Option<ManagedIdentity>,
    /// The user-assigned identities.
    #[serde(default)]
    pub user_identities: Vec<ManagedIdentity>,
    /// How long an answer takes. Default: 0s.
    pub takes: Option<Range>,
    /// Whether packets reach it at the start. Default: reachable.
    #[serde(default)]
    pub reach: Reach,
    /// How many token requests it serves per window before it answers 429.
    pub limit: Option<Limit>,
    /// How the token answer is written.
    #[serde(default)]
    pub answer: ImdsAnswer,
}

/// Details of IMDS's token answer that differ between hosts and services.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ImdsAnswer {
    /// Writes `expires_in` and `expires_on` as JSON numbers instead of strings. Default: false.
    #[serde(default)]
    pub numbers: bool,
    /// Leaves `expires_in` out. Default: false.
    #[serde(default)]
    pub without_expires_in: bool,
    /// Leaves `expires_on` out. Default: false.
    #[serde(default)]
    pub without_expires_on: bool,
    /// The error code of a request without the `Metadata` header. Default: bad_request_102.
    pub missing_header_code: Option<String>,
}

/// A managed identity.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ManagedIdentity {
    /// Its object (principal) id.
    pub object_id: String,
    /// Its client id. Default: derived from the object id.
    pub client_id: Option<String>,
    /// Its resource id; only user-assigned identities have one.
    pub resource_id: Option<String>,
    /// How many app roles it has been granted. Each makes its tokens 52 bytes longer. Default: 0.
    #[serde(default)]
    pub app_roles: u16,
}

fn one_day() -> Span {
    Span(Duration::from_secs(86_400))
}

impl ManagedIdentity {
    /// Its client id: the stated one, or one that follows from its object id.
    pub(super) fn client_id(&self) -> String {
        issuer::client_id(&self.object_id, self.client_id.as_deref())
    }

    /// Whom its tokens speak of.
    pub(crate) fn who(&self) -> Who<'_> {
        Who::Managed {
            object_id: &self.object_id,
            client_id: self.client_id.as_deref(),
            resource_id: self.resource_id.as_deref(),
            app_roles: self.app_roles,
        }
    }
}
