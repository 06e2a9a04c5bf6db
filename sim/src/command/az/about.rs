//! `az account show`, `az version` and `az --version`: what programs ask to learn whether there is
//! an `az` and who is logged in (CLI-33, CLI-34).

use serde_json::json;

use super::{Az, Done, known_subscription, logged_in};
use crate::{
    backend::{handle::State, journal::Why},
    command::{
        CommandExit,
        options::{Known, Options, Takes},
    },
};

/// The options of every command.
pub const COMMON_OPTIONS: &[Known] = &[OUTPUT, ONLY_SHOW_ERRORS, VERBOSE];

/// The options of `account show`.
pub const OPTIONS: &[Known] = &[
    OUTPUT,
    ONLY_SHOW_ERRORS,
    VERBOSE,
    Known {
        spellings: &["--subscription", "-s", "--name", "-n"],
        takes: Takes::One,
    },
];

const OUTPUT: Known = Known {
    spellings: &["--output", "-o"],
    takes: Takes::One,
};
const ONLY_SHOW_ERRORS: Known = Known {
    spellings: &["--only-show-errors"],
    takes: Takes::Nothing,
};
const VERBOSE: Known = Known {
    spellings: &["--verbose"],
    takes: Takes::Nothing,
};

/// How the subscription is called. A scenario gives only its id.
const SUBSCRIPTION_NAME: &str = "Simulated subscription";

/// The version of its component for telemetry.
const TELEMETRY: &str = "1.1.0";

/// The versions around the one that a scenario can choose: from 2.54.0 on `az` prints `expires_on`.
fn own_version(az: &Az) -> &'static str {
    if az.prints_expires_on {
        "2.54.0"
    } else {
        "2.53.1"
    }
}

fn printed(stdout: String, why: &str) -> Done {
    Done {
        exit: CommandExit {
            code: 0,
            stdout,
            stderr: String::new(),
        },
        why: Why::plain(why),
    }
}

/// `account show`: the subscription and who is logged in, or what `az` says and why.
pub fn account(az: &Az, state: &State, options: &Options) -> Result<Done, (String, String)> {
    let account = logged_in(az)?;
    if let Some(asked) = options.get("--subscription") {
        known_subscription(az, asked)?;
    }
    let tenant = state.issuer.tenant();
    // The keys in alphabetical order, as `az` prints them.
    let shown = json!({
        "environmentName": "AzureCloud",
        "homeTenantId": tenant,
        "id": az.subscription,
        "isDefault": true,
        "managedByTenants": [],
        "name": SUBSCRIPTION_NAME,
        "state": "Enabled",
        "tenantId": tenant,
        "user": { "name": account, "type": "user" },
    });
    // Texts only: writing them cannot fail.
    let text = serde_json::to_string_pretty(&shown).unwrap_or_default();
    Ok(printed(
        text + "\n",
        &format!("{account} is logged in to {tenant}"),
    ))
}

/// `version`.
pub fn version(az: &Az) -> Done {
    let version = own_version(az);
    let shown = json!({
        "azure-cli": version,
        "azure-cli-core": version,
        "azure-cli-telemetry": TELEMETRY,
        "extensions": {},
    });
    let text = serde_json::to_string_pretty(&shown).unwrap_or_default();
    printed(text + "\n", "tells its version")
}

/// `--version`, without what the real one says of its place on this machine.
pub fn version_text(az: &Az) -> Done {
    let version = own_version(az);
    let lines = [
        format!("{:<25}{version:>15}", "azure-cli"),
        String::new(),
        format!("{:<25}{version:>15}", "core"),
        format!("{:<25}{TELEMETRY:>15}", "telemetry"),
        String::new(),
        "Legal docs and information: aka.ms/AzureCliLegal".to_owned(),
        String::new(),
    ];
    printed(lines.join("\n") + "\n", "tells its version")
}
