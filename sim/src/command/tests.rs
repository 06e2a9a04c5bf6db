//! `az` and `azd`, call by call.

use std::{
    future::Future,
    io,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use jiff::tz::TimeZone;
use serde_json::Value;

use super::{CommandExit, CommandMissing};
use crate::backend::Stage;
use crate::backend::testing::{act, claims, seconds, stage, whys};
use crate::{
    engine::{BoxFuture, Host, Listener, Network, Runtime, Stream, Work},
    trace::{Kind, Recorder},
};

const WORLD: &str = r#"
    accounts = { "alice@contoso.example" = { object-id = "a11ce" } }
    az = { account = "alice@contoso.example" }
    azd = { account = "alice@contoso.example" }
"#;
const AZ: &str = "account get-access-token --output json --resource https://vault.azure.net";
const AZD: &str = "auth token --output json --no-prompt --scope https://vault.azure.net/.default";

/// A host whose sleeps are over at once and whose clock stands at half a second.
struct Quick;

impl Runtime for Quick {
    fn elapsed(&self) -> Duration {
        Duration::from_millis(500)
    }
    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(std::future::ready(()))
    }
    fn spawn(&self, _: BoxFuture<'static, ()>) -> Work {
        unreachable!("commands spawn nothing")
    }
}

impl Network for Quick {
    fn connect(&self, _: &str, _: u16) -> BoxFuture<'static, io::Result<Stream>> {
        Box::pin(std::future::ready(Err(io::ErrorKind::NotFound.into())))
    }
    fn bind(&self, _: u16) -> BoxFuture<'static, io::Result<Box<dyn Listener>>> {
        Box::pin(std::future::ready(Err(io::ErrorKind::AddrInUse.into())))
    }
}

type Outcome = Result<CommandExit, CommandMissing>;

/// Runs a command until it waits for good; none if it does.
fn try_run(stage: &Stage, program: &str, args: &str, env: &[(String, String)]) -> Option<Outcome> {
    let args: Vec<String> = args.split(' ').map(str::to_owned).collect();
    start(stage, program, &args, env)
}

pub(crate) fn start(
    stage: &Stage,
    program: &str,
    args: &[String],
    env: &[(String, String)],
) -> Option<Outcome> {
    let host = Host {
        name: "host".into(),
        network: Arc::new(Quick),
        runtime: Arc::new(Quick),
    };
    let zone = TimeZone::get("Europe/Berlin").expect("a known zone");
    let run = pin!(stage.run_command(&host, 1, program, args, env, zone));
    match run.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => Some(outcome),
        Poll::Pending => None,
    }
}

fn run(stage: &Stage, program: &str, args: &str) -> CommandExit {
    try_run(stage, program, args, &[])
        .expect("it ends")
        .expect("it is installed")
}

fn world(more: &str) -> (Stage, Recorder) {
    stage(&format!("{WORLD}{more}"))
}

fn json(exit: &CommandExit) -> Value {
    assert_eq!(exit.code, 0, "{}", exit.stderr);
    serde_json::from_str(&exit.stdout).expect("JSON on standard output")
}

#[test]
fn az_prints_what_the_real_one_prints() {
    let (stage, recorder) = world("");
    let exit = run(&stage, "az", AZ);
    let body = json(&exit);
    let claims = claims(&body["accessToken"]);
    assert_eq!(
        exit.stdout
            .replace(body["accessToken"].as_str().unwrap(), "T"),
        "{\n  \"accessToken\": \"T\",\n  \"expiresOn\": \"2026-01-01 02:00:00.000000\",\n  \
         \"expires_on\": 1767229200,\n  \
         \"subscription\": \"0b1f6471-0000-0000-0000-00000000cafe\",\n  \
         \"tenant\": \"72f988bf-0000-0000-0000-00000000cafe\",\n  \"tokenType\": \"Bearer\"\n}\n"
    );
    assert_eq!(claims["aud"], "https://vault.azure.net");
    assert_eq!(claims["oid"], "a11ce");
    assert_eq!(exit.stderr, "");
    let events = recorder.finish().events;
    let Kind::CommandStarted {
        instance,
        command,
        program,
        args,
        ..
    } = &events[0].kind
    else {
        panic!("{events:?}")
    };
    assert_eq!(
        (*instance, *command, program.as_str(), args.as_str()),
        (1, 1, "az", AZ)
    );
    let Kind::CommandEnded {
        code,
        principal,
        token,
        ..
    } = &events[1].kind
    else {
        panic!("{events:?}")
    };
    assert_eq!(
        (*code, principal.as_deref(), token.is_some()),
        (Some(0), Some("a11ce"), true)
    );
    assert!(!events[1].json().contains("eyJ"));
}

#[test]
fn az_takes_its_options_in_any_order() {
    let (stage, _) = world("");
    for options in [
        "-o json --scope https://vault.azure.net/.default",
        "--scope=https://vault.azure.net/.default --output=json",
        "--scope https://vault.azure.net/.default https://a/.default --only-show-errors",
        "--tenant 72f988bf-0000-0000-0000-00000000cafe --resource https://vault.azure.net",
    ] {
        let body = json(&run(
            &stage,
            "az",
            &format!("account get-access-token {options}"),
        ));
        assert_eq!(
            claims(&body["accessToken"])["aud"],
            "https://vault.azure.net"
        );
        assert_eq!(
            body.get("subscription").is_none(),
            options.contains("--tenant")
        );
    }
    let body = json(&run(&stage, "az", "account get-access-token"));
    assert_eq!(
        claims(&body["accessToken"])["aud"],
        "https://management.core.windows.net/"
    );
}

