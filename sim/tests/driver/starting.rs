//! The start of a driver, and what prevents it.

use std::{fs, time::Instant};

use credsim::subject::{Driver, Subject as _};

use super::support::{Case, SHORT, environment, fake, holds, scenario, short};

pub const ALL: &[Case] = &[
    ("starting/the-sdk-of-a-driver", who_it_is),
    ("starting/the-credentials-of-a-driver", what_it_can),
    ("starting/no-such-program", no_such_program),
    ("starting/a-file-that-is-no-program", no_program),
    ("starting/it-dies-at-once", dies_at_once),
    ("starting/it-sends-nothing", silent),
    ("starting/it-sends-no-json", garbage),
    (
        "starting/a-token-in-nonsense-is-not-shown",
        garbage_with_a_token,
    ),
    ("starting/it-never-ends-its-line", endless_line),
    ("starting/it-speaks-another-protocol", another_protocol),
    ("starting/it-sends-an-incomplete-hello", half_a_hello),
    ("starting/it-says-what-cannot-be", what_cannot_be),
    ("starting/its-errors-are-of-one-kind", one_kind),
    ("starting/it-asks-for-one-scope", one_scope),
];

fn who_it_is() {
    let driver = fake("good");
    assert!(driver.name().ends_with("--as-driver good"));
    assert_eq!(driver.probe(&[]).unwrap().name(), "fake 1.0");
}

fn what_it_can() {
    let supports = |driver: &Driver, credential| driver.supports(&scenario(credential));
    let driver = fake("good");
    assert_eq!(
        supports(&driver, "default = {}"),
        Ok(()),
        "nobody knows yet"
    );
    let driver = driver.probe(&[]).unwrap();
    assert_eq!(supports(&driver, "azure-cli = { tenant = \"t\" }"), Ok(()));
    let reason = supports(&driver, "default = {}").unwrap_err();
    assert_eq!(reason, "fake 1.0 has no `default`: it is a fake");
    let reason = supports(&driver, "azure-cli = { process-timeout = \"1s\" }").unwrap_err();
    assert_eq!(reason, "fake 1.0 has no `process-timeout` of `azure-cli`");
    let session = driver.start(&[]).unwrap().unwrap();
    assert!(session.supports(&scenario("default = {}")).is_err());
}

/// Returns the error with which this driver fails to start.
fn error(driver: Driver) -> String {
    driver.probe(&[]).expect_err("it must not start")
}

fn no_such_program() {
    let driver = Driver::new(vec!["credsim-has-no-such-program".to_owned()]);
    holds(
        &error(driver),
        &[
            "`credsim-has-no-such-program` can't be started",
            "there is no such program on the PATH",
            "Node.js",
            "sim/drivers/install",
        ],
    );
    assert!(error(Driver::new(Vec::new())).contains("no program is named"));
}

fn no_program() {
    let file = std::env::temp_dir().join(format!("credsim-{}.txt", std::process::id()));
    fs::write(&file, "I am a text\n").unwrap();
    let driver = Driver::new(vec![file.to_str().unwrap().to_owned()]);
    let error = error(driver);
    fs::remove_file(file).unwrap();
    holds(&error, &["can't be started", "denied"]);
}

fn dies_at_once() {
    holds(
        &error(fake("dies at once")),
        &[
            "--as-driver dies at once` ended in the middle of the conversation (exit status 3)",
            "standard error:\n    Cannot find package\n",
            "sim/drivers/install",
        ],
    );
}

fn silent() {
    let started = Instant::now();
    let error = error(fake("silent").limits(short()));
    holds(&error, &["did not answer `hello` within 400ms"]);
    assert!(started.elapsed() < 20 * SHORT, "{:?}", started.elapsed());
}

fn garbage() {
    holds(
        &error(fake("garbage")),
        &["wrote what is no JSON (", ": Hello, I am a driver."],
    );
}

fn garbage_with_a_token() {
    let error = error(fake("garbage with a token"));
    holds(
        &error,
        &["wrote what is no JSON", "(withheld: it holds a secret)"],
    );
    assert!(!error.contains("eyJ"), "{error}");
}

fn endless_line() {
    holds(
        &error(fake("endless line")),
        &["wrote what can't be read: a line is longer than 1048576 bytes"],
    );
}

fn another_protocol() {
    holds(
        &error(fake("another protocol")),
        &["speaks protocol 7, and this credsim speaks protocol 1"],
    );
}

fn half_a_hello() {
    let error = fake("half a hello").probe(&environment(&[]));
    holds(
        &error.expect_err("half"),
        &["does not say in `hello`", "missing field `sdk`"],
    );
}

fn what_cannot_be() {
    holds(
        &error(fake("a kind that is none")),
        &[
            "says in `hello` what cannot be: `credentials` has `azure-clii`, which is none of `default`",
            "in line 3 of its standard output says",
        ],
    );
}

/// What its errors do not tell is not judged.
fn one_kind() {
    let driver = fake("one kind of error");
    assert!(driver.visibility().kinds, "nothing is known yet");
    let driver = driver.probe(&[]).unwrap();
    assert!(!driver.visibility().kinds && driver.visibility().calls);
    let session = driver.start(&[]).unwrap().unwrap();
    assert!(!session.visibility().kinds);
    let usual = fake("good").probe(&[]).unwrap();
    assert!(usual.visibility().kinds);
}

fn one_scope() {
    let driver = fake("one scope").probe(&[]).unwrap();
    let reason = driver.supports(&scenario("azure-cli = {}")).unwrap_err();
    assert!(
        reason.starts_with(
            "fake 1.0 asks for https://redis.azure.com/.default alone, and a call for "
        ),
        "{reason}"
    );
}
