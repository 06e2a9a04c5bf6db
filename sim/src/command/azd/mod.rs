//! `azd auth token`.

#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde::Serialize;

use super::{
    Call, Command, CommandExit, Done, Program, asked_for, command_words, first_of,
    keys::command_keys,
    object_id,
    options::{Known, Misuse, Options, Takes},
    shown::Shown,
};
use crate::backend::{Backend, handle::State, issuer::Who, journal::Why};

/// Variables of its caller that change what it prints.
pub(super) const VARIABLES: &[&str] = &[];

/// Variables of this machine that steer it.
pub(super) const KEPT_OUT: &[&str] = &["AZD_*"];

command_keys! {
    /// The Azure Developer CLI.
    pub struct Azd, account "logged in" {}
}

impl Command for Azd {
    fn program(&self) -> Program {
        Program::Azd
    }

    fn describe_own_keys(&self) -> Vec<String> {
        Vec::new()
    }

    fn install(&self, backend: &Backend) {
        backend.state().parts.insert(self.clone());
    }

    fn run(&self, state: &mut State, now: Timestamp, call: &Call<'_>) -> Done {
        let Some(args) = call.args.strip_prefix(&COMMAND.map(str::to_owned)) else {
            return not_simulated(call.args);
        };
        if let Some(option) = first_of(args, KNOWN_TO_THE_REAL_ONE) {
            return Done::not_simulated(Program::Azd, option, "leave it out", 1);
        }
        match Options::parse(args, KNOWN) {
            Ok(options) => token(self, state, now, &options),
            Err(Misuse::Unknown(what)) => usage(&format!("unknown flag: {what}")),
            Err(Misuse::Incomplete(what)) => usage(&format!("flag needs an argument: {what}")),
        }
    }
}

/// Options that the real `azd` knows everywhere, and this one does not.
const KNOWN_TO_THE_REAL_ONE: &[&str] = &[
    "--cwd",
    "-C",
    "--environment",
    "-e",
    "--help",
    "-h",
    "--docs",
];

/// What a command that is not simulated leaves. The real `azd` may well know it.
fn not_simulated(args: &[String]) -> Done {
    let words = command_words(args);
    let instead = if words == "auth login" || words == "auth logout" {
        "the scenario says who is logged in, and when (do.azd-login, do.azd-logout)"
    } else {
        "simulated is auth token"
    };
    Done::not_simulated(Program::Azd, asked_for(args), instead, 1)
}

/// A call of it without its secrets.
pub(super) fn shown(backend: &Backend, call: &Call<'_>) -> Shown {
    Shown::of_options(backend, call)
}

/// What a token is for when nothing is said.
const RESOURCE_MANAGER: &str = "https://management.azure.com//.default";

const COMMAND: [&str; 2] = ["auth", "token"];

const KNOWN: &[Known] = &[
    Known {
        spellings: &["--output", "-o"],
        takes: Takes::One,
    },
    Known {
        spellings: &["--scope"],
        takes: Takes::One,
    },
    Known {
        spellings: &["--tenant-id"],
        takes: Takes::One,
    },
    Known {
        spellings: &["--claims"],
        takes: Takes::One,
    },
    Known {
        spellings: &["--no-prompt"],
        takes: Takes::Nothing,
    },
    Known {
        spellings: &["--debug"],
        takes: Takes::Nothing,
    },
];

/// What it prints. The time is UTC, without a fraction.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Printed<'a> {
    token: &'a str,
    expires_on: String,
}

/// An error as azd 1.24 and newer print it with `--output json`.
#[derive(Serialize)]
struct Trouble<'a> {
    error: &'a str,
    message: &'a str,
    suggestion: &'a str,
}

fn usage(text: &str) -> Done {
    Done::failed(1, format!("ERROR: {text}\n"), format!("wrong use: {text}"))
}

/// The token, or what `azd` says instead.
fn token(azd: &Azd, state: &mut State, now: Timestamp, options: &Options) -> Done {
    let is_json = options.get("--output") == Some("json");
    let Some(account) = &azd.account else {
        let error = "not logged in, run `azd auth login` to login";
        let suggestion = "Run `azd auth login` to log in.";
        return trouble(is_json, error, suggestion, "nobody is logged in");
    };
    if let Some(asked) = options.get("--tenant-id")
        && !asked.eq_ignore_ascii_case(state.issuer.tenant())
    {
        let error = format!("AADSTS90002: Tenant '{asked}' not found. Check that it is right.");
        let suggestion = "Check the tenant id.";
        return trouble(
            is_json,
            &error,
            suggestion,
            &format!("there is no tenant {asked}"),
        );
    }
    let scope = options.first("--scope").unwrap_or(RESOURCE_MANAGER);
    let resource = scope.strip_suffix("/.default").unwrap_or(scope);
    let person = object_id(state, account);
    let State { issuer, .. } = state;
    let who = Who::Person {
        name: account,
        object_id: &person,
    };
    let issued = issuer.issue(who, resource, now, azd.token_life.0);
    let ends = Timestamp::from_second(issued.expires_on).unwrap_or(Timestamp::MAX);
    let printed = Printed {
        token: &issued.token,
        expires_on: ends.to_string(),
    };
    let stdout = if is_json {
        // Two texts: writing them cannot fail.
        serde_json::to_string(&printed).unwrap_or_default()
    } else {
        issued.token.clone()
    };
    Done {
        exit: CommandExit {
            code: 0,
            stdout: stdout + "\n",
            stderr: String::new(),
        },
        why: Why {
            token: Some(issued.fingerprint),
            principal: Some(issued.principal),
            ..Why::plain(format!("a token of {account} for {resource}"))
        },
    }
}

fn trouble(is_json: bool, error: &str, suggestion: &str, why: &str) -> Done {
    let stderr = if is_json {
        let message = format!("fetching token: {error}");
        let trouble = Trouble {
            error,
            message: &message,
            suggestion,
        };
        serde_json::to_string(&trouble).unwrap_or_default()
    } else {
        format!("ERROR: {error}")
    };
    Done::failed(1, stderr + "\n", why)
}
