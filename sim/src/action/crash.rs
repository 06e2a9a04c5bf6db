//! `crash` and `restart`: the host of a service goes down, and comes up again.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{ActionContext, Consequences, TimelineAction, TimelineState};
use crate::{
    check::Check,
    scenario::{Span, document::Place},
    world::Service,
};

/// A service.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ServiceRef {
    /// Which.
    pub service: Service,
}

action_with_keys! {
    /// The hosts of a service go down: its connections break, and what it kept in memory is lost.
    pub struct Crash(ServiceRef);
}

action_with_keys! {
    /// The hosts of a service start again.
    pub struct Restart(ServiceRef);
}

/// Why a timeline with a crash is not played faster.
const CLIENTS_TRY: &str = "a service cannot be reached, and clients try for a while";

impl TimelineAction for Crash {
    fn check<'a>(
        &'a self,
        _: Span,
        place: &Place,
        state: &mut TimelineState<'a>,
        check: &mut Check<'_>,
    ) {
        let name = self.0.service.name();
        if check.service(name, &place.key("service")) && !state.down.insert(name) {
            check
                .at_key(place, format!("`{name}` is down already at that time"))
                .label("this changes nothing")
                .help("let it `restart` before it crashes again");
        }
    }

    fn describe(&self) -> String {
        format!("the host of {} goes down", self.0.service.name())
    }

    fn apply(&self, context: &ActionContext<'_>) {
        context.record_change(format!("{} crashes", self.0.service.name()));
        // Requests that are under way end in the trace before the host that answers them is gone.
        context.backend.crash(self.0.service, context.at);
        for host in context.hosts_of(self.0.service) {
            context.host.set_down(&host, true);
            context.control.crash(&host);
        }
    }

    fn consequences(&self) -> Consequences<'_> {
        Consequences {
            cuts_off: Some(self.0.service),
            lasting: Some(CLIENTS_TRY.to_owned()),
            ..Consequences::disturbance()
        }
    }

    fn durations(&mut self) -> Vec<&mut Span> {
        Vec::new()
    }
}

impl TimelineAction for Restart {
    fn check<'a>(
        &'a self,
        _: Span,
        place: &Place,
        state: &mut TimelineState<'a>,
        check: &mut Check<'_>,
    ) {
        let name = self.0.service.name();
        if check.service(name, &place.key("service")) && !state.down.remove(name) {
            check
                .at_key(place, format!("`{name}` is not down at that time"))
                .label("this changes nothing")
                .help("let it `crash` before");
        }
    }

    fn describe(&self) -> String {
        format!("the host of {} comes up", self.0.service.name())
    }

    fn apply(&self, context: &ActionContext<'_>) {
        context.record_change(format!("{} restarts", self.0.service.name()));
        for host in context.hosts_of(self.0.service) {
            context.host.set_down(&host, false);
            context.control.restart(&host);
        }
    }

    fn consequences(&self) -> Consequences<'_> {
        Consequences {
            lasting: Some(CLIENTS_TRY.to_owned()),
            ..Consequences::improvement()
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
    fn a_service_is_down_until_it_restarts() {
        let played = Played::new("[entra]");
        assert_eq!(
            played.act("crash = { service = \"entra\" }", 1),
            ["1s entra crashes"]
        );
        assert!(!played.host.reaches_all());
        assert_eq!(
            played.act("restart = { service = \"entra\" }", 2),
            ["2s entra restarts"]
        );
        assert!(played.host.reaches_all());
        let host = "login.microsoftonline.com";
        assert_eq!(
            played.control(),
            [format!("crash {host}"), format!("restart {host}")]
        );
    }
}
