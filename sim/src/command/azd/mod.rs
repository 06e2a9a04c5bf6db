//! `azd auth token`.

#[cfg(test)]
mod tests;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Call, Command, CommandExit, Done, Program, check_common, describe_common, object_id, one_hour,
    options::{Known, Misuse, Options, Takes},
    shown::Shown,
    yes,
};
use crate::{
    backend::{Backend, handle::State, issuer::Who, journal::Why},
    check::Check,
    scenario::{Range, Span, document::Place},
};

/// Variables of its caller that change what it prints.
pub(super) const VARIABLES: &[&str] = &[];

/// Variables of this machine that steer it.
pub(super) const KEPT_OUT: &[&str] = &["AZD_*"];

/// The Azure Developer CLI.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Azd {
    /// Whether it is installed at the start. Default: true.
    #[serde(default = "yes")]
    pub installed: bool,
    /// The account that is logged in at the start; one of `world.accounts`. Default: none.
    pub account: Option<String>,
    /// How long it takes to answer. Default: 1s.
    pub takes: Option<Range>,
    /// How long its tokens live. Default: 60m.
    #[serde(default = "one_hour")]
    pub token_life: Span,
}

impl Default for Azd {
    fn default() -> Self {
        Self {
            installed: true,
            account: None,
            takes: None,
            token_life: one_hour(),
        }
    }
}

impl Command for Azd {
    fn program(&self) -> Program {
        Program::Azd
    }

    fn is_installed(&self) -> bool {
        self.installed
    }

    fn account(&self) -> Option<&str> {
        self.account.as_deref()
    }

    fn takes(&self) -> Option<Range> {
        self.takes
    }

    fn token_life(&self) -> Span {
        self.token_life
    }

    fn check(&self, place: &Place, check: &mut Check<'_>) {
        check_common(self, place, check);
    }

    fn describe(&self) -> String {
        format!("azd: {}", describe_common(self).join(", "))
    }

    fn install(&self, backend: &Backend) {
        backend.state().parts.insert(self.clone());
    }

    fn run(&self, state: &mut State, now: Timestamp, call: &Call<'_>) -> Done {
        let Some(args) = call.args.strip_prefix(&COMMAND.map(str::to_owned)) else {
            let called = call.args.join(" ");
            return usage(&format!("unknown command \"{called}\" for \"azd\""));
        };
        match Options::parse(args, KNOWN) {
            Ok(options) => token(self, state, now, &options),
            Err(Misuse::Unknown(what)) => usage(&format!("unknown flag: {what}")),
            Err(Misuse::Incomplete(what)) => usage(&format!("flag needs an argument: {what}")),
        }
    }
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
