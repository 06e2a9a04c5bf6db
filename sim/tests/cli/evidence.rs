//! What a failing expectation shows of the calls: the walk of the chain, and the outcome beside
//! each request.

use crate::support::{FAILING, credsim, file, folder, good};

/// The lines of standard error that hold this text.
fn lines<'a>(err: &'a str, text: &str) -> Vec<&'a str> {
    err.lines().filter(|line| line.contains(text)).collect()
}

#[test]
fn a_failure_says_why_az_answers_and_not_the_managed_identity() {
    let ran = credsim(&["run", FAILING]);
    let walks = lines(&ran.err, "; walk: ");
    let [walk] = walks[..] else {
        panic!("{}", ran.err);
    };
    for part in [
        "call 7 gets token",
        "ManagedIdentityCredential passed over after 4ms (unavailable: IMDS answered 400",
        ", AzureCliCredential answered after 1s",
    ] {
        assert!(walk.contains(part), "{part}: {walk}");
    }
}

#[test]
fn the_trace_says_it_of_each_call_that_walks() {
    let ran = credsim(&["run", "--trace", FAILING]);
    let walks = lines(&ran.out, "; walk: ");
    assert_eq!(walks.len(), 4, "calls 1, 7, 8 and 9: {}", ran.out);
    // An error lists the members itself.
    let ran = credsim(&["run", "--trace", "chain/nobody-is-there"]);
    assert!(!ran.out.contains("; walk: "), "{}", ran.out);
    assert!(ran.out.contains("fails (unavailable)"), "{}", ran.out);
}

#[test]
fn a_token_that_the_chain_still_held_is_shown_with_the_walk_that_found_it() {
    let held = good()
        .replace("credential.managed-identity", "credential.default")
        .replace(
            "that.token-from = { principal",
            "that.token-from = { credential = \"AzureCliCredential\", from = \"30s\", principal",
        )
        + "[world.az]\n";
    let ran = credsim(&["run", &file(&folder("held"), "held.toml", &held)]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    let walk = lines(&ran.err, "; walk: EnvironmentCredential passed over");
    assert_eq!(walk.len(), 1, "{}", ran.err);
    assert!(walk[0].contains("00:00:00.0") && walk[0].contains("call 1 gets token"));
    assert_eq!(lines(&ran.err, "call 2 gets token").len(), 1, "{}", ran.err);
}

#[test]
fn the_outcome_of_the_call_stands_beside_each_request() {
    let ran = credsim(&["run", FAILING]);
    let runs = lines(&ran.err, "az account get-access-token");
    assert_eq!(runs.len(), 3, "{}", ran.err);
    for (line, call) in runs.into_iter().zip(7..) {
        let outcome = format!(" -> exit 0; call {call} gets token ");
        assert!(line.contains(&outcome), "{outcome}: {line}");
    }
    let ran = credsim(&["run", "fixtures/failing/wrong-waits.toml"]);
    let sent = lines(&ran.err, "; call 1 fails (failed) after 27.267s");
    assert_eq!(sent.len(), 6, "{}", ran.err);
}

#[test]
fn of_many_callers_two_are_named_and_of_a_renewal_none() {
    let folder = folder("many");
    let many = good()
        .replace("every = \"30s\"", "every = \"10s\"\ncallers = 5")
        .replace("system-identity", "token-life = \"1m\"\nsystem-identity")
        .replace("lasts = \"1m\"", "lasts = \"50s\"")
        .replace("exactly = 1", "exactly = 9");
    let ran = credsim(&["run", &file(&folder, "many.toml", &many)]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    let asked = lines(&ran.err, "imds     request");
    let [first, renewal] = asked[..] else {
        panic!("{}", ran.err);
    };
    for part in [
        " -> 200; call 1 gets token",
        "; call 2 gets token",
        "; and 3 more calls",
    ] {
        assert!(first.contains(part), "{part}: {first}");
    }
    assert!(renewal.ends_with(" -> 200; no call waits"), "{renewal}");
}
