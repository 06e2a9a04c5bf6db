//! Every subject leaves the same bytes in two processes.

#![cfg(all(target_os = "linux", target_env = "gnu"))]
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test")]

use std::process::Command;

/// Plays these scenarios, each in two processes. Their hash seeds, jitter and correlation ids come
/// from the machine, unless it is hidden.
fn twice(subject: &str, scenarios: &[&str]) {
    let ran = Command::new(env!("CARGO_BIN_EXE_credsim-peers"))
        .args(["run", "--twice", "--subject", subject])
        .args(scenarios)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{said}");
    let all = format!("{} passed, 0 failed, 0 skipped", scenarios.len());
    assert!(said.contains(&all), "{said}");
}

#[test]
fn azure_identity() {
    let jitter_callers_who_spin_and_a_chain = [
        "entra/500-three-retries",
        "cache/imds-is-down-for-two-minutes",
        "chain/developer-failures-stop-a-custom-chain",
    ];
    twice("azure_identity", &jitter_callers_who_spin_and_a_chain);
}

#[test]
fn redis_rs() {
    twice(
        "redis-rs",
        &["redis/renewed-before-the-end", "redis/500-at-the-renewal"],
    );
}

/// The cluster client of the redis crate draws from the machine's random numbers: the one kind of
/// scenario whose runs differ where those are not hidden.
#[test]
fn our_own_on_a_cluster() {
    let cluster = [
        "redis/cluster-every-node-signs-in",
        "redis/cluster-down-past-the-end",
        "redis/cluster-fail-over-during-a-renewal",
    ];
    twice("identity-interposed", &cluster);
}

/// A limit on memory counts in this program, too.
#[test]
fn memory_is_limited() {
    let ran = Command::new(env!("CARGO_BIN_EXE_credsim-peers"))
        .args(["run", "--subject", "azure_identity", "--limit-memory=1MiB"])
        .arg("cache/a-day-of-requests")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(3), "{said}");
    let words: Vec<&str> = said.split_whitespace().collect();
    let took = words.iter().position(|word| *word == "real").unwrap();
    // `.. of memory and 0.3 s of real time`, by the clock of this machine and not by the world's.
    let took: f64 = words[took - 3].parse().unwrap();
    assert!(took < 600.0, "{said}");
    let reached = "has reached its limit of 1 MiB of memory (--limit-memory)";
    assert!(said.contains(reached), "{said}");
}
