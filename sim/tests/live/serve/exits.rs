//! Exit codes of `serve`, and its messages when it cannot do what it is asked.

use std::{fs, net::TcpListener};

use serde_json::Value;

use super::{
    Case,
    support::{ALWAYS, IMDS, SERVICES, World, tokens},
};

pub const ALL: &[Case] = &[
    ("exits/as-the-command-does", as_the_command),
    ("exits/a-failed-verdict-is-a-failure", failed_verdict),
    (
        "exits/known-failures-of-the-declared-subject",
        known_failures,
    ),
    ("exits/within-a-window", within_a_window),
    ("exits/more-events-than-are-kept", more_than_kept),
    ("exits/reports-are-written", reports),
    ("exits/each-line-is-written-at-once", at_once),
    ("exits/a-command-that-is-not-there", no_command),
    ("exits/a-port-in-use", port_in_use),
    ("exits/a-clock-step-cannot-be-served", clock_step),
    ("exits/a-refusal-cannot-be-served", refusal),
    ("exits/a-command-that-ignores-the-variables", ignores),
    ("exits/a-folder-with-too-long-a-path", long_path),
    ("exits/a-folder-whose-path-cannot-be-used", odd_path),
    ("exits/a-folder-with-a-relative-path", relative_path),
    (
        "exits/a-metadata-service-of-the-machine",
        metadata_of_the_machine,
    ),
    #[cfg(target_os = "linux")]
    ("exits/a-full-disk-is-an-error", full),
];

/// An expectation that any request to IMDS breaks.
const NO_REQUEST: &str = "that.requests = { to.imds = {}, exactly = 0 }";

fn as_the_command() {
    let world = World::usual();
    world.client(&["get", IMDS]).with(0).prints(&["1 passed"]);
    world.shell("exit 3").with(3);
    let failed = World::usual().arg("--env").arg("EXIT=3");
    failed.client(&["get", IMDS]).with(3).prints(&[
        "note: the command failed: it ended with exit code 3",
        "1 passed",
        "; requests count at http://169.254.169.254\n",
    ]);
    world.shell("kill -KILL $$").with(128 + 9);
    world.shell("kill -TERM $$").with(128 + 15);
}

fn failed_verdict() {
    let world = World::with(SERVICES, NO_REQUEST);
    let ended = world.client(&["get", IMDS]).with(1);
    tokens(&ended, 1);
    ended.prints(&["expect[1] requests", "0 passed, 1 failed, 0 skipped"]);
    // The command's own exit code has precedence.
    let world = world.arg("--env").arg("EXIT=3");
    world.client(&["get", IMDS]).with(3).prints(&["1 failed"]);
}

/// A machine with a metadata service of its own is told of, and refused if that is asked for. The
/// world is the same otherwise.
fn metadata_of_the_machine() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let world = || World::usual().arg(&format!("--machine-imds={address}"));
    const TOLD: &str = "this machine's own 127.0.0.1 answers";
    let ended = world().client(&["get", IMDS]).with(0);
    tokens(&ended, 1);
    ended.prints(&[
        &format!("warning: {TOLD}"),
        "--strict-network refuses",
        "1 passed",
    ]);
    let ended = world()
        .arg("--strict-network")
        .client(&["get", IMDS])
        .with(2);
    ended.prints(&[&format!("error: {TOLD}"), "help: leave --strict-network"]);
    assert_eq!(ended.out, "");
    drop(listener);
    let ended = world().arg("--strict-network").client(&["get", IMDS]);
    let ended = ended.with(0);
    assert!(!ended.err.contains("this machine's own"), "{}", ended.err);
}

/// A world that has seen more events than it keeps gives no verdict, whatever is left of them says;
/// its report has the latest.
fn more_than_kept() {
    let world = World::with(SERVICES, NO_REQUEST)
        .arg("--keep-events=3")
        .arg("--report=json=out.json");
    let ended = world.client(&["get", IMDS, "get", IMDS, "get", IMDS]);
    tokens(&ended, 3);
    ended.with(4).prints(&[
        "nothing is judged: the world saw 6 events and kept the latest 3 (--keep-events)",
        "0 passed, 0 failed, 1 skipped",
    ]);
    let report = world.text("out.json");
    assert!(report.contains("nothing is judged"), "{report}");
}

