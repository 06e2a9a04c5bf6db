//! The published SDKs beside ours: `benches/peers/run --check` measures a little of everything; its
//! counts of requests are known and checked. Skipped where the SDKs are not installed; with
//! `CREDSIM_REQUIRE` set, they fail instead.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test"
)]

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Output},
};

use credsim_benches::rows::Row;
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value;

const HOW: &str = "run benches/peers/install first";

const ALL: &[(&str, fn())] = &[
    ("peers/a-little-of-everything", everything),
    ("peers/nothing-leaves-this-machine", guarded),
    ("peers/a-group-that-is-none", unknown_group),
];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let installed = is_installed();
    let left_out = !installed && env::var_os("CREDSIM_REQUIRE").is_none();
    if left_out {
        eprintln!("skipped: the published SDKs are not installed; {HOW}");
    }
    let trial = |(name, case): &(&str, fn())| {
        let case = *case;
        let work = move || {
            if !installed {
                return Err(Failed::from(HOW));
            }
            case();
            Ok(())
        };
        Trial::test(*name, work).with_ignored_flag(left_out)
    };
    let trials = ALL.iter().map(trial).collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers")
}

/// The installed versions are the pinned ones.
fn is_installed() -> bool {
    let same = |pinned: &str, installed: &str| {
        let read = |path| fs::read(folder().join(path)).ok();
        read(pinned).is_some() && read(pinned) == read(installed)
    };
    let javascript = same(
        "javascript/package-lock.json",
        "javascript/node_modules/.installed-lock.json",
    );
    let python = same(
        "python/requirements.txt",
        "python/venv/installed-requirements.txt",
    );
    let node = Command::new("node").arg("--version").output();
    javascript && python && node.is_ok_and(|told| told.status.success())
}

fn run(arguments: &[&str]) -> Output {
    Command::new(folder().join("run"))
        .args(arguments)
        .env("PEER_SERVICE", env!("CARGO_BIN_EXE_peer-service"))
        .output()
        .expect("bash is there")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("UTF-8")
}

fn everything() {
    let output = run(&["--check"]);
    let said = text(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(!said.contains("left out"), "{said}");
    let rows: Vec<Value> = serde_json::from_slice(&output.stdout).expect("a JSON array");
    serde_json::from_slice::<Vec<Row>>(&output.stdout)
        .expect("rows as the other benches know them");
    for row in &rows {
        assert_shape(row);
    }
    let groups: BTreeSet<_> = rows.iter().map(|row| row["group"].as_str()).collect();
    for group in ["hit", "hit-p99", "cold", "memory", "stampede-cold"] {
        // Python's memory is measured on Linux only, and so is that of the others.
        let is_there = groups.contains(&Some(group));
        assert!(
            is_there || group == "memory" && !cfg!(target_os = "linux"),
            "{group}"
        );
    }
    let versions: BTreeSet<_> = rows.iter().map(|row| row["who"].as_str()).collect();
    let pinned = [
        Some("azure-identity (JavaScript) 4.13.1"),
        Some("azure-identity (Python) 1.27.0"),
        Some("credsim-identity"),
    ];
    assert_eq!(versions, BTreeSet::from(pinned));
    // Eight callers: a credential sends a request for each, the provider one for all.
    let javascript = "azure-identity (JavaScript) 4.13.1";
    for group in ["stampede-cold", "stampede-refresh"] {
        let credential = requests(&rows, group, javascript, "ClientSecretCredential");
        assert_eq!(credential, 8.0, "{group}");
        let provider = requests(&rows, group, javascript, "getBearerTokenProvider");
        assert_eq!(provider, 1.0, "{group}");
    }
}

fn requests(rows: &[Value], group: &str, who: &str, what: &str) -> f64 {
    let is_it = |row: &&Value| row["group"] == group && row["who"] == who && row["what"] == what;
    let row = rows.iter().find(is_it).expect("its row");
    assert_eq!(row["callers"], 8);
    row["median"].as_f64().expect("a number")
}

/// The shape that all benches share.
fn assert_shape(row: &Value) {
    let keys = [
        "callers", "group", "high", "low", "median", "note", "samples", "unit", "what", "who",
    ];
    let found: BTreeSet<&str> = row
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(found, BTreeSet::from(keys), "{row}");
    for key in ["group", "who", "what", "unit", "note"] {
        assert!(row[key].is_string(), "{key} of {row}");
    }
    let [low, median, high] =
        ["low", "median", "high"].map(|key| row[key].as_f64().expect("a number"));
    assert!(low <= median && median <= high, "{row}");
    let [callers, samples] = ["callers", "samples"].map(|key| row[key].as_u64().expect("a count"));
    assert!(callers > 0 && samples > 0, "{row}");
}

/// Without our service, or with another one, no script begins. The addresses used here would not
/// leave this machine even if one did.
fn guarded() {
    let javascript = folder().join("javascript/first.mjs");
    let python = folder().join("python/first.py");
    let interpreter = folder().join("python/venv/bin/python");
    for (program, script) in [(Path::new("node"), javascript), (&interpreter, python)] {
        for metadata in [None, Some("http://imds.invalid")] {
            let mut command = Command::new(program);
            command
                .arg(&script)
                .arg("client-secret")
                .env("AZURE_AUTHORITY_HOST", "https://127.0.0.1:1")
                .env_remove("AZURE_POD_IDENTITY_AUTHORITY_HOST");
            command.envs(metadata.map(|place| ("AZURE_POD_IDENTITY_AUTHORITY_HOST", place)));
            let output = command.output().expect("it starts");
            let said = text(&output.stderr);
            assert!(!output.status.success(), "{}", script.display());
            assert!(
                said.contains("AZURE_POD_IDENTITY_AUTHORITY_HOST must lead to 127.0.0.1"),
                "{}: {said}",
                script.display()
            );
        }
    }
}

fn unknown_group() {
    let output = run(&["--only", "hit,miss"]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("there is no miss; expected some of hit, cold"),
        "{said}"
    );
}
