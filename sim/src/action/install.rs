//! `az-install`, `pwsh-install` and their opposites.

use std::marker::PhantomData;

use serde::Deserialize;

use super::{
    ActionContext, Consequences, Names, Nothing, OnHost, Outside, Repair, TimelineAction,
    TimelineState,
    program::{self, Program},
};
use crate::{
    check::Check,
    scenario::{Span, document::Place},
};

/// A command is installed.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent, bound = "")]
pub struct Install<P>(pub Nothing, #[serde(skip)] PhantomData<P>);
schema_of!(Install<P>, Nothing);

/// A command is removed.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent, bound = "")]
pub struct Uninstall<P>(pub Nothing, #[serde(skip)] PhantomData<P>);
schema_of!(Uninstall<P>, Nothing);

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
            repair: Repair::Now,
            takes_away: false,
            cuts_off: None,
            brings: Some(P::NAME),
            on_host: OnHost::Nothing,
            outside: Outside::Possible,
            lasting: None,
            secrets: Vec::new(),
            names: Names::Nothing,
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
        Consequences {
            repair: Repair::No,
            takes_away: true,
            cuts_off: None,
            brings: None,
            on_host: OnHost::Nothing,
            outside: Outside::Possible,
            lasting: None,
            secrets: Vec::new(),
            names: Names::Nothing,
        }
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
