//! What a scenario says of IMDS.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    check::Check,
    http::limit::{self, Limit},
    scenario::{Range, Span, document::Place},
    service::{
        Reach,
        managed_identity::{self, ManagedIdentity},
    },
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

fn one_day() -> Span {
    Span(Duration::from_secs(86_400))
}

impl Imds {
    /// Checks the keys at `place`.
    pub(super) fn check_keys(&self, place: &Place, check: &mut Check<'_>) {
        check.token_life(self.token_life, place);
        check.range(self.takes, &place.key("takes"));
        if !self.keeps_tokens && !self.keeps_until_left.0.is_zero() {
            check
                .at_key(&place.key("keeps-until-left"), "this has no effect")
                .label("IMDS keeps no tokens here")
                .help("add `keeps-tokens = true`");
        }
        limit::check(self.limit.as_ref(), &place.key("limit"), check);
        let system = self.system_identity.as_ref();
        managed_identity::check(system, &self.user_identities, place, check);
    }
}
