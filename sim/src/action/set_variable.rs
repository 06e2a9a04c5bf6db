//! `set-variable`: an environment variable of the subject's host changes.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    ActionContext, Consequences, Names, OnHost, Outside, Repair, TimelineAction, TimelineState,
};
use crate::{
    check::Check,
    scenario::{Span, document::Place},
};

/// A change of the environment.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SetVariable {
    /// The variable.
    pub name: String,
    /// Its new value.
    pub value: String,
}

impl TimelineAction for SetVariable {
    fn check<'a>(
        &'a self,
        _: Span,
        place: &Place,
        _: &mut TimelineState<'a>,
        check: &mut Check<'_>,
    ) {
        check.variable(&self.name, &self.value, &place.key("name"));
    }

    fn describe(&self) -> String {
        format!("{} is set on the host", self.name)
    }

    fn apply(&self, context: &ActionContext<'_>) {
        context.host.set_variable(&self.name, &self.value);
        let host = &context.host.host.name;
        context.record_change(format!("{} is set on {host}", self.name));
    }

    fn consequences(&self) -> Consequences<'_> {
        let (name, value) = (self.name.as_str(), self.value.as_str());
        let (secrets, names) = match name {
            "AZURE_CLIENT_SECRET" => (vec![value], Names::Nothing),
            "AZURE_CLIENT_ID" => (Vec::new(), Names::Client(value)),
            _ => (Vec::new(), Names::Nothing),
        };
        Consequences {
            repair: Repair::No,
            takes_away: false,
            cuts_off: None,
            brings: None,
            on_host: OnHost::Variable { name, value },
            outside: Outside::Impossible(
                "a variable is set, and the environment of a running process stays",
            ),
            lasting: None,
            secrets,
            issues: Vec::new(),
            names,
        }
    }

    fn durations(&mut self) -> Vec<&mut Span> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use crate::{action::testing::Played, host::Lender};

    #[test]
    fn credentials_see_the_new_value_and_the_trace_does_not() {
        let played = Played::new("");
        let (platform, _, _) = Lender::lend(&played.host, 1);
        let environment = platform.environment;
        assert_eq!(environment.var("AZURE_CLIENT_SECRET"), None);
        let set = "set-variable = { name = \"AZURE_CLIENT_SECRET\", value = \"s3cret\" }";
        assert_eq!(played.act(set, 1), ["1s AZURE_CLIENT_SECRET is set on app"]);
        let value = environment.var("AZURE_CLIENT_SECRET");
        assert_eq!(value.as_deref(), Some("s3cret"));
    }
}
