//! Every exit code, and which one has precedence.

use std::{io::Read as _, process::Stdio};

use crate::support::{
    FAILING, GOOD, PROGRAM, Ran, command, credsim, file, flat, folder, good, last_line,
};

#[test]
fn zero_when_everything_holds() {
    let ran = credsim(&["run", GOOD]);
    assert_eq!(
        (ran.code, last_line(&ran)),
        (0, "1 passed, 0 failed, 0 skipped"),
        "{}",
        ran.err
    );
    assert_eq!(ran.out, "");
}

#[test]
fn one_when_something_does_not_hold() {
    let ran = credsim(&["run", FAILING, GOOD]);
    assert_eq!(
        (ran.code, last_line(&ran)),
        (1, "1 passed, 1 failed, 0 skipped"),
        "{}",
        ran.err
    );
}

#[test]
fn two_for_an_invalid_file_and_the_others_still_run() {
    let folder = folder("invalid");
    let invalid = file(
        &folder,
        "invalid.toml",
        &good().replace("[[call]]", "[[cal]]"),
    );
    let ran = credsim(&["run", &invalid, GOOD, FAILING]);
    assert_eq!(
        (ran.code, last_line(&ran)),
        (2, "1 passed, 2 failed, 0 skipped"),
        "{}",
        ran.err
    );
    assert!(ran.err.contains("did you mean `call`?"), "{}", ran.err);
    assert!(
        flat(&ran.err).contains(&format!("invalid.toml (invalid), {FAILING} ")),
        "{}",
        ran.err
    );
}

