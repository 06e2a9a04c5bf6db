//! Marked secrets, and what a terminal would obey, in a scenario file: no subcommand shows them, in
//! no form. `tests/live/serve/planted.rs` does the same to a served world.

use std::{fs, path::Path};

use crate::support::{PROGRAM, command, finish};

/// A scenario that plays and fails, with a marked secret for each `§`.
const PLAYED: &str = r#"
title = "t"
story = "s"
[world]
start = "2026-01-01T00:00:00Z"
lasts = "2m"
environment = { AZURE_CLIENT_SECRET = "§", APP_PASSWORD = "§", STORAGE = "AccountKey=§;EndpointSuffix=x" }
[world.imds]
system-identity = { object-id = "5e29463d-0000-0000-0000-000000000001" }
[world.entra]
apps = [{ client-id = "c11e07a0-0000-0000-0000-000000000001", object-id = "0b1ec700-0000-0000-0000-000000000001", secret = "§" }]
[world.az]
warning = "WARNING: client_secret=§"
[subject]
credential.client-secret = { client-id = "c11e07a0-0000-0000-0000-000000000001", secret = "§" }
[[at]]
time = "0s"
do.fault = { name = "f", on.entra = { request = "token" }, then.reply = { status = 500, body.json = '{"error":"x","error_description":"client_secret=§","access_token":"§"}' } }
[[call]]
do.get-token = { scopes = ["https://vault.azure.net/.default"] }
[[call]]
at = "1s"
do.http = { method = "POST", url = "http://169.254.169.254/a?sig=§&code=§", headers = { Authorization = "Bearer §", "x-api-key" = "§" }, body = '{"password":"§"}' }
[[expect]]
that.token-from = {}
[[expect]]
why = "password=§"
that.http-reply = { status = 200 }
"#;

/// The same for Redis.
const REDIS: &str = r#"
title = "t"
story = "s"
[world]
start = "2026-01-01T00:00:00Z"
lasts = "2m"
[world.imds]
system-identity = { object-id = "5e29463d-0000-0000-0000-000000000001" }
[world.redis]
principals = ["5e29463d-0000-0000-0000-000000000001"]
[subject]
credential.managed-identity = {}
redis = {}
[[call]]
do.redis = { send = ["SET client_secret §", "GET client_secret", "MULTI", "SET api_key §", "GET api_key", "EXEC", "CONFIG SET requirepass §", "ACL SETUSER u on >§", "RPUSH password §", "LPOP password"] }
[[call]]
at = "1s"
do.redis = { how = "transaction", send = ["SET access_token §", "GET access_token"] }
[[call]]
at = "2s"
do.redis = { how = "pipeline", send = ["SET access_token §", "GET access_token"] }
[[expect]]
that.redis-replies = { are = ["no"] }
"#;

/// Lines that are mistakes, each with a secret in it. A diagnostic quotes the line.
const MISTAKES: &[&str] = &[
    "[subject]\ncredential.client-secret = { client-id = \"c\", secert = \"§\", secret = \"§\" }",
    "[subject]\ncredential.client-secret = { client-id = 3, secret = \"§\" }",
    "[subject]\ncredential.client-secret = { client-id = \"c\", secret = \"§\" ",
    "[world.entra]\napps = [{ client-id = 1, secret = \"§\" }]",
    "[world]\nenvironment = { AZURE_CLIENT_SECRET = 1, APP_PASSWORD = \"§\" }",
    "[[call]]\ndo.http = { url = \"ftp://h/?sig=§\", headers = { Authorization = \"Bearer §\" } }",
    "[[call]]\ndo.redis = { send = [\"SET client_secret §\", \"AUTH u §\"], hwo = 1 }",
];

fn planted(text: &str) -> (String, Vec<String>) {
    let mut secrets = Vec::new();
    let mut parts = text.split('§');
    let mut all = parts.next().unwrap().to_owned();
    for part in parts {
        let secret = format!("Zq{}Marked{}X9", secrets.len(), (secrets.len() + 1) * 7919);
        all = all + &secret + part;
        secrets.push(secret);
    }
    (all, secrets)
}

