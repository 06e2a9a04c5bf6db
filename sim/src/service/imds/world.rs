//! What a scenario says of IMDS.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    check::Check,
    scenario::{Span, document::Place},
    service::managed_identity::managed_identity_keys,
};

managed_identity_keys! {
    /// The instance metadata service.
    pub struct Imds of "host" {
        /// Whether the platform hands out the token it already has for a resource, as real hosts
        /// do, until it is at the end of its life. Default: false (each request gets a new one).
        #[serde(default)]
        pub keeps_tokens: bool,
        /// With `keeps-tokens`: how much life the token must have left to be handed out again.
        /// Default: 0s.
        #[serde(default)]
        pub keeps_until_left: Span,
        /// How the token answer is written.
        #[serde(default)]
        pub answer: ImdsAnswer,
    }
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

impl Imds {
    /// Checks the keys at `place` that other services do not have.
    pub(super) fn check_own(&self, place: &Place, check: &mut Check<'_>) {
        if !self.keeps_tokens && !self.keeps_until_left.0.is_zero() {
            check
                .at_key(&place.key("keeps-until-left"), "this has no effect")
                .label("IMDS keeps no tokens here")
                .help("add `keeps-tokens = true`");
        }
        self.check_identities(place, check);
    }
}
