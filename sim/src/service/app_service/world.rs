//! What a scenario says of App Service.

use crate::{
    check::Check, scenario::document::Place, service::managed_identity::managed_identity_keys,
};

managed_identity_keys! {
    /// Azure App Service or Functions: the token endpoint of the app, which it finds by
    /// IDENTITY_ENDPOINT and IDENTITY_HEADER.
    pub struct AppService of "app" {
        /// The value of IDENTITY_HEADER, which requests must send as X-IDENTITY-HEADER. Default: a
        /// fixed one.
        #[serde(default = "identity_header")]
        pub identity_header: String,
        /// The status of the answer to a request without the right X-IDENTITY-HEADER (unverified).
        /// Default: 401.
        #[serde(default = "unauthorized")]
        pub wrong_header_status: u16,
    }
}

impl AppService {
    /// Checks the keys at `place` that other services do not have.
    pub(super) fn check_own(&self, place: &Place, check: &mut Check<'_>) {
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
        self.check_identities(place, check);
    }
}

fn identity_header() -> String {
    "853b9a84-5bfa-4b22-a3f3-0b9a43d9ad8a".to_owned()
}

fn unauthorized() -> u16 {
    401
}