/// All that every subcommand says of a file, and what it writes.
fn outputs(folder: &Path, text: &str) -> Vec<(String, String)> {
    let file = folder.join("planted.toml");
    fs::write(&file, text).unwrap();
    let calls: &[&[&str]] = &[
        &["run"],
        &["run", "--trace"],
        &["run", "--trace", "--color", "always"],
        &["run", "--format", "json", "--trace"],
        &["run", "--format", "github"],
        &[
            "run",
            "--report",
            "junit=out.xml",
            "--report",
            "json=out.json",
        ],
        &["run", "--twice"],
        &["check"],
        &["check", "--format", "json"],
        &["check", "--format", "github"],
        &["explain"],
        &["list"],
        &["list", "--format", "json"],
        &["serve", "--until-exit"],
    ];
    let mut all = Vec::new();
    for call in calls {
        let mut credsim = command(PROGRAM);
        credsim.current_dir(folder).args(*call).arg("planted.toml");
        credsim.env("GITHUB_STEP_SUMMARY", folder.join("summary.md"));
        if call[0] == "serve" {
            credsim.args(["--", "true"]);
        }
        let ran = finish(&mut credsim);
        all.push((call.join(" "), ran.out + &ran.err));
    }
    for file in ["out.xml", "out.json", "summary.md"] {
        let text = fs::read_to_string(folder.join(file)).unwrap_or_default();
        all.push((file.to_owned(), text));
    }
    all
}

fn found(all: &[(String, String)], secrets: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for (name, text) in all {
        for secret in secrets {
            if let Some(line) = text.lines().find(|line| line.contains(secret.as_str())) {
                found.push(format!("{name}: {secret} in {line}"));
            }
        }
    }
    found
}

#[test]
fn no_secret_of_a_file_is_in_any_output() {
    let folder = tempfile::tempdir().unwrap();
    for text in [PLAYED, REDIS] {
        let (text, secrets) = planted(text);
        assert!(secrets.len() >= 7);
        let all = outputs(folder.path(), &text);
        for (name, text) in &all {
            assert!(
                name.starts_with("check") || !text.is_empty(),
                "{name} is empty"
            );
        }
        let (_, run) = &all[0];
        assert!(run.contains("1 failed"), "it is played: {run}");
        let found = found(&all, &secrets);
        assert!(found.is_empty(), "{}", found.join("\n"));
    }
}

#[test]
fn no_secret_is_in_a_diagnostic() {
    let folder = tempfile::tempdir().unwrap();
    for mistake in MISTAKES {
        let (text, secrets) = planted(mistake);
        let all = outputs(folder.path(), &text);
        let (_, run) = &all[0];
        assert!(run.contains("error"), "{mistake}: {run}");
        let found = found(&all, &secrets);
        assert!(found.is_empty(), "{mistake}:\n{}", found.join("\n"));
    }
}

/// A key and Redis commands with what a terminal and GitHub Actions would obey.
#[test]
fn nothing_of_a_file_steers_a_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let evil = r"\u001B[31mred\u0007\n::error::pwned\u202E\u009B31m\u2028##[error]x";
    let (played, _) = planted(PLAYED);
    let (redis, _) = planted(REDIS);
    for text in [
        // A key that is none, as the last of a table.
        format!("{played}\"k{evil}\" = 1\n"),
        redis
            .replace("\"no\"", &format!("\"{evil}\""))
            .replace("LPOP password", &format!("ECHO '{evil}'")),
        played.replace("title = \"t\"", &format!("title = \"t{evil}\"")),
        played.replace("story = \"s\"", &format!("story = \"s{evil}\"")),
        played.replace("name = \"f\"", &format!("name = \"f{evil}\"")),
        played.replace("why = \"", &format!("why = \"{evil}")),
        played.replace("WARNING: ", evil),
        played.replace(
            "\"error\":\"x\"",
            "\"error\":\"\\\\u001b[31m\\\\n::error::y\"",
        ),
        format!("{played}\n[\"{evil}\"]\n"),
    ] {
        for (name, shown) in outputs(folder.path(), &text) {
            // The colours of credsim itself are what `always` asks for.
            let shown = if name.contains("always") {
                anstream::adapter::strip_str(&shown).to_string()
            } else {
                shown
            };
            let hidden =
                |c: char| c != '\n' && c.is_control() || matches!(c, '\u{202e}' | '\u{2028}');
            let line = shown.lines().find(|line| line.contains(hidden));
            assert_eq!(line, None, "in {name} of {text}");
            // GitHub reads what is printed, and no files.
            if name.starts_with("out.") {
                continue;
            }
            let commands = shown
                .lines()
                .map(str::trim_start)
                .filter(|line| line.starts_with("::"));
            let pwned: Vec<&str> = commands
                .filter(|line| line.starts_with("::error::"))
                .collect();
            assert!(
                pwned.is_empty() && !shown.contains("##["),
                "{name}: {pwned:?}"
            );
        }
    }
}
