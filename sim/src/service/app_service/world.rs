//! What a scenario says of App Service.

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

/// Azure App Service or Functions: the token endpoint of the app, which it finds by
/// IDENTITY_ENDPOINT and IDENTITY_HEADER.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AppService {
    /// How long its tokens live. Default: 24h.
    #[serde(default = "one_day")]
    pub token_life: Span,
    /// The system-assigned identity, if the app has one.
    pub system_identity: Option<ManagedIdentity>,
    /// The user-assigned identities.
    #[serde(default)]
    pub user_identities: Vec<ManagedIdentity>,
    /// The value of IDENTITY_HEADER, which requests must send as X-IDENTITY-HEADER. Default: a fixed
    /// one.
    #[serde(default = "identity_header")]
    pub identity_header: String,
    /// The status of the answer to a request without the right X-IDENTITY-HEADER (unverified).
    /// Default: 401.
    #[serde(default = "unauthorized")]
    pub wrong_header_status: u16,
    /// How long an answer takes. Default: 0s.
    pub takes: Option<Range>,
    /// Whether packets reach it at the start. Default: reachable.
    #[serde(default)]
    pub reach: Reach,
    /// How many token requests it serves per window before it answers 429.
    pub limit: Option<Limit>,
}

impl AppService {
    /// Checks the keys at `place`.
    pub(super) fn check_keys(&self, place: &Place, check: &mut Check<'_>) {
        check.token_life(self.token_life, place);
        check.range(self.takes, &place.key("takes"));
        limit::check(self.limit.as_ref(), &place.key("limit"), check);
        let header = place.key("identity-header");
        check.text(
            &self.identity_header,
            &header,
            "the secret of the app's token endpoint",
        );
        check.header_value(&self.identity_header, &header);
        if !(400..=499).contains(&self.wrong_header_status) {
            check
                .at_value(
                    &place.key("wrong-header-status"),
                    format!("{} does not refuse a request", self.wrong_header_status),
                )
                .label("outside 400 to 499")
                .expected("such as 400, 401 or 403");
        }
        let system = self.system_identity.as_ref();
        managed_identity::check(system, &self.user_identities, place, check);
    }
}

fn one_day() -> Span {
    Span(Duration::from_secs(86_400))
}

fn identity_header() -> String {
    "853b9a84-5bfa-4b22-a3f3-0b9a43d9ad8a".to_owned()
}

fn unauthorized() -> u16 {
    401
}
