//! The commands that actions install and sign in to.

use super::TimelineState;
use crate::scenario::document::Place;
use crate::{
    backend::Backend,
    check::Check,
    command::{self, ChangingKeys, Keys as _},
};

/// A command with an account, as the actions of the timeline see it.
pub(crate) trait Program {
    /// The type of its keys in the running world.
    type Keys: command::Keys + Clone + Default + Send + Sync + 'static;

    /// Its name in scenario files.
    const NAME: &'static str;
    /// After an account's name: that it signs in, as `explain` says it.
    const SIGNS_IN: &'static str;
    /// The command line that signs out, as `explain` says it.
    const SIGNS_OUT: &'static str;
    /// After an account's name: that it signs in, as the trace says it.
    const SIGNED_IN: &'static str;
    /// After an account's name: that it signs out, as the trace says it.
    const SIGNED_OUT: &'static str;
}

/// Changes a command of the running world; one that has not been there is added.
pub(super) fn change<P: Program, T>(
    backend: &Backend,
    how: impl FnOnce(ChangingKeys<'_>) -> T,
) -> T {
    how(backend.state().parts.get_or_default::<P::Keys>().changing())
}

/// The Azure CLI.
#[derive(Clone, Copy, Debug)]
pub struct Az;

impl Program for Az {
    type Keys = command::Az;

    const NAME: &'static str = "az";
    const SIGNS_IN: &'static str = "logs in with az login";
    const SIGNS_OUT: &'static str = "az logout";
    const SIGNED_IN: &'static str = "logs in to az";
    const SIGNED_OUT: &'static str = "logs out of az";
}

/// The Azure Developer CLI.
#[derive(Clone, Copy, Debug)]
pub struct Azd;

impl Program for Azd {
    type Keys = command::Azd;

    const NAME: &'static str = "azd";
    const SIGNS_IN: &'static str = "logs in with azd auth login";
    const SIGNS_OUT: &'static str = "azd auth logout";
    const SIGNED_IN: &'static str = "logs in to azd";
    const SIGNED_OUT: &'static str = "logs out of azd";
}

/// PowerShell with its Azure module.
#[derive(Clone, Copy, Debug)]
pub struct Pwsh;

impl Program for Pwsh {
    type Keys = command::Pwsh;

    const NAME: &'static str = "pwsh";
    const SIGNS_IN: &'static str = "connects with Connect-AzAccount";
    const SIGNS_OUT: &'static str = "Disconnect-AzAccount";
    const SIGNED_IN: &'static str = "connects pwsh to Azure";
    const SIGNED_OUT: &'static str = "disconnects pwsh from Azure";
}

/// Returns whether a command is installed, and reports it if it is not.
pub(super) fn needs_installed<P: Program>(
    place: &Place,
    state: &TimelineState<'_>,
    check: &mut Check<'_>,
) -> bool {
    let command = P::NAME;
    let is_installed = state.installed[command];
    if !is_installed {
        check
            .at_key(place, format!("`{command}` is not installed at that time"))
            .label("so it can't be run")
            .help(format!(
                "set `installed = true` in `[world.{command}]`, or install it before"
            ));
    }
    is_installed
}
