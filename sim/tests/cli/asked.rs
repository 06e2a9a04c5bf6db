//! Subcommands that play nothing: list, check, explain, schema.

use credsim::story::library;
use serde_json::Value;

use crate::support::{FAILING, GOOD, credsim, file, flat, folder, good};

#[test]
fn the_list_has_every_bundled_scenario_below_its_family() {
    let ran = credsim(&["list"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    for source in library::bundled() {
        assert!(
            ran.out.contains(&format!("\n  {} ", source.name)),
            "{}",
            source.name
        );
    }
    let ran = credsim(&["list", "--format", "json"]);
    let names: Vec<String> = ran
        .out
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|line| line["name"].as_str().unwrap().to_owned())
        .collect();
    let bundled: Vec<String> = library::bundled()
        .into_iter()
        .map(|source| source.name)
        .collect();
    assert_eq!(names, bundled);
}

#[test]
fn the_list_can_be_narrowed() {
    insta::assert_snapshot!("list", credsim(&["list", GOOD, "fixtures/failing"]).out);
    assert_eq!(credsim(&["list", "no/such-scenario"]).code, 4);
}

#[test]
fn check_reads_without_playing() {
    let ran = credsim(&["check", GOOD, FAILING]);
    assert_eq!((ran.code, ran.err.as_str()), (0, "2 valid, 0 invalid\n"));
    assert_eq!(credsim(&["check"]).code, 0, "a bundled scenario is invalid");
    assert_eq!(credsim(&["check", "no/such-scenario"]).code, 4);
}

#[test]
fn check_tells_mistakes_in_every_format() {
    let folder = folder("check");
    let wrong = file(
        &folder,
        "wrong.toml",
        &good().replace("every = \"30s\"", "every = \"0s\""),
    );
    let pretty = credsim(&["check", &wrong, GOOD]);
    assert_eq!(pretty.code, 2);
    assert!(pretty.err.contains("wrong.toml:16:"), "{}", pretty.err);
    assert!(
        pretty.err.ends_with("1 valid, 1 invalid\n"),
        "{}",
        pretty.err
    );
    let json = credsim(&["check", &wrong, "--format", "json"]);
    let line: Value = serde_json::from_str(json.out.trim_end()).unwrap();
    assert_eq!(
        (&line["type"], &line["diagnostic"]["line"]),
        (&"diagnostic".into(), &16.into())
    );
    let github = credsim(&["check", &wrong, "--format", "github"]);
    assert!(github.out.starts_with("::error file="), "{}", github.out);
}

#[test]
fn a_scenario_is_explained_whole() {
    insta::assert_snapshot!("explain-scenario", credsim(&["explain", FAILING]).out);
}

#[test]
fn every_bundled_scenario_can_be_explained() {
    for source in library::bundled() {
        let ran = credsim(&["explain", &source.name]);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", source.name);
        assert!(
            !ran.out.contains("not in this binary's list"),
            "{}",
            ran.out
        );
    }
}

#[test]
fn known_failures_are_explained_with_what_fails() {
    let ran = credsim(&["explain", "cache/one-az-for-ten-callers"]);
    let text = flat(&ran.out);
    for part in [
        "azure-identity-js 4.13.1 fails expect[1], expect[2] and expect[3], and so breaks PR-24",
        "(CLI-06): one process for each call",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn facts_and_promises_are_explained_with_who_cites_them() {
    let ran = credsim(&["explain", "mi-60", "PR-02"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    for part in [
        "MI-60\n",
        "Identity not found",
        "source",
        "status",
        "PR-02  ",
        "Scenarios\n",
    ] {
        assert!(ran.out.contains(part), "{part}: {}", ran.out);
    }
}

#[test]
fn an_id_is_found_in_upper_and_in_lower_case() {
    for id in ["CH-22a", "ch-22a", "CH-22A"] {
        let ran = credsim(&["explain", id]);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{id}");
        assert!(ran.out.starts_with("CH-22a\n"), "{}", ran.out);
    }
}

#[test]
fn a_fact_that_is_not_carried_yet_is_no_misspelling() {
    let ran = credsim(&["explain", "XYZ-01"]);
    assert_eq!(ran.code, 4);
    assert!(
        ran.err.contains("no fact and no promise `XYZ-…`"),
        "{}",
        ran.err
    );
    assert!(!ran.err.contains("did you mean"), "{}", ran.err);
}

#[test]
fn an_unknown_id_offers_the_nearest_and_the_others_are_explained() {
    let ran = credsim(&["explain", "MI-6o", "PR-02"]);
    assert_eq!(ran.code, 4);
    assert!(
        ran.err
            .contains("there is no fact, promise or scenario `MI-6o`"),
        "{}",
        ran.err
    );
    assert!(ran.err.contains("did you mean `MI-6"), "{}", ran.err);
    assert!(ran.out.contains("PR-02  "), "{}", ran.out);
    assert_eq!(credsim(&["explain", "no/such-scenario"]).code, 4);
}

#[test]
fn one_of_something_is_told_in_the_singular() {
    let folder = folder("singular");
    let fault = "[[at]]\ntime = \"0s\"\ndo.fault = { name = \"cut\", on.imds = {}, then.truncate = { after = 1 } }\n";
    let text = good().replace("[[call]]", &format!("{fault}\n[[call]]"));
    let path = file(&folder, "one.toml", &text);
    let ran = credsim(&["explain", &path]);
    assert!(
        flat(&ran.out).contains("break after 1 byte of the body"),
        "{}{}",
        ran.out,
        ran.err
    );
}

#[test]
fn the_keys_of_each_part_of_a_file_are_explained() {
    for (part, keys) in [
        (
            "fault",
            &["probability  number", "imds", "\"gone\"", "retry-after"][..],
        ),
        (
            "call",
            &[
                "callers  whole number",
                "Default: 1.",
                "get-token",
                "scopes  list of text, required",
            ],
        ),
        (
            "expect",
            &[
                "why  text",
                "token-from",
                "redis-reported",
                "\"failing\"",
                "counts once more",
            ],
        ),
        (
            "action",
            &[
                "time  duration, required",
                "az-login",
                "see `credsim explain fault`",
                "Values\n  duration  ",
            ],
        ),
    ] {
        let ran = credsim(&["explain", part]);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{part}");
        for key in keys {
            let found = ran.out.contains(key) || flat(&ran.out).contains(key);
            assert!(found, "{part}: {key}: {}", ran.out);
        }
    }
    // Every key of the schema's definition stands in it.
    let schema: Value = serde_json::from_str(&credsim(&["schema"]).out).unwrap();
    let explained = credsim(&["explain", "call"]).out;
    for key in schema["$defs"]["Call"]["properties"]
        .as_object()
        .unwrap()
        .keys()
    {
        assert!(
            explained.contains(&format!("\n  {key}  ")),
            "{key}: {explained}"
        );
    }
}

#[test]
fn the_schema_is_the_one_in_the_repository() {
    let ran = credsim(&["schema"]);
    assert_eq!(ran.code, 0);
    let printed: Value = serde_json::from_str(&ran.out).unwrap();
    assert!(printed["$schema"].as_str().unwrap().contains("2020-12"));
    assert_eq!(printed["title"], "Scenario");
}
