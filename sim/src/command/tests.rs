//! What all commands have in common: they may be missing, faults strike them, and no secret among
//! their arguments is shown to the trace or to a capture.

use super::{
    CommandMissing, Program,
    testing::{AZ, AZD, hides, recorded, run, try_run, world},
};
use crate::{
    backend::testing::{act, seconds, whys},
    trace::Kind,
};

#[test]
fn programs_are_known_by_their_names() {
    for program in Program::ALL {
        assert_eq!(Program::parse(program.name()), Some(*program));
    }
    assert_eq!(Program::parse("azure"), None);
}

#[test]
fn what_is_not_installed_is_missing() {
    let (backend, recorder) = world("");
    act(&backend, "az-uninstall = {}", seconds(0));
    assert_eq!(try_run(&backend, "az", AZ, &[]), Some(Err(CommandMissing)));
    assert_eq!(
        try_run(&backend, "pwsh", "-v", &[]),
        Some(Err(CommandMissing))
    );
    act(&backend, "az-install = {}", seconds(0));
    assert_eq!(run(&backend, "az", AZ).code, 0);
    assert_eq!(whys(&recorder)[..2], ["not installed", "not installed"]);
    let (bare, _) = crate::backend::testing::backend("");
    assert_eq!(try_run(&bare, "azd", AZD, &[]), Some(Err(CommandMissing)));
    act(&bare, "azd-login = { account = \"bob\" }", seconds(0));
    assert_eq!(run(&bare, "azd", AZD).code, 0);
}

#[test]
fn faults_strike_commands_too() {
    let (backend, recorder) = world("");
    let exit = "fault = { name = \"mfa\", on.az = {}, first = 1, \
                then.exit = { code = 1, stderr = \"ERROR: AADSTS50076: x\" } }";
    act(&backend, exit, seconds(0));
    let failed = run(&backend, "az", AZ);
    assert_eq!((failed.code, &*failed.stderr), (1, "ERROR: AADSTS50076: x"));
    assert!(backend.healthy());
    act(
        &backend,
        "fault = { name = \"stuck\", on.az = {}, then.hang = {} }",
        seconds(0),
    );
    assert_eq!(run(&backend, "azd", AZD).code, 0);
    assert_eq!(try_run(&backend, "az", AZ, &[]), None);
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

#[test]
fn passwords_of_a_command_line_are_told_nowhere() {
    let log_in = ["login", "--service-principal", "-u", "u", "-p", "hunter2"];
    let warned = hides(
        "az",
        &log_in,
        "hunter2",
        "login --service-principal -u u -p ***",
    );
    assert_eq!(warned, ["az: a password that is none of this world"]);
    let warned = hides(
        "az",
        &["login", "--password=of-the-scenario"],
        "of-the-scenario",
        "login --password=***",
    );
    assert!(warned.is_empty(), "{warned:?}");
}

/// The command says what it does not know, and why it ends is in the trace, too.
#[test]
fn nor_are_they_in_what_a_command_says_of_its_end() {
    for option in ["--password=hunter2", "-phunter2", "--client-secret=hunter2"] {
        let args = ["account", "get-access-token", option];
        let shown = recorded("az", &args);
        assert!(!shown.trace.contains("hunter2"), "{}", shown.trace);
        assert!(shown.trace.contains("unrecognized arguments"));
    }
    hides(
        "azd",
        &["auth", "login", "--client-secret", "hunter2"],
        "hunter2",
        "auth login --client-secret ***",
    );
}

#[test]
fn secrets_are_known_without_an_option_of_their_name() {
    // Made up.
    let real = format!("abc8Q~{}", "x".repeat(34));
    let warned = hides("az", &["account", &real], &real, "account ***");
    assert_eq!(warned, ["az: what looks like a real client secret"]);
    let warned = hides("az", &["x-of-the-world"], "of-the-world", "***");
    assert!(warned.is_empty(), "{warned:?}");
}

#[test]
fn what_holds_no_secret_is_told_as_it_is() {
    let claims = "eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZX19fQ==";
    let args = ["auth", "token", "--claims", claims, "--scope", "s/.default"];
    let shown = recorded("azd", &args);
    assert_eq!(shown.args, args);
    assert!(shown.warned.is_empty() && shown.trace.contains(claims));
}
