//! The keys that all commands have.

use std::time::Duration;

use crate::scenario::{Range, Span};

/// The keys that all commands have, as a scenario or the running world says them.
pub(crate) struct CommonKeys<'a> {
    /// Whether it is installed.
    pub installed: bool,
    /// The account that is logged in.
    pub account: Option<&'a str>,
    /// How long a run takes; [`USUAL`](super::USUAL) if nothing is said.
    pub takes: Option<Range>,
    /// How long its tokens live.
    pub token_life: Span,
}

/// What the timeline changes of a command.
pub(crate) struct ChangingKeys<'a> {
    /// Whether it is installed.
    pub installed: &'a mut bool,
    /// The account that is logged in.
    pub account: &'a mut Option<String>,
}

/// The type of a command's keys. `command_keys!` implements it.
pub(crate) trait Keys {
    /// The keys that all commands have.
    fn common(&self) -> CommonKeys<'_>;

    /// What the timeline changes.
    fn changing(&mut self) -> ChangingKeys<'_>;
}

/// Defines the keys of a command: its own, each with its default, and those that all of them have.
/// `account` says what an account is that a command works with, for the schema.
///
/// A macro, because `serde(flatten)` cannot stand beside `deny_unknown_fields`.
macro_rules! command_keys {
    (
        $(#[$doc:meta])*
        pub struct $name:ident, account $is:literal {
            $($(#[$own_doc:meta])* pub $own:ident: $own_type:ty = $default:expr,)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, serde::Deserialize, schemars::JsonSchema)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        pub struct $name {
            /// Whether it is installed at the start. Default: true.
            #[serde(default = "crate::command::keys::yes")]
            pub installed: bool,
            #[doc = concat!(
                "The account that is ", $is, " at the start; one of `world.accounts`. Default: none."
            )]
            pub account: Option<String>,
            /// How long it takes to answer. Default: 1s.
            pub takes: Option<crate::scenario::Range>,
            /// How long its tokens live. Default: 60m.
            #[serde(default = "crate::command::keys::one_hour")]
            pub token_life: crate::scenario::Span,
            $($(#[$own_doc])* pub $own: $own_type,)*
        }

        impl Default for $name {
            fn default() -> Self {
                Self {
                    installed: crate::command::keys::yes(),
                    account: None,
                    takes: None,
                    token_life: crate::command::keys::one_hour(),
                    $($own: $default,)*
                }
            }
        }

        impl crate::command::keys::Keys for $name {
            fn common(&self) -> crate::command::keys::CommonKeys<'_> {
                crate::command::keys::CommonKeys {
                    installed: self.installed,
                    account: self.account.as_deref(),
                    takes: self.takes,
                    token_life: self.token_life,
                }
            }

            fn changing(&mut self) -> crate::command::keys::ChangingKeys<'_> {
                crate::command::keys::ChangingKeys {
                    installed: &mut self.installed,
                    account: &mut self.account,
                }
            }
        }
    };
}
pub(super) use command_keys;

/// What `installed` and the other switches are when the scenario does not say.
pub(super) fn yes() -> bool {
    true
}

/// How long tokens live when the scenario does not say.
pub(super) fn one_hour() -> Span {
    Span(Duration::from_secs(3_600))
}