/// Known failures of a subject apply to a command that `--as` declares to be this subject, and are
/// checked in both directions.
fn known_failures() {
    let judged = |expected: &str, subject: Option<&str>, code: i32| {
        let known = "[[known-failure]]\nsubject = \"an-sdk 1.2.3\"\nfails = [\"expect[1]\"]\n\
                     breaks = \"PR-01\"\nfact = \"MI-66\"\nreason = \"it asks at once\"";
        let mut world = World::with(SERVICES, &format!("{expected}\n{known}"));
        for arg in subject.iter().flat_map(|subject| ["--as", subject]) {
            world = world.arg(arg);
        }
        world.client(&["get", IMDS]).with(code)
    };
    let it = Some("an-sdk 1.2.3");
    judged(NO_REQUEST, it, 0).prints(&[
        "an-sdk 1.2.3 breaks PR-01 (MI-66): it asks at once",
        "1 known failure of an-sdk 1.2.3",
        "1 passed, 0 failed, 0 skipped",
    ]);
    judged(ALWAYS, it, 1).prints(&[
        "this no longer fails: remove the entry",
        "serve world.toml --seed 1 --as 'an-sdk 1.2.3' --until-exit",
    ]);
    judged(NO_REQUEST, Some("an-sdk 1.3.0"), 1).prints(&["another version"]);
    // They apply neither to an undeclared command nor to another SDK.
    let ended = judged(NO_REQUEST, None, 1);
    assert!(!ended.err.contains("an-sdk"), "{}", ended.err);
    judged(NO_REQUEST, Some("another 1.2.3"), 1)
        .prints(&["no failure of another 1.2.3 is known here, only of an-sdk 1.2.3"]);
    judged(ALWAYS, None, 0);
    let ended = judged(ALWAYS, Some("an-sdk"), 2);
    ended.prints(&["expected a name and a version, such as 'node-redis 6.3.1'"]);
}

/// A run that ends within the window cannot confirm an upper bound. A lower bound that is reached
/// and an upper bound that is exceeded stay so.
fn within_a_window() {
    let judged = |bounds: &str, code: i32| {
        let expected =
            format!("that.requests = {{ to.imds = {{}}, between = [\"0s\", \"1h\"], {bounds} }}");
        World::with(SERVICES, &expected)
            .client(&["get", IMDS])
            .with(code)
    };
    const UNSEEN: &str = "the run ended within the time that it is about: expect[1] requests";
    for open in ["at-most = 5", "exactly = 1", "at-least = 2"] {
        // It is the only expectation, so the run ends with "nothing observed".
        judged(open, 4).prints(&[UNSEEN]);
    }
    let enough = judged("at-least = 1", 0);
    assert!(!enough.err.contains(UNSEEN), "{}", enough.err);
    judged("at-most = 0", 1).prints(&["expect[1] requests", "0 passed, 1 failed"]);
}

/// Several processes share a terminal or a file: none may get into a line of another.
fn at_once() {
    for color in ["never", "always"] {
        let world = World::usual().arg("--color").arg(color);
        let writes = world.writes(&["get", IMDS, "get", IMDS]);
        let journal = writes.iter().filter(|text| text.contains("request 2"));
        assert_eq!(journal.count(), 2, "{writes:?}");
        for text in &writes {
            assert!(text.ends_with('\n'), "{text:?} in {writes:?}");
        }
    }
}

fn reports() {
    let world = World::with(SERVICES, NO_REQUEST)
        .arg("--report")
        .arg("junit=out.xml")
        .arg("--report")
        .arg("json=out.json")
        .arg("--requests")
        .arg("requests.jsonl");
    world.client(&["get", IMDS]).with(1);
    let junit = world.text("out.xml");
    assert!(junit.contains("failures=\"1\""), "{junit}");
    assert!(junit.contains("expect[1] requests"), "{junit}");
    let json: Value = serde_json::from_str(&world.text("out.json")).unwrap();
    assert_eq!(json["scenarios"][0]["outcome"], "failed");
    assert_eq!(json["summary"]["exit"], 1);
    let requests = world.text("requests.jsonl");
    let request: Value = serde_json::from_str(requests.trim()).unwrap();
    assert_eq!(request["request"]["endpoint"], "imds");
    assert_eq!(request["request"]["query"][0][1], "2018-02-01");
}

