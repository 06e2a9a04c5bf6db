//! `az-login`, `azd-login`, `pwsh-login` and their opposites.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    ActionContext, Consequences, Nothing, TimelineAction, TimelineState,
    program::{self, Program, needs_installed},
};
use crate::{
    check::Check,
    scenario::{Span, document::Place},
};

/// The account that logs in.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Login {
    /// One of `world.accounts`.
    pub account: String,
}

action_with_keys! {
    /// An account signs in to a command.
    pub struct LogIn<P>(Login);
}

action_with_keys! {
    /// The account of a command signs out.
    pub struct LogOut<P>(Nothing);
}

impl<P: Program> TimelineAction for LogIn<P> {
    fn check<'a>(
        &'a self,
        _: Span,
        place: &Place,
        state: &mut TimelineState<'a>,
        check: &mut Check<'_>,
    ) {
        if check.service(P::NAME, place) {
            needs_installed::<P>(place, state, check);
        }
        check.account(&self.0.account, &place.key("account"));
        state.accounts.insert(P::NAME, Some(&self.0.account));
    }

    fn describe(&self) -> String {
        format!("{} {}", self.0.account, P::SIGNS_IN)
    }

    fn apply(&self, context: &ActionContext<'_>) {
        let account = self.0.account.clone();
        context.record_change(format!("{account} {}", P::SIGNED_IN));
        program::change::<P, _>(context.backend, |command| *command.account = Some(account));
    }

    fn consequences(&self) -> Consequences<'_> {
        Consequences {
            brings: Some(P::NAME),
            ..Consequences::improvement()
        }
    }

    fn durations(&mut self) -> Vec<&mut Span> {
        Vec::new()
    }
}

impl<P: Program> TimelineAction for LogOut<P> {
    fn check<'a>(
        &'a self,
        _: Span,
        place: &Place,
        state: &mut TimelineState<'a>,
        check: &mut Check<'_>,
    ) {
        let command = P::NAME;
        if !check.service(command, place) || !needs_installed::<P>(place, state, check) {
            return;
        }
        if state.accounts.insert(command, None).flatten().is_none() {
            check
                .at_key(
                    place,
                    format!("no account is logged in to `{command}` at that time"),
                )
                .label("nothing to log out of")
                .help(
                    "events happen in the order of their times, whatever their order in the file",
                );
        }
    }

    fn describe(&self) -> String {
        P::SIGNS_OUT.to_owned()
    }

    fn apply(&self, context: &ActionContext<'_>) {
        let account = program::change::<P, _>(context.backend, |command| command.account.take());
        let account = account.as_deref().unwrap_or("nobody");
        context.record_change(format!("{account} {}", P::SIGNED_OUT));
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
    use crate::{
        action::testing::Played,
        command::{Az, Azd},
    };

    #[test]
    fn each_command_has_an_account_of_its_own() {
        let played = Played::new("[az]\n[pwsh]\naccount = \"alice\"");
        let login = |program: &str| format!("{program}-login = {{ account = \"bob\" }}");
        assert_eq!(played.act(&login("az"), 1), ["1s bob logs in to az"]);
        assert_eq!(played.act(&login("azd"), 2), ["2s bob logs in to azd"]);
        assert_eq!(
            played.act("pwsh-logout = {}", 3),
            ["3s alice disconnects pwsh from Azure"]
        );
        assert_eq!(
            played.act(&login("pwsh"), 4),
            ["4s bob connects pwsh to Azure"]
        );
        assert_eq!(played.act("az-logout = {}", 5), ["5s bob logs out of az"]);
        assert_eq!(
            played.act("az-logout = {}", 6),
            ["6s nobody logs out of az"]
        );
        let state = played.backend.state();
        assert_eq!(
            state.parts.get::<Az>().and_then(|az| az.account.as_deref()),
            None
        );
        let azd = state.parts.get::<Azd>().expect("it came with its login");
        assert_eq!(azd.account.as_deref(), Some("bob"));
    }
}
