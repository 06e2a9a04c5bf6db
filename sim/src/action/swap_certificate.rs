//! `swap-certificate`: Service Fabric's token service presents another certificate.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{ActionContext, Consequences, TimelineAction, TimelineState};
use crate::{
    check::Check,
    scenario::{Span, document::Place},
    service::service_fabric::{SERVICE_FABRIC_HOST, certificate},
};

/// Another certificate, while IDENTITY_SERVER_THUMBPRINT stays as it is (MI-106).
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SwapCertificate {}

impl TimelineAction for SwapCertificate {
    fn check<'a>(
        &'a self,
        _: Span,
        place: &Place,
        _: &mut TimelineState<'a>,
        check: &mut Check<'_>,
    ) {
        check.service("service-fabric", place);
    }

    fn describe(&self) -> String {
        "service-fabric presents another certificate".to_owned()
    }

    fn apply(&self, context: &ActionContext<'_>) {
        context.record_change(self.describe());
        let present = context.backend.certificate_of(SERVICE_FABRIC_HOST);
        let next = certificate(present.serial.saturating_add(1));
        context.backend.present(SERVICE_FABRIC_HOST, next);
    }

    fn consequences(&self) -> Consequences<'_> {
        Consequences::loss()
    }

    fn durations(&mut self) -> Vec<&mut Span> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use crate::action::testing::Played;

    #[test]
    fn it_is_told() {
        let played = Played::new("[service-fabric]");
        for second in [1, 2] {
            assert_eq!(
                played.act("swap-certificate = {}", second),
                [format!(
                    "{second}s service-fabric presents another certificate"
                )]
            );
        }
    }
}
