//! Output for people.

use std::fs;

use crate::support::{
    FAILING, GOOD, PROGRAM, command, credsim, finish, folder, last_line, root, steady,
};

#[test]
fn the_help_tells_what_can_be_asked() {
    insta::assert_snapshot!("help", credsim(&["--help"]).out);
    insta::assert_snapshot!("help-run", credsim(&["run", "--help"]).out);
    insta::assert_snapshot!("help-serve", credsim(&["serve", "--help"]).out);
}

#[test]
fn a_scenario_that_passes_is_one_line() {
    insta::assert_snapshot!("passes", steady(&credsim(&["run", GOOD]).err));
}

#[test]
fn a_failure_can_be_understood_without_reading_code() {
    for name in [
        "wrong-identity",
        "wrong-waits",
        "many-seeds",
        "one-exchange-in-fifty",
    ] {
        let path = format!("fixtures/failing/{name}.toml");
        let ran = credsim(&["run", &path]);
        assert_eq!(ran.code, 1, "{}", ran.err);
        insta::assert_snapshot!(name, steady(&ran.err));
    }
}

#[test]
fn every_failing_fixture_fails_and_is_valid() {
    let ran = credsim(&["check", "fixtures/failing"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let ran = credsim(&["run", "fixtures/failing"]);
    assert!(
        last_line(&ran).starts_with("0 passed, 4 failed"),
        "{}",
        ran.err
    );
}

#[cfg(unix)]
#[test]
fn the_last_line_of_a_failure_can_be_pasted() {
    let folder = folder("it's a folder");
    fs::copy(root().join(FAILING), folder.join("wrong identity.toml")).unwrap();
    let ran = credsim(&["run", "--seed", "0x2a", folder.to_str().unwrap()]);
    let line = ran
        .err
        .lines()
        .find_map(|line| line.trim().strip_prefix("reproduce: "));
    let line = line.expect("a line that reproduces the failure");
    assert!(line.ends_with("--engine lapse --seed 42"), "{line}");
    let binaries = std::path::Path::new(PROGRAM).parent().unwrap();
    let again = finish(command("/bin/sh").args(["-c", line]).env("PATH", binaries));
    assert_eq!(again.code, 1, "{line}: {}", again.err);
    assert_eq!(steady(&again.err), steady(&ran.err));
}

#[test]
fn the_order_does_not_depend_on_the_number_of_jobs() {
    let all = |jobs| {
        credsim(&[
            "run",
            "fixtures/failing",
            GOOD,
            "managed-identity",
            "--jobs",
            jobs,
        ])
    };
    let (one, four) = (all("1"), all("4"));
    assert_eq!(one.code, 1);
    // Real times have different widths, so even the width of the column may differ.
    let words = |text: &str| {
        let lines = text
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        lines.collect::<Vec<_>>()
    };
    assert_eq!(words(&steady(&one.err)), words(&steady(&four.err)));
}

#[test]
fn seeds_are_obeyed_and_named() {
    let hash = |seed| {
        let path = "fixtures/failing/wrong-waits.toml";
        let ran = credsim(&["run", path, "--format", "json", "--seed", seed]);
        let line: serde_json::Value =
            serde_json::from_str(ran.out.lines().next().unwrap()).unwrap();
        line["verdict"]["hash"].as_str().unwrap().to_owned()
    };
    assert_eq!(hash("16"), hash("0x10"));
    assert_ne!(hash("16"), hash("17"));
}

#[test]
fn each_of_many_seeds_is_judged_by_itself_and_those_that_fail_are_named() {
    let path = "fixtures/failing/wrong-waits.toml";
    let ran = credsim(&["run", path, GOOD, "--seeds", "14-18"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    insta::assert_snapshot!("several-seeds", steady(&ran.err));
    let ran = credsim(&["run", path, "--seeds", "14-18", "--format", "json"]);
    let line: serde_json::Value = serde_json::from_str(ran.out.lines().next().unwrap()).unwrap();
    let failed = line["seeds"]["failed"].as_array().unwrap();
    assert_eq!(line["seeds"]["played"], 5);
    assert_eq!(line["seed"], failed[0], "the first that fails is shown");
    let ran = credsim(&["run", path, "--seeds", "14-18", "--trace"]);
    let headings = ran.out.lines().filter(|line| line.starts_with("# "));
    let headings: Vec<&str> = headings.collect();
    assert_eq!(headings.len(), 1, "and its trace alone: {headings:?}");
    let seed = format!("seed {}, ", failed[0]);
    assert!(headings[0].contains(&seed), "{headings:?}");
}

#[test]
fn one_seed_of_many_is_played_alone_and_says_nothing_of_the_rest() {
    let path = "fixtures/failing/many-seeds.toml";
    let ran = credsim(&["run", path, "--seed", "3", "--format", "json"]);
    let line: serde_json::Value = serde_json::from_str(ran.out.lines().next().unwrap()).unwrap();
    assert_eq!(line["verdict"]["seeds"], 1);
    let outcomes = line["verdict"]["expectations"].as_array().unwrap();
    let outcomes = outcomes.iter().map(|one| one["outcome"].as_str().unwrap());
    assert_eq!(outcomes.collect::<Vec<_>>(), ["not-observed", "holds"]);
    assert!(
        ran.out.contains("it is about 20 seeds, and 1 was played"),
        "{}",
        ran.out
    );
}

#[test]
fn a_trace_is_printed_where_data_goes() {
    let ran = credsim(&["run", GOOD, "--trace"]);
    assert_eq!(ran.code, 0);
    insta::assert_snapshot!("trace", steady(&ran.out));
}

#[test]
fn colours_are_for_terminals_and_for_those_who_ask() {
    let styled = |args: &[&str]| {
        let ran = credsim(args);
        (ran.out + &ran.err).contains('\u{1b}')
    };
    assert!(!styled(&["run", FAILING]));
    assert!(!styled(&["run", FAILING, "--trace", "--color", "never"]));
    assert!(styled(&["run", FAILING, "--color", "always"]));
    assert!(styled(&["--color", "always", "explain", "PR-02"]));
    assert!(!styled(&["explain", "PR-02"]));
}