fn no_command() {
    let ended = World::usual().run(&["no-such-program"]).with(127);
    assert!(!ended.err.contains("HTTPS_PROXY"), "{}", ended.err);
    ended.prints(&[
        "no-such-program cannot be started",
        "is it installed, and on the PATH?",
    ]);
    assert!(!ended.err.contains("HTTPS_PROXY"), "{}", ended.err);
    let world = World::usual();
    fs::write(world.path("plain"), "no program").unwrap();
    world
        .run(&["./plain"])
        .with(127)
        .prints(&["./plain cannot be started"]);
}

fn port_in_use() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let world = World::usual().arg("--port").arg(&port);
    let ended = world.run(&["true"]).with(3);
    ended.prints(&[
        &format!("port {port} of 127.0.0.1 is in use"),
        "leave --port out",
    ]);
    drop(taken);
    world
        .client(&["get", IMDS])
        .with(0)
        .prints(&[&format!("http://127.0.0.1:{port};")]);
}

fn clock_step() {
    let has = format!("{SERVICES}[[at]]\ntime = \"1s\"\ndo.step-clock = {{ by = \"1h\" }}\n");
    let ended = World::with(&has, ALWAYS).run(&["true"]).with(2);
    ended.prints(&[
        "cannot be served: a clock is stepped",
        "credsim run world.toml",
    ]);
}

fn refusal() {
    let has = "[world.imds]\nreach = \"refused\"\n";
    let ended = World::with(has, ALWAYS).run(&["true"]).with(2);
    ended.prints(&[
        "cannot be served: a service refuses connections",
        "`serve --imds variable` can show",
    ]);
}

fn ignores() {
    let world = World::usual();
    let hint = ["never reached the world", "HTTPS_PROXY"];
    // Nothing was observed, so there is no verdict.
    let ended = world.run(&["true"]).with(4);
    ended.prints(&hint);
    ended.prints(&[
        "nothing could be observed: no request reached the world",
        "0 passed, 0 failed, 1 skipped",
    ]);
    let ended = world.client(&["get", IMDS]).with(0);
    assert!(!ended.err.contains(hint[0]), "{}", ended.err);
}

fn long_path() {
    let world = World::usual();
    let long = world.path(&"x".repeat(100));
    fs::create_dir(&long).unwrap();
    let world = world.variable("TMPDIR", long.to_str().unwrap());
    let ended = world.run(&["true"]).with(3);
    ended.prints(&[
        "too long for the path of a socket",
        "set TMPDIR to a shorter one",
    ]);
}

/// A folder for temporary files that cannot stand in PATH, or is not there, is refused before a
/// command runs.
fn odd_path() {
    for (name, is_there, says) in [
        ("c:d", true, "its path has a colon"),
        ("line\nbreak", true, "its path has a control"),
        ("missing", false, "no folder for the run can be made in"),
    ] {
        let world = World::usual();
        let folder = world.path(name);
        if is_there {
            fs::create_dir(&folder).unwrap();
        }
        let world = world.variable("TMPDIR", folder.to_str().unwrap());
        let ended = world.run(&["touch", "ran"]).with(3);
        ended.prints(&[says, "TMPDIR"]);
        assert!(!world.path("ran").exists());
    }
}

/// A relative one, or an empty one, works: a command in another folder finds all that it is told
/// of.
fn relative_path() {
    for (folder, expected) in [("runs", "runs/credsim-"), ("", "/tmp/credsim-")] {
        let world = World::usual().variable("TMPDIR", folder);
        let script = "cd /; ls -d $HOME; ls $SSL_CERT_FILE $CREDSIM_WORLD; az; echo $?";
        let ended = world.shell(script);
        let said = ended.out.lines().collect::<Vec<_>>();
        assert_eq!(said.len(), 4, "{}\n{}", ended.out, ended.err);
        assert!(
            said[0].starts_with('/') && said[0].contains(expected),
            "{}",
            ended.out
        );
        assert_eq!(said[3], "127");
    }
}

/// A full disk is an error although the command has succeeded.
#[cfg(target_os = "linux")]
fn full() {
    let world = World::usual().arg("--requests").arg("/dev/full");
    let ended = world.client(&["get", IMDS, "get", IMDS]).with(3);
    tokens(&ended, 2);
    assert_eq!(ended.err.matches("/dev/full").count(), 1, "{}", ended.err);
    ended.prints(&["`/dev/full` can't be written: "]);
    let world = World::usual().arg("--format").arg("json");
    let ended = world.run_into("/dev/full", &["true"]).with(3);
    ended.prints(&["standard output can't be written: "]);
}
