//! Every kind of mistake in a scenario file, with the diagnostic that a person approved for it:
//! `fixtures/invalid/*.toml`, each with its `.snap`. `cargo insta review` shows what changed;
//! `INSTA_UPDATE=always cargo test --test diagnostics` accepts it.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use credsim::{
    scenario::Invalid,
    story::{library, parse},
};
use serde_json::json;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/invalid")
}

/// The names of the files with a suffix, sorted.
fn names(suffix: &str) -> BTreeSet<String> {
    let files = fs::read_dir(folder())
        .unwrap()
        .map(|file| file.unwrap().file_name());
    let names = files.map(|name| name.into_string().unwrap());
    names
        .filter_map(|name| Some(name.strip_suffix(suffix)?.to_owned()))
        .collect()
}

fn invalid(name: &str) -> Invalid {
    let sources = library::find(folder().join(name).with_extension("toml").to_str().unwrap());
    let [source] = sources.unwrap().try_into().unwrap();
    match source.parse_asserting() {
        Ok(_) => panic!("{name} is valid"),
        // Approved texts do not depend on the path of the repository.
        Err(invalid) => invalid.at_path(&format!("fixtures/invalid/{name}.toml")),
    }
}

#[test]
fn every_mistake_has_its_approved_diagnostic() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(folder());
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for name in names(".toml") {
            insta::assert_snapshot!(name.as_str(), invalid(&name));
        }
    });
}

#[test]
fn no_diagnostic_is_left_of_a_file_that_is_gone() {
    let (files, approved) = (names(".toml"), names(".snap"));
    assert_eq!(
        approved.difference(&files).collect::<Vec<_>>(),
        Vec::<&String>::new()
    );
}

#[test]
fn every_diagnostic_has_a_place_a_message_and_what_was_expected_or_to_do() {
    for name in names(".toml") {
        let invalid = invalid(&name);
        assert!(!invalid.diagnostics().is_empty(), "{name}");
        for diagnostic in invalid.diagnostics() {
            let first = diagnostic.message.chars().next();
            assert!(
                first.is_some_and(
                    |first| !first.is_uppercase() || diagnostic.message.starts_with("IMDS")
                ),
                "{name}: {}",
                diagnostic.message
            );
            assert!(
                !diagnostic.message.ends_with('.'),
                "{name}: {}",
                diagnostic.message
            );
            assert!(!diagnostic.label.is_empty(), "{name}: no label");
            assert!(
                diagnostic.expected.is_some() || diagnostic.help.is_some(),
                "{name}: no way out"
            );
        }
        let text = invalid.to_string();
        for raw in [
            "unknown field",
            "unknown variant",
            "missing field",
            "invalid type",
            "invalid value",
            "expected one of",
            "wanted exactly",
        ] {
            assert!(!text.contains(raw), "{name} speaks to programmers: {raw}");
        }
    }
}

#[test]
fn a_diagnostic_is_also_a_line_for_github() {
    let text = "title = \"t\"\nstory = \"s\"\n\n[wrld]\n";
    let invalid = parse("x", "a,b:100%.toml", text).unwrap_err();
    insta::assert_snapshot!(invalid.github(), @r"
    ::error file=a%2Cb%3A100%25.toml,line=1,col=1,title=`subject` is missing::this file has no `subject`%0Aexpected: `subject`: the credential under test%0Ahelp: add a table `[subject]` with `credential`
    ::error file=a%2Cb%3A100%25.toml,line=4,col=2,title=unknown key `wrld`::no such key here%0Aexpected: `at`, `call`, `expect`, `facts`, `known-failure`, `not-on`, `promises`, `seeds`, `sources`, `story`, `subject`, `title` or `world`%0Ahelp: did you mean `world`?
    ");
}

#[test]
fn a_diagnostic_is_also_json() {
    let text = "story = \"für\"\ntitle = \"Prüfer\"\nlore = { facts = [] }\n";
    let invalid = parse("x", "x.toml", text).unwrap_err();
    let json = serde_json::to_value(invalid.diagnostics()).unwrap();
    let lore = json
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["line"] == 3)
        .unwrap();
    assert_eq!(lore["message"], "unknown key `lore`");
    assert_eq!(
        (&lore["column"], &lore["span"]),
        (&1.into(), &json!({ "start": 33, "end": 37 }))
    );
    assert_eq!(lore["label"], "no such key here");
    assert!(lore["expected"].as_str().unwrap().contains("`story`"));
}

