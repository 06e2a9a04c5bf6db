//! Scenario files that are too large, are no files, or hold very many mistakes, and reports that
//! cannot be written.

use std::{fmt::Write as _, process::Command};

use crate::support::{GOOD, PROGRAM, Ran, command, credsim, file, finish, folder, good, last_line};

/// Checks and runs the file at `path`.
fn refused(path: &str) -> Ran {
    let checked = credsim(&["check", path]);
    assert_eq!(
        (checked.code, last_line(&checked)),
        (2, "0 valid, 1 invalid"),
        "{}",
        checked.err
    );
    let ran = credsim(&["run", path, GOOD]);
    assert_eq!(
        (ran.code, last_line(&ran)),
        (2, "1 passed, 1 failed, 0 skipped"),
        "{}",
        ran.err
    );
    checked
}

#[test]
fn a_file_above_the_limit_is_refused_and_one_at_it_is_read() {
    const LIMIT: usize = 1 << 20;
    let folder = folder("large");
    let mut text = good();
    text.extend(std::iter::repeat_n('#', LIMIT - text.len()));
    let at_the_limit = file(&folder, "at.toml", &text);
    assert_eq!(credsim(&["check", &at_the_limit]).code, 0);
    text.push('#');
    let above = file(&folder, "above.toml", &text);
    let said = refused(&above).err;
    for part in [
        "above.toml:1:1",
        "larger than 1 MiB",
        "expected: a scenario file of at most 1 MiB",
    ] {
        assert!(said.contains(part), "{said}");
    }
}

#[test]
#[cfg(unix)]
fn what_is_no_file_is_refused_with_a_sentence() {
    let said = refused("/dev/zero").err;
    assert!(said.contains("this is a device"), "{said}");
    assert!(said.contains("expected: a regular file"), "{said}");
    let folder = folder("pipes");
    let pipe = folder.join("pipe.toml");
    let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let said = refused(pipe.to_str().unwrap()).err;
    assert!(said.contains("this is a pipe"), "{said}");
    let said = refused(folder.to_str().unwrap()).err;
    assert!(said.contains("pipe.toml:1:1"), "{said}");
}

/// A file in which every line of `[world.environment]`'s place is a mistake.
fn with_mistakes(count: usize) -> String {
    let mut text = String::new();
    (0..count).for_each(|key| _ = writeln!(text, "unknown-key-{key} = 1"));
    text + &good()
}

#[test]
fn the_first_mistakes_are_shown_and_the_others_counted() {
    let folder = folder("mistakes");
    let path = file(&folder, "many.toml", &with_mistakes(20_000));
    let said = refused(&path).err;
    assert_eq!(said.matches("error: ").count(), 50, "{said}");
    for part in [
        "many.toml:1:1",
        "many.toml:50:1",
        "19950 more mistakes in this file are not shown",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let json = credsim(&["check", "--format", "json", &path]).out;
    assert_eq!(json.matches("\"type\":\"diagnostic\"").count(), 50);
    assert!(json.ends_with("many.toml\",\"count\":19950}\n"), "{json}");
    let github = credsim(&["check", "--format", "github", &path]).out;
    assert_eq!(github.matches("::error file=").count(), 51);
    let json = credsim(&["run", "--format", "json", &path]).out;
    assert!(json.contains("\"diagnostics-left-out\":19950"));
    let exactly = file(&folder, "fifty.toml", &with_mistakes(50));
    let said = refused(&exactly).err;
    assert!(!said.contains("not shown"), "{said}");
}

#[test]
fn unknown_names_among_many_known_ones_take_linear_time() {
    let folder = folder("names");
    let mut text = good();
    for number in 0..6_000 {
        let _ = write!(
            text,
            "[[at]]\ntime = \"1s\"\ndo.az-login = {{ account = \"nobody-{number}\" }}\n"
        );
        let _ = write!(
            text,
            "[world.accounts.\"somebody-{number}\"]\nobject-id = \"{number:08}-0000-0000-0000-000000000001\"\n"
        );
    }
    let path = file(&folder, "many.toml", &text);
    let said = refused(&path).err;
    // Were each unknown name compared with each known one, this would take minutes.
    assert!(said.contains("there is no account `nobody-0`"), "{said}");
    assert!(said.contains("more mistakes in this file"), "{said}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_report_that_cannot_be_written_leaves_the_old_one() {
    let folder = folder("full-disk");
    let report = file(&folder, "report.json", "the old one");
    // No file of the shell's children may grow: as if the disk were full.
    let script = format!(
        "trap '' XFSZ; ulimit -f 0; exec \"$0\" run {GOOD} --report json={report} 2>/dev/null"
    );
    let ran = finish(command("sh").args(["-c", &script, PROGRAM]));
    assert_eq!(ran.code, 3);
    assert_eq!(std::fs::read_to_string(&report).unwrap(), "the old one");
    let left: Vec<_> = std::fs::read_dir(&folder).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
#[cfg(unix)]
fn two_reports_in_one_file_are_wrong_usage_in_every_spelling() {
    let folder = folder("spellings");
    let path = folder.join("out");
    std::os::unix::fs::symlink("out", folder.join("link")).unwrap();
    for other in ["out", "./out", "link"] {
        let [one, other] = [
            format!("--report=junit={}", path.display()),
            format!("--report=json={}/{other}", folder.display()),
        ];
        let ran = credsim(&["run", GOOD, &one, &other]);
        let says = "two reports would be written to";
        assert!(ran.code == 2 && ran.err.contains(says), "{}", ran.err);
        assert!(!path.exists());
    }
}
