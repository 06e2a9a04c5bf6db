//! `az account get-access-token`, and what programs ask an `az` beside that.

mod about;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde::Serialize;

use super::{
    Call, Command, CommandExit, Done, Program, asked_for, command_words, first_of,
    keys::{command_keys, yes},
    object_id,
    options::{Known, Misuse, Options, Takes},
    shown::Shown,
};
use crate::backend::{
    Backend, handle::State, issuer::Who, journal::Why, settings::DEFAULT_SUBSCRIPTION,
};

/// Variables of its caller that change what it prints.
pub(super) const VARIABLES: &[&str] = &[ONLY_SHOW_ERRORS, "AZURE_CORE_NO_COLOR", "NO_COLOR"];

/// `AZURE*`, by which the credentials are set up too, is kept out for all.
pub(super) const KEPT_OUT: &[&str] = &[];

const ONLY_SHOW_ERRORS: &str = "AZURE_CORE_ONLY_SHOW_ERRORS";

command_keys! {
    /// The Azure CLI.
    pub struct Az, account "logged in" {
        /// The id of the subscription it works with. Default: a fixed one.
        #[serde(default = "default_subscription")]
        pub subscription: String = default_subscription(),
        /// Whether it is 2.54.0 or newer and prints `expires_on`. Default: true.
        #[serde(default = "yes")]
        pub prints_expires_on: bool = true,
        /// Text that it prints on standard error although it succeeds. Default: none.
        pub warning: Option<String> = None,
    }
}

fn default_subscription() -> String {
    DEFAULT_SUBSCRIPTION.to_owned()
}

impl Command for Az {
    fn program(&self) -> Program {
        Program::Az
    }

    fn describe_own_keys(&self) -> Vec<String> {
        let old = "prints local times only (older than 2.54.0)";
        let old = (!self.prints_expires_on).then(|| old.to_owned());
        let warning = self.warning.as_ref();
        let warning = warning.map(|text| format!("warns on standard error: {text}"));
        old.into_iter().chain(warning).collect()
    }

    fn install(&self, backend: &Backend) {
        backend.state().parts.insert(self.clone());
    }

    fn run(&self, state: &mut State, now: Timestamp, call: &Call<'_>) -> Done {
        let args = call.args;
        let Some(asked) = Asked::of(args) else {
            return not_simulated(args);
        };
        if let Some(option) = first_of(args, KNOWN_TO_THE_REAL_ONE) {
            return Done::not_simulated(Program::Az, option, "leave it out", MISUSE);
        }
        let options = match asked.options(args) {
            Ok(options) => options,
            Err(Misuse::Unknown(what)) => return usage(&format!("unrecognized arguments: {what}")),
            Err(Misuse::Incomplete(what)) => {
                return usage(&format!("argument {what}: expected one argument"));
            }
        };
        match options.get("--output") {
            // The default comes from the user's settings, which say json unless they were changed.
            None | Some("json" | "jsonc") => {}
            Some(other) => {
                let what = format!("--output {other}");
                return Done::not_simulated(Program::Az, what, "only json is", MISUSE);
            }
        }
        let done = match asked {
            Asked::Token => token(self, state, now, call, &options),
            Asked::Account => about::account(self, state, &options),
            Asked::Version => Ok(about::version(self)),
            Asked::VersionText => Ok(about::version_text(self)),
        };
        done.unwrap_or_else(|(error, why)| Done::failed(1, format!("ERROR: {error}\n"), why))
    }
}

/// What a call asks for, of all that is simulated.
#[derive(Clone, Copy)]
enum Asked {
    /// `account get-access-token`.
    Token,
    /// `account show`.
    Account,
    /// `version`.
    Version,
    /// `--version`.
    VersionText,
}

impl Asked {
    /// None if it asks for something else.
    fn of(args: &[String]) -> Option<Self> {
        match command_words(args).as_str() {
            "account get-access-token" => Some(Self::Token),
            "account show" => Some(Self::Account),
            "version" => Some(Self::Version),
            "" if matches!(args, [one] if one == "--version" || one == "-v") => {
                Some(Self::VersionText)
            }
            _ => None,
        }
    }

    /// The options behind the command.
    ///
    /// # Errors
    /// They hold something that the real command does not know.
    fn options(self, args: &[String]) -> Result<Options, Misuse> {
        let behind = |words: usize| args.get(words..).unwrap_or_default();
        match self {
            Self::Token => Options::parse(behind(2), KNOWN),
            Self::Account => Options::parse(behind(2), about::OPTIONS),
            Self::Version => Options::parse(behind(1), about::COMMON_OPTIONS),
            Self::VersionText => Ok(Options::default()),
        }
    }
}

/// What a command that is not simulated leaves. The real `az` may well know it.
fn not_simulated(args: &[String]) -> Done {
    let words = command_words(args);
    let instead = if words == "login" || words == "logout" {
        "the scenario says who is logged in, and when (do.az-login, do.az-logout)"
    } else {
        "simulated are account get-access-token, account show, version and --version"
    };
    Done::not_simulated(Program::Az, asked_for(args), instead, MISUSE)
}

/// A call of it without its secrets.
pub(super) fn shown(backend: &Backend, call: &Call<'_>) -> Shown {
    Shown::of_options(backend, call)
}

/// What a token is for when nothing is said.
const RESOURCE_MANAGER: &str = "https://management.core.windows.net/";

/// How `az` ends when it is used wrongly.
const MISUSE: i32 = 2;

