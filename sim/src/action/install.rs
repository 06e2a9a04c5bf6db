//! `az-install`, `pwsh-install` and their opposites.

use super::{
    ActionContext, Consequences, Nothing, TimelineAction, TimelineState,
    program::{self, Program},
};
use crate::{
    check::Check,
    scenario::{Span, document::Place},
};

action_with_keys! {
    /// A command is installed.
    pub struct Install<P>(Nothing);
}

action_with_keys! {
    /// A command is removed.
    pub struct Uninstall<P>(Nothing);
}

impl<P: Program> TimelineAction for Install<P> {
    fn check<'a>(
        &'a self,
        _: Span,
        place: &Place,
        state: &mut TimelineState<'a>,
        check: &mut Check<'_>,
    ) {
        changes::<P>(true, "already installed", place, state, check);
    }

    fn describe(&self) -> String {
        format!("{} is installed", P::NAME)
    }

    fn apply(&self, context: &ActionContext<'_>) {
        program::change::<P, _>(context.backend, |command| *command.installed = true);
        context.record_change(format!("{} is installed", P::NAME));
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

impl<P: Program> TimelineAction for Uninstall<P> {
    fn check<'a>(
        &'a self,
        _: Span,
        place: &Place,
        state: &mut TimelineState<'a>,
        check: &mut Check<'_>,
    ) {
        changes::<P>(false, "not installed", place, state, check);
    }

    fn describe(&self) -> String {
        format!("{} is removed", P::NAME)
    }

    fn apply(&self, context: &ActionContext<'_>) {
        program::change::<P, _>(context.backend, |command| *command.installed = false);
        context.record_change(format!("{} is removed", P::NAME));
    }

    fn consequences(&self) -> Consequences<'_> {
        Consequences::loss()
    }

    fn durations(&mut self) -> Vec<&mut Span> {
        Vec::new()
    }
}

/// Reports an installation or removal that changes nothing: the command is `already` so.
fn changes<P: Program>(
    installed: bool,
    already: &str,
    place: &Place,
    state: &mut TimelineState<'_>,
    check: &mut Check<'_>,
) {
    let command = P::NAME;
    if check.service(command, place)
        && state.installed.insert(command, installed) == Some(installed)
    {
        check
            .at_key(place, format!("`{command}` is {already} at that time"))
            .label("this changes nothing")
            .help(format!(
                "`installed` in `[world.{command}]` says how the world begins; the default is true"
            ));
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        action::testing::Played,
        command::{Az, Pwsh},
    };

    #[test]
    fn a_command_comes_and_goes() {
        let played = Played::new("[az]");
        let installed = || {
            let state = played.backend.state();
            let (az, pwsh) = (state.parts.get::<Az>(), state.parts.get::<Pwsh>());
            [
                az.is_some_and(|az| az.installed),
                pwsh.is_some_and(|pwsh| pwsh.installed),
            ]
        };
        assert_eq!(installed(), [true, false]);
        assert_eq!(played.act("az-uninstall = {}", 1), ["1s az is removed"]);
        assert_eq!(played.act("pwsh-install = {}", 2), ["2s pwsh is installed"]);
        assert_eq!(installed(), [false, true]);
        played.act("az-install = {}", 3);
        played.act("pwsh-uninstall = {}", 4);
        assert_eq!(installed(), [true, false]);
    }
}
