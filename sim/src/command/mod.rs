//! The simulated command-line tools, one folder each: their keys in scenario files, the checks of
//! these, what they print, how they exit, how long they take, and how their arguments are shown.
//!
//! To add one, write its folder and its line in `commands!`. The registry asks of a module
//! `shown`, `VARIABLES` and `KEPT_OUT`, and of the type of its keys, which `command_keys!` makes,
//! `Command`.

mod account;
pub mod az;
pub mod azd;
mod keys;
pub mod matcher;
mod options;
pub mod pwsh;
mod run;
mod shown;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use std::{fmt, time::Duration};

use jiff::{Timestamp, tz::TimeZone};

pub use account::Account;
use account::object_id;
pub use az::Az;
pub use azd::Azd;
pub(crate) use keys::{ChangingKeys, Keys};
pub use pwsh::Pwsh;
use shown::Shown;

use crate::{
    backend::{Backend, handle::State, journal::Why},
    check::Check,
    scenario::document::Place,
};

/// The registry: calls `$callback` with what stands before, and a line for each command: its
/// module, which is also its name and its key in `[world]`, and the type of its keys.
macro_rules! commands {
    ($callback:ident $($before:tt)*) => {
        $callback! { $($before)*
            /// The Azure CLI. Without it `az` is not installed.
            az Az,
            /// The Azure Developer CLI. Without it `azd` is not installed.
            azd Azd,
            /// PowerShell. Without it `pwsh` is not installed.
            pwsh Pwsh,
        }
    };
}

pub(crate) use commands;

/// What the rest of the harness needs to know of a command of a world.
pub(crate) trait Command: Keys {
    /// Which it is.
    fn program(&self) -> Program;
    /// What its own keys say at the world's start, for `explain`; nothing of what is as usual.
    fn describe_own_keys(&self) -> Vec<String>;
    /// Puts its keys into the state of a world that begins.
    fn install(&self, backend: &Backend);
    /// What a run leaves that ends at the true time `now`.
    fn run(&self, state: &mut State, now: Timestamp, call: &Call<'_>) -> Done;
}

macro_rules! define {
    ($( $(#[$doc:meta])* $module:ident $variant:ident, )*) => {
        /// A simulated command.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Program {
            $( $(#[$doc])* $variant, )*
        }

        impl Program {
            /// All of them.
            pub const ALL: &'static [Self] = &[$( Self::$variant ),*];

            /// The name by which it is called, which is also its key in `[world]`.
            pub fn name(self) -> &'static str {
                match self { $( Self::$variant => stringify!($module) ),* }
            }

            /// The command as it is now; `None` if the world says nothing of it and no action has
            /// installed it.
            fn running(self, state: &State) -> Option<&dyn Command> {
                match self {
                    $( Self::$variant => {
                        state.parts.get::<$variant>().map(|keys| keys as &dyn Command)
                    } )*
                }
            }

            /// Variables of its caller that change what it prints.
            pub(crate) fn variables(self) -> &'static [&'static str] {
                match self { $( Self::$variant => $module::VARIABLES ),* }
            }

            /// Variables of this machine that are kept from processes outside, because they steer
            /// it; a `*` at the end stands for any rest.
            pub(crate) fn kept_out(self) -> &'static [&'static str] {
                match self { $( Self::$variant => $module::KEPT_OUT ),* }
            }

            /// A call of it without its secrets.
            fn shown(self, backend: &Backend, call: &Call<'_>) -> Shown {
                match self { $( Self::$variant => $module::shown(backend, call) ),* }
            }

            /// What a run leaves that ends at the true time `now`.
            fn run(self, state: &mut State, now: Timestamp, call: &Call<'_>) -> Done {
                match self {
                    $( Self::$variant => {
                        let keys = state.parts.get::<$variant>().cloned().unwrap_or_default();
                        keys.run(state, now, call)
                    } )*
                }
            }
        }
    };
}
commands!(define);

impl Program {
    /// The command that is called by this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|known| known.name() == name)
    }
}

