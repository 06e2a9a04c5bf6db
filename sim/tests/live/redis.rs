//! `node-redis/NAME`: the published client with its own Entra provider, in an app without any part
//! of credsim, fails exactly the checks that the scenario's known failures list.

use std::{
    fs,
    path::{Path, PathBuf},
};

use credsim::story::{KnownFailure, library};
use libtest_mimic::{Failed, Trial};
use serde_json::Value;

use super::process::{CREDSIM, command, finish};

const MISSING: &str = "the client is not installed: run sim/drivers/install first";

/// The name of the client in scenarios, which is followed by its installed version.
const CLIENT: &str = "node-redis";

/// The scenarios, each with the arguments of the app, and a line that the app prints.
const SCENARIOS: [(&str, &str, &str); 5] = [
    // A transaction in single commands takes so long that the renewal falls into it.
    (
        "live-renewed-in-a-transaction",
        "5 3",
        r#"by hand: ["OK","OK","OK"]"#,
    ),
    (
        "live-a-reset-at-the-renewal",
        "1 11 --not-by-hand",
        "re-authentication: Unable to obtain new credentials",
    ),
    (
        "live-closed-three-times",
        "1 14 --not-by-hand",
        "round 14: 14",
    ),
    (
        "live-subscriber-resp2",
        "1 8 --not-by-hand --resp 2",
        "subscriber: Socket closed unexpectedly",
    ),
    (
        "live-subscriber-resp3",
        "1 8 --not-by-hand",
        "heard: round 8",
    ),
];

/// Skipped by name where the client is not installed; with `CREDSIM_REQUIRE` set, they fail
/// instead.
pub fn trials() -> Vec<Trial> {
    let is_here = ["client", "entraid"]
        .iter()
        .all(|package| folder().join("node_modules/@redis").join(package).is_dir());
    let is_required = std::env::var_os("CREDSIM_REQUIRE").is_some();
    if !is_here && !is_required {
        eprintln!("node-redis/... is left out: {MISSING}");
    }
    let mut trials = vec![Trial::test("node-redis/every-scenario-is-listed", complete)];
    for (name, args, prints) in SCENARIOS {
        let test = move || {
            if is_here {
                plays(name, args, prints)
            } else {
                Err(MISSING.into())
            }
        };
        let left_out = !is_here && !is_required;
        let kind = if left_out { MISSING } else { "" };
        let trial = Trial::test(format!("node-redis/{name}"), test);
        trials.push(trial.with_ignored_flag(left_out).with_kind(kind));
    }
    trials
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("drivers/javascript")
}

/// The version that is installed.
fn version() -> Result<String, Failed> {
    let manifest = folder().join("node_modules/@redis/client/package.json");
    let manifest: Value = serde_json::from_str(&fs::read_to_string(manifest)?)?;
    let version = manifest["version"].as_str();
    Ok(version.ok_or("the client has no version")?.to_owned())
}

/// Every bundled scenario `redis/live-*` must be listed above.
fn complete() -> Result<(), Failed> {
    let bundled: Vec<String> = library::bundled()
        .into_iter()
        .map(|source| source.name)
        .filter(|name| name.starts_with("redis/live-"))
        .collect();
    let mut here: Vec<String> = SCENARIOS
        .iter()
        .map(|(name, ..)| format!("redis/{name}"))
        .collect();
    here.sort();
    if bundled == here {
        return Ok(());
    }
    Err(format!("bundled are {bundled:?}, and played are {here:?}").into())
}

fn plays(name: &str, args: &str, prints: &str) -> Result<(), Failed> {
    let subject = format!("{CLIENT} {}", version()?);
    let name = format!("redis/{name}");
    let ended = finish(
        command(CREDSIM)
            .args(["serve", &name, "--as", &subject, "--until-exit", "--"])
            .arg("node")
            .arg(folder().join("redis-app.mjs"))
            .args(args.split(' ')),
    );
    let wrong = |what: &str| Err(format!("{what}:\n{}\n{}", ended.out, ended.err).into());
    // Exactly the listed checks have failed.
    if ended.code() != Some(0) {
        return wrong("it does not pass");
    }
    if let Some(finding) = known(&name, &subject)?
        .iter()
        .find(|finding| !ended.err.contains(*finding))
    {
        return wrong(&format!("{finding} is not reported"));
    }
    for line in ["client: connected", "subscriber: connected", prints] {
        if !ended.out.contains(line) {
            return wrong(&format!("the app never prints {line:?}"));
        }
    }
    // The journal has it, too: two connections, and a second request for a token.
    for line in ["connection 2 signs in", "imds     request 2 (token)"] {
        if !ended.err.contains(line) {
            return wrong(&format!("the journal has no {line:?}"));
        }
    }
    Ok(())
}

/// Returns how the report names the scenario's known failures of the subject.
fn known(name: &str, subject: &str) -> Result<Vec<String>, Failed> {
    let mut found = library::find(name).map_err(|error| error.to_string())?;
    let source = found.pop().ok_or("there is no such scenario")?;
    let loaded = source.parse().map_err(|invalid| invalid.render(false))?;
    let finding = |entry: &KnownFailure| {
        format!(
            "{} breaks {} ({}): ",
            entry.subject, entry.breaks, entry.fact
        )
    };
    let entries = &loaded.scenario.known_failure;
    let of_it = entries.iter().filter(|entry| entry.subject == subject);
    Ok(of_it.map(finding).collect())
}
