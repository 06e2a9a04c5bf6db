//! What the tests of drivers share.

use std::{
    env,
    ffi::OsString,
    future::Future,
    sync::{Arc, Mutex, mpsc},
    thread,
    time::Duration,
};

use credsim::{
    story::Scenario,
    subject::{Built, Driver, Lent, Subject, driver::Limits},
};
use credsim_identity::{Error, IdentityChange, Observer, Platform};

/// A test: its name and its body.
pub type Case = (&'static str, fn());

/// The time limit of a step that succeeds, on a busy machine.
const LONG: Duration = Duration::from_secs(20);

/// The time limit for a driver that never answers: tests wait until it has passed.
pub const SHORT: Duration = Duration::from_millis(400);

/// Runs `test`, and fails if it hangs.
pub fn soon(test: fn()) {
    let (done, wait) = mpsc::channel();
    let thread = thread::spawn(move || {
        test();
        let _ = done.send(());
    });
    if wait.recv_timeout(2 * LONG) == Err(mpsc::RecvTimeoutError::Timeout) {
        panic!("it hangs");
    }
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

/// The fake driver for this case.
pub fn fake(case: &str) -> Driver {
    let this = env::current_exe().unwrap().to_str().unwrap().to_owned();
    Driver::new(vec![this, "--as-driver".to_owned(), case.to_owned()]).limits(Limits {
        hello: LONG,
        build: LONG,
        farewell: LONG,
    })
}

/// Limits for a driver that does not answer.
pub fn short() -> Limits {
    Limits {
        hello: SHORT,
        build: SHORT,
        farewell: SHORT,
    }
}

/// The variables of a world, for `Subject::start`.
pub fn environment(variables: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
    let pair = |(name, value): &(&str, &str)| (name.into(), value.into());
    variables.iter().map(pair).collect()
}

/// The started fake driver for this case.
pub fn started(case: &str) -> Arc<dyn Subject> {
    fake(case).start(&[]).unwrap().unwrap()
}

/// Collects the reported changes of identity.
#[derive(Default)]
pub struct Heard(pub Mutex<Vec<String>>);

impl Observer for Heard {
    fn identity_changed(&self, change: &IdentityChange) {
        let text = format!("{} -> {}, {}", change.from, change.to, change.refused);
        self.0.lock().unwrap().push(text);
    }
}

/// Builds the credential of `scenario`.
pub fn build(
    subject: &Arc<dyn Subject>,
    scenario: &Scenario,
    heard: &Arc<Heard>,
) -> Result<Built, Error> {
    let lent = Lent {
        platform: Platform::system(),
        observer: heard.clone(),
        tenant: "contoso".to_owned(),
        redis: Vec::new(),
        reporter: Arc::new(|_, _| {}),
    };
    // A platform of this machine is made inside a runtime.
    block_on(async { subject.build(&scenario.subject.credential, &lent) })
}

/// Builds an `AzureCliCredential`.
pub fn built(subject: &Arc<dyn Subject>) -> Built {
    let scenario = scenario("azure-cli = {}");
    build(subject, &scenario, &Arc::default()).unwrap()
}

/// A scenario with this credential.
pub fn scenario(credential: &str) -> Scenario {
    let text = format!(
        "title = \"t\"\nstory = \"s\"\n[world]\nstart = \"2026-01-01T00:00:00Z\"\n\
         lasts = \"1m\"\n[world.imds]\n[world.az]\n[world.entra]\n\
         [subject]\ncredential.{credential}\n\
         [[call]]\ndo.get-token = {{ scopes = [\"https://vault.azure.net/.default\"] }}\n\
         [[expect]]\nthat.token-from = {{}}\n"
    );
    credsim::story::parse("t", "t.toml", &text)
        .unwrap_or_else(|invalid| panic!("{}", invalid.render(false)))
        .scenario
}

/// Waits for `work` on the real clock.
pub fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap()
        .block_on(work)
}

/// Asserts that `text` holds all of `parts`.
#[track_caller]
pub fn holds(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "there is no {part:?} in: {text}");
    }
}