#[test]
fn az_says_what_is_wrong() {
    let (stage, _) = world("");
    let tenant = "72f988bf-0000-0000-0000-00000000cafe";
    let both = format!(" --tenant {tenant} --subscription s");
    for (more, code, stderr) in [
        (
            " --subscription nope",
            1,
            "ERROR: Subscription 'nope' not found. Check the spelling and casing and try again.\n",
        ),
        (
            &both,
            1,
            "ERROR: Please specify only one of subscription and tenant, not both\n",
        ),
        (
            " --tenant else",
            1,
            "ERROR: AADSTS90002: Tenant 'else' not found. Check that it is the right tenant id.\n\
             Run the command below to authenticate interactively; \
             additional arguments may be added as needed:\naz logout\n\
             az login --tenant \"else\" --scope \"https://vault.azure.net/.default\"\n",
        ),
        (
            " --frobnicate",
            2,
            "ERROR: unrecognized arguments: --frobnicate\n",
        ),
        (
            " --tenant",
            2,
            "ERROR: argument --tenant: expected one argument\n",
        ),
    ] {
        let exit = run(&stage, "az", &format!("{AZ}{more}"));
        assert_eq!(
            (exit.code, &*exit.stderr, &*exit.stdout),
            (code, stderr, "")
        );
    }
    assert_eq!(run(&stage, "az", "vm list").code, 2);
    act(&stage, "az-logout = {}", seconds(1));
    let exit = run(&stage, "az", AZ);
    assert_eq!(
        (exit.code, &*exit.stderr),
        (1, "ERROR: Please run 'az login' to setup account.\n")
    );
}

#[test]
fn an_older_az_and_one_that_warns() {
    let old = WORLD.replace(
        "az = { ",
        "az = { prints-expires-on = false, warning = \"WARNING: old\", ",
    );
    let (stage, _) = stage(&old);
    let exit = run(&stage, "az", AZ);
    assert!(json(&exit).get("expires_on").is_none());
    assert_eq!(exit.stderr, "WARNING: old\n");
    let quiet = [("AZURE_CORE_ONLY_SHOW_ERRORS".to_owned(), "true".to_owned())];
    let exit = try_run(&stage, "az", AZ, &quiet).unwrap().unwrap();
    assert_eq!((exit.code, &*exit.stderr), (0, ""));
}

#[test]
fn what_is_not_installed_is_missing() {
    let (stage, recorder) = world("");
    act(&stage, "az-uninstall = {}", seconds(0));
    assert_eq!(try_run(&stage, "az", AZ, &[]), Some(Err(CommandMissing)));
    assert_eq!(
        try_run(&stage, "pwsh", "-v", &[]),
        Some(Err(CommandMissing))
    );
    act(&stage, "az-install = {}", seconds(0));
    assert_eq!(run(&stage, "az", AZ).code, 0);
    assert_eq!(whys(&recorder)[..2], ["not installed", "not installed"]);
    let (bare, _) = crate::backend::testing::stage("");
    assert_eq!(try_run(&bare, "azd", AZD, &[]), Some(Err(CommandMissing)));
    act(&bare, "azd-login = { account = \"bob\" }", seconds(0));
    assert_eq!(run(&bare, "azd", AZD).code, 0);
}

#[test]
fn azd_prints_utc() {
    let (stage, _) = world("");
    let exit = run(&stage, "azd", AZD);
    let body = json(&exit);
    assert_eq!(claims(&body["token"])["upn"], "alice@contoso.example");
    assert_eq!(
        exit.stdout.replace(body["token"].as_str().unwrap(), "T"),
        "{\"token\":\"T\",\"expiresOn\":\"2026-01-01T01:00:00Z\"}\n"
    );
}

#[test]
fn azd_says_what_is_wrong() {
    let (stage, _) = world("");
    assert_eq!(
        run(&stage, "azd", &format!("{AZD} --nope")).stderr,
        "ERROR: unknown flag: --nope\n"
    );
    let exit = run(&stage, "azd", &format!("{AZD} --tenant-id else"));
    assert!(
        exit.stderr.starts_with("{\"error\":\"AADSTS90002: "),
        "{}",
        exit.stderr
    );
    act(&stage, "azd-logout = {}", seconds(1));
    let exit = run(&stage, "azd", AZD);
    assert_eq!(exit.code, 1);
    let said: Value = serde_json::from_str(&exit.stderr).unwrap();
    assert_eq!(
        said["error"],
        "not logged in, run `azd auth login` to login"
    );
    assert!(said["message"].is_string() && said["suggestion"].is_string());
}

#[test]
fn faults_strike_commands_too() {
    let (stage, recorder) = world("");
    let exit = "fault = { name = \"mfa\", on.az = {}, first = 1, \
                then.exit = { code = 1, stderr = \"ERROR: AADSTS50076: x\" } }";
    act(&stage, exit, seconds(0));
    let failed = run(&stage, "az", AZ);
    assert_eq!((failed.code, &*failed.stderr), (1, "ERROR: AADSTS50076: x"));
    assert!(stage.healthy());
    act(
        &stage,
        "fault = { name = \"stuck\", on.az = {}, then.hang = {} }",
        seconds(0),
    );
    assert_eq!(run(&stage, "azd", AZD).code, 0);
    assert_eq!(try_run(&stage, "az", AZ, &[]), None);
    let events = recorder.finish().events;
    let Some(Kind::CommandEnded {
        code: None,
        why,
        fault: Some(fault),
        ..
    }) = events.last().map(|event| event.kind.clone())
    else {
        panic!("{events:?}")
    };
    assert_eq!((&*why, &*fault), ("killed", "stuck"));
}
