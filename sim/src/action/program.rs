//! The commands that actions install and sign in to.

use super::TimelineState;
use crate::scenario::document::Place;
use crate::{
    backend::{Backend, parts::Parts},
    check::Check,
    command,
};

/// A command with an account, as the actions of the timeline see it.
pub trait Program {
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

    /// The command in the running world; it comes into being there if it has not been there.
    fn of(parts: &mut Parts) -> Running<'_>;
}

/// What actions change of a command.
pub struct Running<'a> {
    /// Whether it is installed.
    pub installed: &'a mut bool,
    /// The account that is signed in.
    pub account: &'a mut Option<String>,
}

/// Changes a command of the running world.
pub(super) fn change<P: Program, T>(backend: &Backend, how: impl FnOnce(Running<'_>) -> T) -> T {
    how(P::of(&mut backend.state().parts))
}

/// The Azure CLI.
#[derive(Clone, Copy, Debug)]
pub struct Az;

impl Program for Az {
    const NAME: &'static str = "az";
    const SIGNS_IN: &'static str = "logs in with az login";
    const SIGNS_OUT: &'static str = "az logout";
    const SIGNED_IN: &'static str = "logs in to az";
    const SIGNED_OUT: &'static str = "logs out of az";

    fn of(parts: &mut Parts) -> Running<'_> {
        let az = parts.get_or_default::<command::Az>();
        Running {
            installed: &mut az.installed,
            account: &mut az.account,
        }
    }
}

/// The Azure Developer CLI.
#[derive(Clone, Copy, Debug)]
pub struct Azd;

impl Program for Azd {
    const NAME: &'static str = "azd";
    const SIGNS_IN: &'static str = "logs in with azd auth login";
    const SIGNS_OUT: &'static str = "azd auth logout";
    const SIGNED_IN: &'static str = "logs in to azd";
    const SIGNED_OUT: &'static str = "logs out of azd";

    fn of(parts: &mut Parts) -> Running<'_> {
        let azd = parts.get_or_default::<command::Azd>();
        Running {
            installed: &mut azd.installed,
            account: &mut azd.account,
        }
    }
}

/// PowerShell with its Azure module.
#[derive(Clone, Copy, Debug)]
pub struct Pwsh;

impl Program for Pwsh {
    const NAME: &'static str = "pwsh";
    const SIGNS_IN: &'static str = "connects with Connect-AzAccount";
    const SIGNS_OUT: &'static str = "Disconnect-AzAccount";
    const SIGNED_IN: &'static str = "connects pwsh to Azure";
    const SIGNED_OUT: &'static str = "disconnects pwsh from Azure";

    fn of(parts: &mut Parts) -> Running<'_> {
        let pwsh = parts.get_or_default::<command::Pwsh>();
        Running {
            installed: &mut pwsh.installed,
            account: &mut pwsh.account,
        }
    }
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