#[test]
fn a_file_without_expectations_is_played_to_be_watched_and_says_so() {
    const NOTHING: &str = "fixtures/invalid/empty-no-expect.toml";
    for refused in [&["run", NOTHING][..], &["check", NOTHING]] {
        let ran = credsim(refused);
        assert_eq!(ran.code, 2, "{}", ran.err);
        assert!(
            flat(&ran.err).contains("use `run --trace` or `serve`"),
            "{}",
            ran.err
        );
    }
    let ran = credsim(&["run", "--trace", NOTHING]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.contains("call 1 gets token"), "{}", ran.out);
    assert!(
        flat(&ran.err).contains("this scenario asserts nothing"),
        "{}",
        ran.err
    );
    let ran = credsim(&["run", "--trace", "--format", "json", NOTHING]);
    assert!(
        ran.out
            .contains(r#""reason":"this scenario asserts nothing"#),
        "{}",
        ran.out
    );
    let ran = credsim(&["serve", "--until-exit", NOTHING, "--", "true"]);
    assert!(!ran.err.contains("it expects nothing"), "{}", ran.err);
    assert!(
        ran.err.contains("0 passed, 0 failed, 1 skipped"),
        "{}",
        ran.err
    );
}

#[test]
fn two_for_wrong_usage() {
    for (args, says) in [
        (vec!["run", "--seed", "ten"], "such as 7 or 0x1f"),
        (vec!["run", "--seeds", "7"], "such as 1-20"),
        (vec!["run", "--seeds", "9-3"], "9 is above 3"),
        (vec!["run", "--engine", "laps"], "lapse"),
        (vec!["run", "--jobs", "0"], "0"),
        (
            vec!["run", "--report", "html=x"],
            "the kinds are junit and json",
        ),
        (
            vec!["run", "--subject", "redis-rs"],
            "--manifest-path sim/peers/Cargo.toml",
        ),
        (
            vec!["run", "--subject", "azure_identity"],
            "run --subject azure_identity cache chain",
        ),
        (vec!["run", "--subject", "redis"], "there is: identity;"),
        (
            vec!["run", "--subject", "identity", "--driver", "node"],
            "cannot be used with",
        ),
        (vec!["explain"], "required"),
        (vec!["rnu"], "unrecognized subcommand"),
        (vec![], "Usage"),
    ] {
        let ran = credsim(&args);
        assert_eq!(ran.code, 2, "{args:?}");
        assert!(ran.err.contains(says), "{args:?}: {}", ran.err);
    }
}

#[test]
fn two_before_anything_runs_when_a_report_has_no_place() {
    let folder = folder("no-place");
    let inside = folder.join("missing/report.xml");
    let missing = format!("junit={}", inside.display());
    let same = format!("json={}", folder.join("same").display());
    let is_folder = format!("json={}", folder.display());
    for (reports, says) in [
        (vec![missing.as_str()], "create it first: mkdir -p"),
        (vec![is_folder.as_str()], "is a folder"),
        (
            vec![same.as_str(), same.as_str()],
            "two reports would be written to",
        ),
    ] {
        let mut args = vec!["run", GOOD];
        args.extend(reports.iter().flat_map(|report| ["--report", *report]));
        let ran = credsim(&args);
        assert_eq!(ran.code, 2);
        assert!(ran.err.contains(says), "{}", ran.err);
        assert!(!ran.err.contains("passed"), "something ran: {}", ran.err);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn three_when_the_command_itself_fails() {
    let ran = credsim(&["run", FAILING, "--report", "json=/dev/full"]);
    assert_eq!(
        (ran.code, last_line(&ran)),
        (3, "0 passed, 1 failed, 0 skipped")
    );
    assert!(
        ran.err.contains("the report `/dev/full` can't be written"),
        "{}",
        ran.err
    );
}

#[cfg(target_os = "linux")]
#[test]
fn three_when_standard_output_takes_no_data() {
    for args in [&["schema"][..], &["list"], &["run", GOOD, "--trace"]] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full");
        let mut child = command(PROGRAM)
            .args(args)
            .stdout(full.unwrap())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        let mut err = child.stderr.take().unwrap();
        err.read_to_string(&mut said).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(3), "{args:?}: {said}");
        let sentence = "error: standard output can't be written: ";
        assert_eq!(said.matches(sentence).count(), 1, "{args:?}: {said}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut schema = command(PROGRAM);
    let status = schema.arg("schema").stdout(writer).status().unwrap();
    assert_eq!(status.code(), Some(0));
}

#[cfg(unix)]
#[test]
fn two_for_a_file_that_leads_nowhere_and_the_others_of_its_folder_still_run() {
    let folder = folder("dangling");
    file(&folder, "good.toml", &good());
    std::os::unix::fs::symlink("gone", folder.join("dangling.toml")).unwrap();
    let ran = credsim(&["run", folder.to_str().unwrap()]);
    assert_eq!(
        (ran.code, last_line(&ran)),
        (2, "1 passed, 1 failed, 0 skipped"),
        "{}",
        ran.err
    );
    let says = flat(&ran.err);
    assert!(says.contains("this file can't be read"), "{}", ran.err);
    assert!(says.contains("dangling.toml (invalid)"), "{}", ran.err);
    let ran = credsim(&["check", folder.to_str().unwrap()]);
    assert_eq!((ran.code, last_line(&ran)), (2, "1 valid, 1 invalid"));
}

#[test]
fn four_when_nothing_is_selected() {
    let ran = credsim(&["run", "no/such-scenario"]);
    assert_eq!(
        (ran.code, last_line(&ran)),
        (4, "0 passed, 0 failed, 0 skipped")
    );
    assert!(
        ran.err
            .contains("there is no file, folder or bundled scenario"),
        "{}",
        ran.err
    );
    let ran = credsim(&["run", "no/such.toml"]);
    assert_eq!(ran.code, 4);
    assert!(
        ran.err.contains("there is no file `no/such.toml`"),
        "{}",
        ran.err
    );
    let ran = credsim(&["run", folder("empty").to_str().unwrap()]);
    assert_eq!(ran.code, 4);
}

#[test]
fn a_name_that_leads_nowhere_counts_unless_something_is_worse() {
    let ran = credsim(&["run", "no/such-scenario", GOOD]);
    assert_eq!(
        (ran.code, last_line(&ran)),
        (4, "1 passed, 0 failed, 0 skipped")
    );
    let ran = credsim(&["run", "no/such-scenario", FAILING]);
    assert_eq!(
        (ran.code, last_line(&ran)),
        (1, "0 passed, 1 failed, 0 skipped")
    );
}

#[test]
fn what_is_only_left_out_has_not_passed() {
    let folder = folder("left-out");
    let long = good().replace("lasts = \"1m\"", "lasts = \"11m\"");
    let long = file(
        &folder,
        "long.toml",
        &long.replace("every = \"30s\"", "every = \"6m\""),
    );
    let ran = credsim(&["run", "--engine", "turmoil", &long]);
    assert_eq!(
        (ran.code, last_line(&ran)),
        (4, "0 passed, 0 failed, 1 skipped"),
        "{}",
        ran.err
    );
    assert!(ran.err.contains("the world lasts 11m"), "{}", ran.err);
    let says = flat(&ran.err);
    assert!(says.contains("turmoil carries up to 10m"), "{}", ran.err);
    let ran = credsim(&["run", "--engine", "turmoil", &long, GOOD]);
    assert_eq!(
        (ran.code, last_line(&ran)),
        (0, "1 passed, 0 failed, 1 skipped"),
        "{}",
        ran.err
    );
    let ran = credsim(&["run", &long]);
    assert_eq!(
        (ran.code, last_line(&ran)),
        (0, "1 passed, 0 failed, 0 skipped"),
        "{}",
        ran.err
    );
}

/// The command reads every file, then says which names lead nowhere, then plays: what changes
/// between the first two is seen by the second process alone.
#[cfg(unix)]
#[test]
fn five_when_a_second_process_sees_something_else() {
    let folder = folder("unrepeatable");
    let path = file(&folder, "scenario.toml", &good());
    let other = file(&folder, "other", &good().replace("5e29463d", "0ddba115"));
    // More than a pipe holds: the command waits for its reader until the file is another one.
    let missing = (0..300).map(|name| format!("{name}-{}", "x".repeat(300)));
    let mut running = command(PROGRAM);
    running.args(["run", "--twice", &path]).args(missing);
    running.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut running = running.spawn().unwrap();
    let mut reader = running.stderr.take().unwrap();
    let mut said = [0; 1];
    reader.read_exact(&mut said).unwrap();
    std::fs::rename(other, path).unwrap();
    let mut err = String::from_utf8(said.to_vec()).unwrap();
    reader.read_to_string(&mut err).unwrap();
    let ran = Ran {
        code: running.wait().unwrap().code().unwrap(),
        out: String::new(),
        err,
    };
    assert_eq!(
        (ran.code, last_line(&ran)),
        (5, "0 passed, 1 failed, 0 skipped"),
        "{}",
        ran.err
    );
    assert!(
        ran.err.contains("is not the same in a second process"),
        "{}",
        ran.err
    );
    assert!(
        ran.err.contains("5e29463d") && ran.err.contains("0ddba115"),
        "{}",
        ran.err
    );
    assert!(
        ran.err.contains("scenario.toml (nondeterministic)\n"),
        "{}",
        ran.err
    );
}

#[test]
fn a_repeatable_run_is_played_twice_and_passes() {
    let ran = credsim(&["run", "--twice", GOOD, FAILING]);
    assert_eq!(
        (ran.code, last_line(&ran)),
        (1, "1 passed, 1 failed, 0 skipped"),
        "{}",
        ran.err
    );
    assert!(!ran.err.contains("nondeterministic"), "{}", ran.err);
}

#[cfg(target_os = "linux")]
#[test]
fn the_second_process_ends_with_the_first() {
    // Twenty days take long enough for the second process to be seen.
    let long = good().replace("lasts = \"1m\"", "lasts = \"20d\"");
    let path = file(&folder("long"), "long.toml", &long);
    let mut running = command(PROGRAM);
    running.args(["run", "--twice", "--jobs=1", &path]);
    running.stdout(Stdio::null()).stderr(Stdio::null());
    let mut running = running.spawn().unwrap();
    let id = running.id();
    let children = || {
        let threads = std::fs::read_dir(format!("/proc/{id}/task")).unwrap();
        let children = threads
            .flatten()
            .map(|thread| thread.path().join("children"));
        let children = children.filter_map(|path| std::fs::read_to_string(path).ok());
        children.collect::<String>()
    };
    let child = loop {
        if let Some(child) = children().split_whitespace().next() {
            break child.to_owned();
        }
        assert!(running.try_wait().unwrap().is_none(), "it has ended");
        std::thread::sleep(std::time::Duration::from_millis(1));
    };
    // It asks for the signal in its first lines.
    let asks = format!("/proc/{child}/cmdline");
    while !std::fs::read_to_string(&asks).unwrap().contains("--parent") {
        std::thread::yield_now();
    }
    let killed = command("kill").args(["-TERM", &id.to_string()]).status();
    assert!(killed.unwrap().success());
    running.wait().unwrap();
    let is_there = || {
        let status = std::fs::read_to_string(format!("/proc/{child}/stat"));
        status.is_ok_and(|status| !status.contains(") Z ") && !status.contains(") X "))
    };
    while is_there() {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

/// What a usage error quotes of the command line steers neither the terminal nor GitHub Actions,
/// and no token is in it.
#[test]
fn a_usage_error_is_escaped() {
    const EVIL: &str = "\u{1b}[31mred\u{7}\n::error::pwned\u{202e}\u{9b}31m\u{2028}##[error]x";
    let token = format!("eyJhbGciOiJub25lIn0.{}.c2lnbmF0dXJl", "eyJzdWIiOiJhIn0");
    let option = format!("--{EVIL}");
    let value = format!("--seed={EVIL}{token}");
    for args in [
        &["run", &option][..],
        &["run", &value],
        &["run", "--format", EVIL],
        &["run", "--report", EVIL],
        &["serve", "x", "--env", EVIL],
        &["serve", "x", "--as", EVIL],
        &["serve", "x", "--machine-imds", EVIL],
        &["serve", "x", "--driver", EVIL],
        &["list", EVIL, "--", &option],
        &["explain", &option],
        &["check", &option],
        &["run", "--color", EVIL],
        &[EVIL],
        &["launch-child", EVIL, "--", "true"],
    ] {
        let ran = credsim(args);
        assert_ne!(ran.code, 0, "{args:?}");
        let all = ran.out + &ran.err;
        let hidden = |c: char| c != '\n' && c.is_control() || matches!(c, '\u{202e}' | '\u{2028}');
        assert!(!all.contains(hidden), "{args:?}: {all:?}");
        assert!(
            !all.lines().any(|line| line.trim_start().starts_with("::")),
            "{all}"
        );
        assert!(!all.contains("##[") && !all.contains(&token), "{all}");
        assert!(!all.is_empty(), "{args:?}");
    }
    // What is said beside it stays as it was.
    let ran = credsim(&["run", "--sede", "3"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.err
            .starts_with("error: unexpected argument '--sede' found\n"),
        "{}",
        ran.err
    );
}
