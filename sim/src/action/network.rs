//! `network`: packets between the subject's host and a service.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    ActionContext, Consequences, Names, OnHost, Outside, Repair, TimelineAction, TimelineState,
};
use crate::{
    check::Check,
    scenario::{Span, document::Place},
    service::Reach,
    world::Service,
};

/// A change of the network.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NetworkChange {
    /// Between the subject's host and which service.
    pub service: Service,
    /// What it is from now on.
    pub reach: Reach,
}

/// Why clients outside are not shown services that refuse connections or have no route.
pub(crate) const PROXY_ALWAYS_ANSWERS: &str = "a service refuses connections or has no route, and \
     clients outside connect to a proxy, which always answers; `serve --imds variable` can show that IMDS refuses them";

impl TimelineAction for NetworkChange {
    fn check<'a>(
        &'a self,
        _: Span,
        place: &Place,
        _: &mut TimelineState<'a>,
        check: &mut Check<'_>,
    ) {
        check.service(self.service.name(), &place.key("service"));
    }

    fn describe(&self) -> String {
        format!(
            "network to {}: {}",
            self.service.name(),
            self.reach.describe()
        )
    }

    fn apply(&self, context: &ActionContext<'_>) {
        let name = self.service.name();
        context.record_change(match self.reach {
            Reach::Reachable => format!("{name} is reachable again"),
            Reach::Refused => format!("{name} refuses connections"),
            Reach::BlackHoled => format!("packets to {name} vanish"),
            Reach::Unreachable => format!("there is no route to {name}"),
        });
        let here = &*context.host.host.name;
        for host in context.hosts_of(self.service) {
            let before = context.host.reach(&host);
            context.host.set_reach(&host, self.reach);
            if self.reach == Reach::BlackHoled {
                context.control.hold(here, &host);
            } else if before == Some(Reach::BlackHoled) {
                context.control.release(here, &host);
            }
        }
    }

    fn consequences(&self) -> Consequences<'_> {
        let is_reachable = self.reach == Reach::Reachable;
        Consequences {
            repair: if is_reachable {
                Repair::Now
            } else {
                Repair::No
            },
            takes_away: false,
            cuts_off: (!is_reachable).then_some(self.service),
            brings: None,
            on_host: OnHost::Nothing,
            outside: match self.reach {
                Reach::Reachable | Reach::BlackHoled => Outside::Possible,
                Reach::Refused | Reach::Unreachable => Outside::Impossible(PROXY_ALWAYS_ANSWERS),
            },
            lasting: Some("a service cannot be reached, and clients try for a while".to_owned()),
            secrets: Vec::new(),
            issues: Vec::new(),
            names: Names::Nothing,
        }
    }

    fn durations(&mut self) -> Vec<&mut Span> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use crate::action::testing::Played;

    #[test]
    fn packets_are_held_as_long_as_the_service_is_black_holed() {
        let played = Played::new("[imds]\n[redis]\nnodes = 2");
        let network = |service: &str, reach: &str| {
            format!("network = {{ service = \"{service}\", reach = \"{reach}\" }}")
        };
        assert_eq!(
            played.act(&network("imds", "black-holed"), 1),
            ["1s packets to imds vanish"]
        );
        assert!(!played.host.reaches_all());
        assert_eq!(
            played.act(&network("imds", "refused"), 2),
            ["2s imds refuses connections"]
        );
        assert!(!played.host.reaches_all());
        assert_eq!(
            played.act(&network("imds", "reachable"), 3),
            ["3s imds is reachable again"]
        );
        assert!(played.host.reaches_all());
        let imds = "app 169.254.169.254";
        assert_eq!(
            played.control(),
            [format!("hold {imds}"), format!("release {imds}")]
        );
        // Every node, and the replica of each.
        played.act(&network("redis", "black-holed"), 4);
        assert_eq!(played.control().len(), 6);
    }
}