#[test]
fn a_diagnostic_has_colour_on_request() {
    let invalid = parse("x", "x.toml", "title = 5").unwrap_err();
    assert!(invalid.render(true).contains("\u{1b}["));
    assert!(!invalid.render(false).contains('\u{1b}'));
}

/// A valid file with most of what the format allows.
const FINE: &str = r#"
title = "A managed identity is removed, and a chain goes on as a human"
story = "Someone ran `az login` on the VM months ago. Today IMDS stops knowing the identity."
sources = ["dotnet/docs#44284"]
facts = ["CH-20", "CH-24", "MI-60"]
promises = ["PR-02", "PR-04"]

[world]
start = "2026-01-01T00:00:00Z"
lasts = "10d"
host = { time-zone = "Europe/Berlin", clock-skew = "-7m" }
environment.AZURE_TOKEN_CREDENTIALS = "dev"
[world.imds]
token-life = "24h"
keeps-tokens = true
takes = { at-least = "1ms", at-most = "2ms" }
system-identity = { object-id = "5e29463d-0000-0000-0000-000000000001" }
limit = { requests = 20, per = "1s", retry-after = "soon" }
[world.entra]
apps = [
    { client-id = "c11e0000-0000-0000-0000-000000000003", object-id = "c11e0000-0000-0000-0000-000000000004" },
]
[world.accounts."alice@contoso.example"]
object-id = "a11ce000-0000-0000-0000-000000000002"
[world.az]
installed = false
[world.resources.vault]
audience = "https://vault.azure.net"
grants."5e29463d-0000-0000-0000-000000000001" = ["read", "write"]

[subject.credential.chain]
of = [{ managed-identity = {} }, { cached = { of.azure-cli = { process-timeout = "10s" } } }]
fallback-policy = "refuse"

[[at]] # not in the order of time
time = "6d"
do.lift = { fault = "removed" }
[[at]]
time = "1d"
do.az-install = {}
[[at]]
time = "2d"
do.az-login = { account = "alice@contoso.example" }
[[at]]
time = "5d"
do.fault = { name = "removed", on.imds = { request = "token" }, then.reply = { status = 400, body.preset = "identity-not-found" } }
[[at]]
time = "7d"
do.fault = { name = "odd", on.az = {}, then.exit = { code = 1, stderr = "ERROR" }, first = 2, probability = 0.5 }
[[at]]
time = "8d"
do.rotate-secret = { client-id = "c11e0000-0000-0000-0000-000000000003", secret = "new" }

[[call]]
every = "30m"
do.get-token = { scopes = ["https://vault.azure.net/.default"], keeps-token = true }
[[call]]
at = "9d"
callers = 10
credential = "new"
do.use-resource = { resource = "vault", right = "write" }

[[expect]]
why = "the identity serves until its token ends"
that.token-from = { principal = "5e29463d-0000-0000-0000-000000000001", until = "5d", step = 1 }
[[expect]]
that.error = { kind = "failed", contains = ["refused"], from = "5d", until = "6d" }
[[expect]]
that.identity-change = { is = "refused", times = 1 }
[[expect]]
that.passed-over = { credential = "ManagedIdentityCredential", because = "Identity not found", from = "5d" }
[[expect]]
that.requests = { to.imds = { resource = "https://vault.azure.net" }, between = ["5d", "6d"], at-most = 60 }
[[expect]]
that.resource-saw = { name = "vault", principals = ["a11ce000-0000-0000-0000-000000000002"] }
[[expect]]
that.recovery = { within = "1h" }
[[expect]]
that.share = { at-least = 0.5 }

[seeds]
count = 20

[[known-failure]]
subject = "azure-identity-js 4.13.1"
fails = ["expect[3]", "reported-identity"]
breaks = "PR-04"
fact = "CH-24"
reason = "the chain changes identity with no more than an info log"

[[not-on]]
engine = "turmoil"
reason = "ten days are too long for ticks"
"#;

#[test]
fn a_file_without_mistakes_has_no_diagnostic() {
    if let Err(invalid) = parse("fine", "fine.toml", FINE) {
        panic!("{invalid}");
    }
    let with_mark_and_windows_lines = format!("\u{feff}{}", FINE.replace('\n', "\r\n"));
    if let Err(invalid) = parse("fine", "fine.toml", &with_mark_and_windows_lines) {
        panic!("{invalid}");
    }
}