/// Options that the real `az` knows everywhere or of these commands, and this one does not.
const KNOWN_TO_THE_REAL_ONE: &[&str] = &[
    "--debug",
    "--help",
    "-h",
    "--query",
    "--resource-type",
    "--sdk-auth",
];

const KNOWN: &[Known] = &[
    Known {
        spellings: &["--output", "-o"],
        takes: Takes::One,
    },
    Known {
        spellings: &["--resource"],
        takes: Takes::One,
    },
    Known {
        spellings: &["--scope"],
        takes: Takes::Many,
    },
    Known {
        spellings: &["--tenant", "-t"],
        takes: Takes::One,
    },
    Known {
        spellings: &["--subscription", "-s", "--name", "-n"],
        takes: Takes::One,
    },
    Known {
        spellings: &["--only-show-errors"],
        takes: Takes::Nothing,
    },
    Known {
        spellings: &["--verbose"],
        takes: Takes::Nothing,
    },
];

/// What it prints, its fields sorted as `az` sorts them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Printed<'a> {
    access_token: &'a str,
    expires_on: String,
    #[serde(rename = "expires_on", skip_serializing_if = "Option::is_none")]
    expires_on_seconds: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subscription: Option<&'a str>,
    tenant: &'a str,
    token_type: &'static str,
}

fn usage(text: &str) -> Done {
    Done::failed(
        MISUSE,
        format!("ERROR: {text}\n"),
        format!("wrong use: {text}"),
    )
}

/// The token, or what `az` says and why.
fn token(
    az: &Az,
    state: &mut State,
    now: Timestamp,
    call: &Call<'_>,
    options: &Options,
) -> Result<Done, (String, String)> {
    let account = logged_in(az)?;
    let (tenant, subscription) = (options.get("--tenant"), options.get("--subscription"));
    if tenant.is_some() && subscription.is_some() {
        let text = "Please specify only one of subscription and tenant, not both";
        return Err((text.into(), text.into()));
    }
    if let Some(asked) = subscription {
        known_subscription(az, asked)?;
    }
    let resource = resource(options);
    if let Some(asked) = tenant.filter(|asked| !asked.eq_ignore_ascii_case(state.issuer.tenant())) {
        return Err(unknown_tenant(asked, &resource));
    }
    let person = object_id(state, account);
    let State { issuer, .. } = state;
    let who = Who::Person {
        name: account,
        object_id: &person,
    };
    let issued = issuer.issue(who, &resource, now, az.token_life.0);
    let ends = Timestamp::from_second(issued.expires_on).unwrap_or(Timestamp::MAX);
    let local = ends.to_zoned(call.zone.clone());
    let printed = Printed {
        access_token: &issued.token,
        expires_on: local.strftime("%Y-%m-%d %H:%M:%S.000000").to_string(),
        expires_on_seconds: az.prints_expires_on.then_some(issued.expires_on),
        subscription: tenant.is_none().then_some(&az.subscription),
        tenant: issuer.tenant(),
        token_type: "Bearer",
    };
    let warning = az.warning.as_ref().filter(|_| !only_errors(call, options));
    Ok(Done {
        exit: CommandExit {
            code: 0,
            // Texts and numbers: writing them cannot fail.
            stdout: serde_json::to_string_pretty(&printed).unwrap_or_default() + "\n",
            stderr: warning
                .map(|warning| format!("{warning}\n"))
                .unwrap_or_default(),
        },
        why: Why {
            token: Some(issued.fingerprint),
            principal: Some(issued.principal),
            ..Why::plain(format!("a token of {account} for {resource}"))
        },
    })
}

/// The account that is logged in, or what `az` says without one.
fn logged_in(az: &Az) -> Result<&str, (String, String)> {
    az.account.as_deref().ok_or_else(|| {
        let text = "Please run 'az login' to setup account.";
        (text.to_owned(), "nobody is logged in".to_owned())
    })
}

/// Fails with what `az` says of a subscription that its account does not have.
fn known_subscription(az: &Az, asked: &str) -> Result<(), (String, String)> {
    if asked.eq_ignore_ascii_case(&az.subscription) {
        return Ok(());
    }
    let text =
        format!("Subscription '{asked}' not found. Check the spelling and casing and try again.");
    Err((text, format!("there is no subscription {asked}")))
}

fn resource(options: &Options) -> String {
    let scope = || {
        options
            .first("--scope")
            .map(|scope| scope.strip_suffix("/.default").unwrap_or(scope))
    };
    options
        .get("--resource")
        .or_else(scope)
        .unwrap_or(RESOURCE_MANAGER)
        .to_owned()
}

/// What `az` passes on from Entra, with its advice.
fn unknown_tenant(tenant: &str, resource: &str) -> (String, String) {
    let text = format!(
        "AADSTS90002: Tenant '{tenant}' not found. Check that it is the right tenant id.\n\
         Run the command below to authenticate interactively; \
         additional arguments may be added as needed:\n\
         az logout\n\
         az login --tenant \"{tenant}\" --scope \"{resource}/.default\""
    );
    (text, format!("there is no tenant {tenant}"))
}

/// Whether warnings are switched off.
fn only_errors(call: &Call<'_>, options: &Options) -> bool {
    let setting = call.env.iter().find(|(name, _)| name == ONLY_SHOW_ERRORS);
    let is_set = setting.is_some_and(|(_, value)| {
        matches!(
            value.to_ascii_lowercase().as_str(),
            "1" | "true" | "yes" | "on"
        )
    });
    is_set || options.has("--only-show-errors")
}