/// What a simulated command left when it ended. `Debug` shows no content: standard output holds
/// tokens.
#[derive(Clone, PartialEq, Eq)]
pub struct CommandExit {
    /// The exit code.
    pub code: i32,
    /// Everything written to standard output.
    pub stdout: String,
    /// Everything written to standard error.
    pub stderr: String,
}

impl fmt::Debug for CommandExit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CommandExit")
            .field("code", &self.code)
            .field("stdout", &format_args!("{} bytes", self.stdout.len()))
            .field("stderr", &format_args!("{} bytes", self.stderr.len()))
            .finish()
    }
}

/// There is no such command on this host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandMissing;

impl fmt::Display for CommandMissing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there is no such command on this host")
    }
}

impl std::error::Error for CommandMissing {}

/// How long a command takes when the scenario does not say.
pub const USUAL: Duration = Duration::from_secs(1);

/// How a command was called.
pub struct Call<'a> {
    /// Its arguments.
    pub args: &'a [String],
    /// Variables set in addition to the host's own.
    pub env: &'a [(String, String)],
    /// The host's time zone.
    pub zone: TimeZone,
}

/// What a command left, and why.
pub(crate) struct Done {
    exit: CommandExit,
    why: Why,
}

impl Done {
    fn failed(code: i32, stderr: impl Into<String>, why: impl Into<String>) -> Self {
        let exit = CommandExit {
            code,
            stdout: String::new(),
            stderr: stderr.into(),
        };
        Self {
            exit,
            why: Why::plain(why),
        }
    }

    /// What `program` leaves when the real one would do `what`, and the simulated one cannot: a
    /// sentence that says so, for a reader of its standard error and of the journal alike, and exit
    /// code `code`. `instead` says what is simulated, or what to do.
    fn not_simulated(program: Program, what: impl AsRef<str>, instead: &str, code: i32) -> Self {
        let (name, what) = (program.name(), what.as_ref());
        Self::failed(
            code,
            format!("{name}: {what} is not simulated by credsim: {instead}\n"),
            format!("not simulated: {what}"),
        )
    }
}

/// The words of a command line before its first option: the command that is meant.
fn command_words(args: &[String]) -> String {
    let words = args.iter().take_while(|arg| !arg.starts_with('-'));
    words.map(String::as_str).collect::<Vec<_>>().join(" ")
}

/// What a command line asks for, in short: its command, or else its first option without a value.
fn asked_for(args: &[String]) -> String {
    let words = command_words(args);
    let option = args.iter().find(|arg| arg.starts_with('-'));
    match option.and_then(|option| option.split('=').next()) {
        _ if !words.is_empty() => words,
        Some(option) => option.to_owned(),
        None => "no command".to_owned(),
    }
}

/// The first of `args` that is one of `options`, or one of them with its value behind `=`.
fn first_of<'a>(args: &[String], options: &[&'a str]) -> Option<&'a str> {
    let named = |arg: &String| {
        let name = arg.split('=').next().unwrap_or_default();
        options.iter().copied().find(|option| *option == name)
    };
    args.iter().find_map(named)
}

impl dyn Command + '_ {
    /// Checks the keys at `place`: how long runs take, how long tokens live, and which account is
    /// logged in.
    pub(crate) fn check(&self, place: &Place, check: &mut Check<'_>) {
        let common = self.common();
        check.range(common.takes, &place.key("takes"));
        check.token_life(common.token_life, place);
        if let Some(account) = common.account {
            check.account(account, &place.key("account"));
        }
    }

    /// What it is at the world's start, in a line.
    pub(crate) fn describe(&self) -> String {
        let common = self.common();
        let installed = match common.installed {
            true => "installed",
            false => "not installed",
        };
        let mut parts = vec![installed.to_owned()];
        parts.push(match common.account {
            Some(account) => format!("{account} is logged in"),
            None => "nobody is logged in".to_owned(),
        });
        let takes = common.takes.as_ref();
        parts.extend(takes.map(|takes| format!("takes {}", takes.describe())));
        parts.push(format!("tokens live {}", common.token_life));
        parts.extend(self.describe_own_keys());
        format!("{}: {}", self.program().name(), parts.join(", "))
    }
}
