//! Scenarios that are valid and take more than a machine should give.

use std::path::Path;

use crate::support::{GOOD, credsim, file, flat, folder, good, last_line};

/// A managed identity, and two million callers at once.
fn two_million_callers() -> String {
    good().replace("every = \"30s\"", "callers = 2000000")
}

#[test]
fn callers_that_cannot_fit_are_refused() {
    let path = file(&folder("callers"), "callers.toml", &two_million_callers());
    for command in ["check", "run"] {
        let ran = credsim(&[command, &path]);
        assert_eq!(ran.code, 2, "{}", ran.err);
        for part in [
            "these calls do not fit into the limits of a scenario",
            "callers.toml:16:11",
            "2000000 callers make at least 4000000 events",
            "expected: at most 2000000 events",
            "raise --limit-events",
        ] {
            assert!(ran.err.contains(part), "{part}: {}", ran.err);
        }
        let ran = credsim(&[
            command,
            &path,
            "--limit-events",
            "4000000000",
            "--limit-memory=1MiB",
        ]);
        assert!(!ran.err.contains("do not fit"), "{}", ran.err);
    }
    let years = good().replace("lasts = \"1m\"", "lasts = \"500d\"");
    let path = file(&folder("years"), "years.toml", &years);
    let ran = credsim(&["check", &path]);
    let says = "1 caller x 1440000 repetitions make at least 2880000 events";
    assert!(ran.code == 2 && ran.err.contains(says), "{}", ran.err);
}

/// A fault that pads every answer, and callers that have a credential each.
fn padded(callers: u32) -> String {
    let fault = "[[at]]\ntime = \"0s\"\ndo.fault = { name = \"f\", on.imds = {}, then.reply = { status = 200, \
                 body.padded = 67108864 } }\n";
    let call = format!("callers = {callers}\ncredential = \"new\"");
    good().replace("every = \"30s\"", &call) + fault
}

#[test]
fn bodies_that_cannot_fit_are_refused() {
    let folder = folder("bodies");
    let path = file(&folder, "padded.toml", &padded(1000));
    let ran = credsim(&["check", &path]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    for part in [
        "these bodies do not fit into the memory of a scenario",
        "1000 callers x 64 MiB at once are 62.5 GiB",
        "expected: at most 2 GiB in all",
    ] {
        assert!(ran.err.contains(part), "{part}: {}", ran.err);
    }
    let path = file(&folder, "few.toml", &padded(32));
    assert_eq!(credsim(&["check", &path]).code, 0);
    let shared = padded(1000).replace("credential = \"new\"", "");
    let path = file(&folder, "shared.toml", &shared);
    assert_eq!(credsim(&["check", &path]).code, 0, "they share one request");
}

/// Runs the file with these options besides the one that passes; returns why it ended.
fn ends_at(path: &str, options: &[&str]) -> String {
    let report = Path::new(path).with_extension("json");
    let asked = format!("json={}", report.display());
    let args = [&["run", path, GOOD, "--report", &asked], options].concat();
    let ran = credsim(&args);
    assert_eq!(
        (ran.code, last_line(&ran)),
        (3, "1 passed, 1 failed, 0 skipped"),
        "{}",
        ran.err
    );
    let written = std::fs::read_to_string(report).unwrap();
    assert!(written.contains("reached its limit of"), "{written}");
    flat(&ran.err)
}

#[test]
fn a_run_that_reaches_a_limit_ends_and_says_where_it_stood() {
    let folder = folder("limits");
    // One call; then the client renews its token alone for a hundred years.
    let redis = good()
        .replace("lasts = \"1m\"", "lasts = \"36525d\"")
        .replace("[world.imds]", "[world.imds]\ntoken-life = \"1m\"")
        .replace(
            "[subject]",
            "[world.redis]\nprincipals = [\"5e29463d-0000-0000-0000-000000000001\"]\n\n[subject]\nredis = {}",
        )
        .replace("every = \"30s\"", "")
        .replace(
            "do.get-token = { scopes = [\"https://vault.azure.net/.default\"] }",
            "do.redis = { send = [\"PING\"] }",
        )
        .replace(
            "that.token-from = { principal = \"5e29463d-0000-0000-0000-000000000001\" }",
            "that.redis-replies = { are = [\"PONG\"] }",
        );
    let path = file(&folder, "redis.toml", &redis);
    let said = ends_at(&path, &["--limit-events", "2000"]);
    let says = "has reached its limit of 2000 events (--limit-events): the run of seed 1 stood at ";
    assert!(said.contains(says), "{said}");
    assert!(said.contains(", after 2000 events, "), "{said}");
    let said = ends_at(&path, &["--limit-memory", "1MiB"]);
    let says =
        "has reached its limit of 1 MiB of memory (--limit-memory): the run of seed 1 stood at ";
    assert!(said.contains(says), "{said}");
    let said = ends_at(&path, &["--limit-real-time", "1s"]);
    assert!(
        said.contains("limit of 1s of real time (--limit-real-time)"),
        "{said}"
    );
    // Before the first of them has played.
    let path = file(&folder, "callers.toml", &two_million_callers());
    let said = ends_at(&path, &["--limit-events=5000000", "--limit-memory=64MiB"]);
    assert!(
        said.contains("seed 1 stood at 00:00:00.000000, after 1 event, "),
        "{said}"
    );
    let path = file(&folder, "padded.toml", &padded(4));
    let said = ends_at(&path, &["--limit-memory=257MiB"]);
    assert!(said.contains("limit of 257 MiB of memory"), "{said}");
}

#[test]
fn the_seeds_of_a_scenario_share_its_limits() {
    let path = file(
        &folder("seeds"),
        "seeds.toml",
        &(good() + "\n[seeds]\ncount = 20\n"),
    );
    assert_eq!(credsim(&["run", &path]).code, 0);
    let said = ends_at(&path, &["--limit-events", "100"]);
    assert!(said.contains("limit of 100 events"), "{said}");
    assert!(!said.contains("the run of seed 1 "), "{said}");
}

#[test]
fn a_limit_that_makes_no_sense_is_wrong_usage() {
    for option in [
        "--limit-memory=1GB",
        "--limit-events=many",
        "--limit-real-time=5",
    ] {
        assert_eq!(credsim(&["run", GOOD, option]).code, 2, "{option}");
    }
}
