//! Ends of a driver: a regular one, a crash, and one that has to be forced.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use credsim::{
    simulation::Settings,
    subject::{Driver, Subject},
};
use credsim_identity::{ErrorKind, TokenRequest};

use super::support::{
    Case, SHORT, block_on, build, built, environment, fake, holds, scenario, short, started,
};

pub const ALL: &[Case] = &[
    ("ending/when-its-input-ends", ends_by_itself),
    ("ending/killed-when-it-does-not", killed),
    ("ending/what-it-started-ends-too", children),
    ("ending/in-the-middle-of-a-call", in_a_call),
    ("ending/in-the-middle-of-a-run", in_a_run),
    ("ending/its-output-alone", output_alone),
    ("ending/its-input-alone", input_alone),
    ("ending/a-driver-that-was-not-started", not_started),
];

/// The process group of a started driver.
fn group(subject: &Arc<dyn Subject>) -> i32 {
    let token = block_on(
        built(subject)
            .credential
            .get_token(&TokenRequest::new(["s"])),
    );
    token.unwrap().answered_by().parse().unwrap()
}

/// Returns whether this process, or the process group of this number, has ended. Always `true` on
/// systems other than Unix, which the test cannot ask.
pub fn is_gone_now(number: i32) -> bool {
    #[cfg(unix)]
    {
        use rustix::process::{Pid, test_kill_process, test_kill_process_group};
        let pid = Pid::from_raw(number).unwrap();
        test_kill_process(pid).is_err() && test_kill_process_group(pid).is_err()
    }
    #[cfg(not(unix))]
    true
}

/// As [`is_gone_now`], within 2 s: a killed orphan stays in the process table until init has
/// reaped it.
pub fn is_gone(number: i32) -> bool {
    (0..100).any(|_| {
        thread::sleep(Duration::from_millis(20));
        is_gone_now(number)
    })
}

fn ends_by_itself() {
    let subject = started("process");
    let group = group(&subject);
    let started = Instant::now();
    drop(subject);
    assert!(
        started.elapsed() < Duration::from_secs(10),
        "{:?}",
        started.elapsed()
    );
    assert!(is_gone(group));
}

fn killed() {
    let subject = fake("does not end").limits(credsim::subject::driver::Limits {
        farewell: short().farewell,
        ..Default::default()
    });
    let subject = subject.start(&[]).unwrap().unwrap();
    let group = group(&subject);
    let started = Instant::now();
    drop(subject);
    assert!(started.elapsed() >= SHORT && started.elapsed() < 20 * SHORT);
    assert!(is_gone(group));
}

fn children() {
    let subject = fake("child").limits(credsim::subject::driver::Limits {
        farewell: short().farewell,
        ..Default::default()
    });
    let subject = subject.start(&[]).unwrap().unwrap();
    let group = group(&subject);
    drop(subject);
    assert!(is_gone(group));
}

fn in_a_call() {
    let subject = started("dies in a call");
    let credential = built(&subject).credential;
    let request = TokenRequest::new(["s"]);
    let (one, two) = block_on(async {
        tokio::join!(
            credential.get_token(&request),
            credential.get_token(&request)
        )
    });
    for error in [one.unwrap_err(), two.unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::Cancelled);
        assert_eq!(
            error.to_string(),
            "AzureCliCredential: the driver of the SDK is broken"
        );
    }
    holds(
        &subject.harness_failure().unwrap(),
        &[
            "ended in the middle of the conversation (exit status 9)",
            "    out of memory\n",
        ],
    );
}

/// Asserts that the run is a failure of the harness, whatever its trace shows, and that its text
/// holds no secret.
fn in_a_run() {
    let scenario = scenario("client-secret = { client-id = \"a\", secret = \"s3cret\" }");
    let subject = fake("dies at building").start(&environment(&[])).unwrap();
    let settings = Settings {
        subject: subject.unwrap(),
        ..Settings::default()
    };
    let error = settings.play(&scenario).unwrap_err().to_string();
    holds(
        &error,
        &[
            "(signal 6)",
            "(withheld: it holds a secret)",
            "segmentation fault, or so",
        ],
    );
    assert!(!error.contains("s3cret"), "{error}");
}

/// Returns the failure with a driver, here a shell script, that runs `before`, answers that it has
/// built the credential, runs `after`, and then sleeps.
fn fault_of_script(before: &str, after: &str) -> String {
    let hello = r#"{"id":1,"ok":{"protocol":1,"sdk":"sh","version":"1","credentials":{}}}"#;
    let done = r#"{"id":2,"ok":{"class":"C"}}"#;
    let script = format!(
        "read q; echo '{hello}'; read q; {before} echo '{done}'; {after} exec /bin/sleep 60"
    );
    let words = ["/bin/sh", "-c", &script].map(str::to_owned);
    let driver = Driver::new(words.to_vec()).limits(short());
    let subject = driver.start(&[]).unwrap().unwrap();
    let credential = built(&subject).credential;
    let error = block_on(credential.get_token(&TokenRequest::new(["s"]))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    subject.harness_failure().unwrap()
}

fn output_alone() {
    holds(
        &fault_of_script("", "exec >&-;"),
        &["closed its standard output in the middle of the conversation"],
    );
}

fn input_alone() {
    holds(
        &fault_of_script("exec <&-;", ""),
        &["does not read what it is asked"],
    );
}

fn not_started() {
    let subject: Arc<dyn Subject> = Arc::new(fake("good"));
    let Err(error) = build(&subject, &scenario("azure-cli = {}"), &Arc::default()) else {
        panic!("it was built");
    };
    assert_eq!(error.kind(), ErrorKind::Configuration);
    holds(
        &error.to_string(),
        &["was not started for this run", "--engine live"],
    );
}
