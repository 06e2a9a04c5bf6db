//! `javascript/NAME`: the published SDK fails exactly the checks that the scenario's known failures
//! list.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use credsim::{
    engine::Engine,
    live::Environment,
    simulation::{Callers, skip_reason},
    story::Loaded,
    subject::{Driver, Subject as _},
};
use libtest_mimic::{Failed, Trial};
use serde_json::Value;

use super::{
    bundled,
    identity::passed,
    process::{CREDSIM, Ended, command, finish},
};

const MISSING: &str = "the SDK is not installed: run sim/drivers/install first";

/// They are left out, by name, where the SDK is not installed; with `CREDSIM_REQUIRE` they fail.
pub fn trials() -> Vec<Trial> {
    let driver = folder()
        .join("node_modules/@azure/identity")
        .is_dir()
        .then(probed);
    let required = std::env::var_os("CREDSIM_REQUIRE").is_some();
    if driver.is_none() && !required {
        eprintln!("javascript/... is left out: {MISSING}");
    }
    let trial = |name: String, left_out: Option<String>, test: Test| {
        let test = match &driver {
            Some(Ok(_)) => test,
            Some(Err(why)) => failing(why),
            None => failing(MISSING),
        };
        let not_here = (driver.is_none() && !required).then(|| MISSING.to_owned());
        let left_out = not_here.or(left_out);
        Trial::test(name, test)
            .with_ignored_flag(left_out.is_some())
            .with_kind(left_out.unwrap_or_default())
    };
    let version = driver
        .as_ref()
        .and_then(|driver| driver.as_ref().ok())
        .map(|driver| driver.name().to_owned());
    let mut trials = vec![trial(
        "javascript/the-pinned-version".to_owned(),
        None,
        Box::new(move || pinned(version.as_deref())),
    )];
    trials.push(trial(
        "javascript/the-log-of-requests".to_owned(),
        None,
        Box::new(log_of_requests),
    ));
    for loaded in bundled::scenarios() {
        let scenario = &loaded.scenario;
        let left_out = skip_reason(scenario, Engine::Live, Callers::Driver).or_else(|| {
            let driver = driver.as_ref()?.as_ref().ok()?;
            driver.supports(scenario).err()
        });
        let name = format!("javascript/{}", loaded.name);
        trials.push(trial(
            name,
            left_out,
            Box::new(move || with_the_sdk(&loaded)),
        ));
    }
    trials
}

type Test = Box<dyn FnOnce() -> Result<(), Failed> + Send>;

fn failing(why: &str) -> Test {
    let why = why.to_owned();
    Box::new(move || Err(why.into()))
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("drivers/javascript")
}

fn command_line() -> String {
    format!("node '{}'", folder().join("driver.mjs").display())
}

/// The driver after its `hello`: the SDK and its credentials are known.
fn probed() -> Result<Driver, String> {
    Driver::parse(&command_line())?.probe(&Environment::clean())
}

fn pinned(found: Option<&str>) -> Result<(), Failed> {
    let manifest = fs::read_to_string(folder().join("package.json"))?;
    let manifest: Value = serde_json::from_str(&manifest)?;
    let version = manifest["dependencies"]["@azure/identity"].as_str();
    let pinned = version.map(|version| format!("azure-identity-js {version}"));
    if found == pinned.as_deref() {
        return Ok(());
    }
    Err(format!("the driver says {found:?}, and {pinned:?} is pinned").into())
}

/// What an app logs is switched on by the variable of its SDK, from outside.
fn log_of_requests() -> Result<(), Failed> {
    let app = "import { ManagedIdentityCredential } from '@azure/identity'; \
               await new ManagedIdentityCredential().getToken('https://vault.azure.net/.default');";
    let ended = finish(
        command(CREDSIM)
            .current_dir(folder())
            .env("AZURE_LOG_LEVEL", "info")
            .args([
                "serve",
                "live/token-of-the-system-identity",
                "--until-exit",
                "--",
            ])
            .args(["node", "--input-type=module", "--eval", app]),
    );
    let says = |part: &str| ended.err.contains(part);
    if says("azure:") && says("/metadata/identity/oauth2/token") && says("imds     request 1") {
        return Ok(());
    }
    Err(format!("no log of a request:\n{}\n{}", ended.out, ended.err).into())
}

fn with_the_sdk(loaded: &Arc<Loaded>) -> Result<(), Failed> {
    let driver = command_line();
    let ended = finish(
        command(CREDSIM)
            .args(["run", "--engine", "live", "--driver", &driver])
            .args([&loaded.name, "--format", "json"]),
    );
    passed(&ended).or_else(|why| not_shown(&ended).ok_or(why))
}

/// Whether nothing was judged because packets vanish, which a proxy cannot show.
fn not_shown(ended: &Ended) -> Option<()> {
    (ended.code() == Some(4) && ended.out.contains("vanished, which a proxy cannot show"))
        .then_some(())
}
