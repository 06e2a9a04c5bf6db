//! What a scenario says of Service Fabric.

use crate::{
    check::Check, scenario::document::Place, service::managed_identity::managed_identity_keys,
};

managed_identity_keys! {
    /// A Service Fabric cluster: the token service of one application, which it finds by
    /// IDENTITY_ENDPOINT, IDENTITY_HEADER and IDENTITY_SERVER_THUMBPRINT.
    pub struct ServiceFabric of "application" {
        /// The value of IDENTITY_HEADER, which requests must send as Secret. Default: a fixed one.
        #[serde(default = "identity_header")]
        pub identity_header: String,
        /// The status of the answer to a request whose Secret is another one (unverified). Default:
        /// 401.
        #[serde(default = "unauthorized")]
        pub wrong_header_status: u16,
    }
}

impl ServiceFabric {
    /// Checks the keys at `place` that other services do not have.
    pub(super) fn check_own(&self, place: &Place, check: &mut Check<'_>) {
        let header = place.key("identity-header");
        check.text(
            &self.identity_header,
            &header,
            "the secret of the application's token service",
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
        if !self.user_identities.is_empty() {
            check
                .at_key(
                    &place.key("user-identities"),
                    "requests to Service Fabric name no identity",
                )
                .label("none of these could be asked for")
                .help("give the application's one identity as `system-identity`");
        }
        self.check_identities(place, check);
    }
}

fn identity_header() -> String {
    "912e4af7-77ba-4fa5-a737-56c8e3ace132".to_owned()
}

fn unauthorized() -> u16 {
    401
}
