//! Output for programs and build servers.

use std::fs;

use serde_json::Value;

use crate::support::{FAILING, GOOD, command, credsim, finish, folder, last_line, steady};

fn lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn json_is_one_object_a_line_and_ends_with_a_summary() {
    let ran = credsim(&["run", GOOD, FAILING, "--format", "json"]);
    assert_eq!(
        (ran.code, last_line(&ran)),
        (1, "1 passed, 1 failed, 0 skipped")
    );
    let lines = lines(&ran.out);
    assert!(lines.iter().all(|line| line["schema-version"] == 2));
    let [good, failing, summary] = lines.as_slice() else {
        panic!("{}", ran.out)
    };
    assert_eq!(
        (&good["type"], &good["outcome"]),
        (&"scenario".into(), &"passed".into())
    );
    assert_eq!(good["verdict"]["seeds"], 1);
    assert_eq!(good["virtual-ms"], 60_000.0);
    assert_eq!(failing["outcome"], "failed");
    assert_eq!(failing["expectation-lines"].as_array().unwrap().len(), 4);
    let expectations = failing["verdict"]["expectations"].as_array().unwrap();
    let outcomes: Vec<&str> = expectations
        .iter()
        .map(|e| e["outcome"].as_str().unwrap())
        .collect();
    assert_eq!(outcomes, ["fails", "holds", "fails", "fails"]);
    assert_eq!(summary["type"], "summary");
    assert_eq!(
        (&summary["passed"], &summary["failed"]),
        (&1.into(), &1.into())
    );
    assert_eq!(summary["exit"], 1);
}

#[test]
fn json_with_trace_has_every_event_before_its_scenario() {
    let ran = credsim(&["run", GOOD, "--format", "json", "--trace"]);
    let lines = lines(&ran.out);
    let kinds: Vec<&str> = lines
        .iter()
        .map(|line| line["type"].as_str().unwrap())
        .collect();
    let events = kinds.iter().filter(|kind| **kind == "event").count();
    assert!(events > 5);
    assert_eq!(kinds[events..], ["scenario", "summary"]);
    assert_eq!(lines[0]["scenario"], GOOD);
    assert_eq!(lines[0]["event"], "built");
    let times: Vec<u64> = lines[..events]
        .iter()
        .map(|line| line["at"].as_u64().unwrap())
        .collect();
    assert!(times.is_sorted());
}

#[test]
fn github_gets_annotations_and_a_summary_of_the_job() {
    let summary = folder("github").join("summary.md");
    fs::write(&summary, "before\n").unwrap();
    let args = ["run", FAILING, GOOD, "--format", "github"];
    let ran = finish(
        command(crate::support::PROGRAM)
            .args(args)
            .env("GITHUB_STEP_SUMMARY", &summary),
    );
    assert_eq!(ran.code, 1);
    assert_eq!(ran.out.lines().count(), 3, "{}", ran.out);
    assert!(
        ran.out
            .starts_with(&format!("::error file={FAILING},line=34,title=")),
        "{}",
        ran.out
    );
    assert!(
        ran.err.contains("reproduce: credsim run"),
        "people read the log too: {}",
        ran.err
    );
    insta::assert_snapshot!("job-summary", steady(&fs::read_to_string(summary).unwrap()));
}

#[test]
fn several_reports_are_written_even_though_a_scenario_fails() {
    let folder = folder("reports");
    let (junit, json) = (folder.join("junit.xml"), folder.join("all.json"));
    let ran = credsim(&[
        "run",
        FAILING,
        GOOD,
        "--report",
        &format!("junit={}", junit.display()),
        "--report",
        &format!("json={}", json.display()),
    ]);
    assert_eq!(ran.code, 1);
    let document: Value = serde_json::from_str(&fs::read_to_string(json).unwrap()).unwrap();
    assert_eq!(document["scenarios"].as_array().unwrap().len(), 2);
    assert_eq!(document["summary"]["exit"], 1);
    let document = fs::read_to_string(junit).unwrap();
    for part in [
        "<testsuites name=\"credsim\" tests=\"2\" skipped=\"0\" failures=\"1\" errors=\"0\"",
        "<testsuite name=\"fixtures/failing\"",
        "<property name=\"engine\" value=\"lapse\"/>",
        "<failure message=\"expect[1] token-from:",
        "reproduce: credsim run",
    ] {
        assert!(document.contains(part), "{part} is missing in {document}");
    }
}
