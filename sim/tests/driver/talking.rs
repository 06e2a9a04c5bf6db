//! Requests to a driver that has started, and how its answers are handled.

use std::sync::Arc;

use credsim::{
    simulation::Settings,
    subject::Subject as _,
    trace::{self, Kind},
};
use credsim_identity::{ErrorKind, TokenRequest};

use super::support::{
    Case, Heard, block_on, build, built, environment, fake, holds, scenario, short, started,
};

pub const ALL: &[Case] = &[
    ("talking/a-token", a_token),
    ("talking/an-error", an_error),
    ("talking/it-does-not-build", does_not_build),
    ("talking/answers-in-another-order", late),
    ("talking/a-caller-that-leaves", cancelled),
    ("talking/no-other-variables", exact_environment),
    ("talking/the-log-goes-into-the-trace", logs),
    ("talking/a-change-of-identity-is-reported", changes_identity),
    ("talking/a-token-is-no-identity", token_as_identity),
    ("talking/unsupported-after-all", unsupported_after_all),
    ("talking/it-never-builds", silent_at_building),
    ("talking/an-answer-to-nothing", answers_twice),
    ("talking/an-impossible-time", impossible_time),
    ("talking/a-token-of-another-shape", no_token),
];

fn request(scope: &str) -> TokenRequest {
    TokenRequest::new([scope])
}

fn a_token() {
    let subject = started("good");
    assert_eq!(subject.name(), "fake 1.0");
    let credential = built(&subject).credential;
    assert_eq!(credential.name(), "AzureCliCredential");
    let asked = request("s")
        .with_tenant("t")
        .with_claims("{\"a\":1}")
        .with_cae(true);
    let token = block_on(credential.get_token(&asked)).unwrap();
    assert_eq!(
        token.principal().unwrap().to_string(),
        "alice@contoso.example (o)"
    );
    assert_eq!(token.expires_on().as_millisecond(), 1_800_000_000_123);
    assert_eq!(
        token.refresh_on().unwrap().as_millisecond(),
        1_700_000_000_000
    );
    assert_eq!(token.answered_by(), r#""t" "{\"a\":1}" true"#);
    let plain = block_on(credential.get_token(&request("s"))).unwrap();
    assert_eq!(plain.answered_by(), "null null null");
    assert_eq!(subject.harness_failure(), None);
}

fn an_error() {
    let subject = started("fails");
    let credential = built(&subject).credential;
    let error = block_on(credential.get_token(&request("s"))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!((error.status(), error.code()), (Some(404), Some("gone")));
    assert_eq!(
        error.to_string(),
        "AzureCliCredential: CredentialUnavailableError: nobody is logged in"
    );
    assert_eq!(subject.harness_failure(), None);
}

fn does_not_build() {
    let subject = started("does not build");
    let built = build(&subject, &scenario("azure-cli = {}"), &Arc::default());
    let Err(error) = built else {
        panic!("it was built")
    };
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert_eq!(error.to_string(), "azure-cli: TypeError: no tenant");
    assert_eq!(subject.harness_failure(), None);
}

fn late() {
    let subject = started("late");
    let credential = built(&subject).credential;
    let (one, two) = (request("one"), request("two"));
    let (first, second) =
        block_on(async { tokio::join!(credential.get_token(&one), credential.get_token(&two)) });
    let oid = |token: &credsim_identity::AccessToken| token.principal().unwrap().object_id.clone();
    assert_eq!(
        (oid(&first.unwrap()), oid(&second.unwrap())),
        ("one".into(), "two".into())
    );
}

fn cancelled() {
    let subject = started("cancelled");
    let credential = built(&subject).credential;
    let token = block_on(async {
        let left = request("left");
        let mut leaving = credential.get_token(&left);
        tokio::select! { biased;
            _ = &mut leaving => panic!("it must stay open"),
            () = tokio::time::sleep(std::time::Duration::from_millis(50)) => {}
        }
        drop(leaving);
        credential.get_token(&request("stays")).await
    });
    // `hello` is request 1 and `new-credential` 2. The late answer to 3 is ignored.
    assert_eq!(token.unwrap().answered_by(), "cancelled: [3], this is 4");
    assert_eq!(subject.harness_failure(), None);
}

fn exact_environment() {
    let variables = environment(&[("ONLY", "this"), ("PATH", "/nowhere")]);
    let subject = fake("environment").start(&variables).unwrap().unwrap();
    let token = block_on(built(&subject).credential.get_token(&request("s"))).unwrap();
    assert_eq!(token.answered_by(), "ONLY=this PATH=/nowhere");
}

/// The clock of the world stands still while a credential is built, so a warning that is logged
/// then is recorded in virtual time, too.
fn logs() {
    let settings = Settings {
        subject: started("logs"),
        ..Settings::default()
    };
    let played = settings.play(&scenario("azure-cli = {}")).unwrap();
    let run = &played.runs[0];
    let is_log = |kind: &&Kind| matches!(kind, Kind::Log { .. } | Kind::SecretLeaked { .. });
    let events = run.trace.events.iter().map(|event| &event.kind);
    let log: Vec<String> = events
        .filter(is_log)
        .map(|kind| format!("{kind:?}"))
        .collect();
    assert_eq!(
        log,
        [
            r#"Log { level: "WARN", message: "it is late\nvery" }"#,
            r#"SecretLeaked { place: "log", secret: "token" }"#,
            r#"Log { level: "ERROR", message: "(withheld: it holds a secret)" }"#,
        ]
    );
    let texts = run.trace.events.iter().map(trace::line);
    assert!(!texts.collect::<String>().contains("eyJ"));
}

fn changes_identity() {
    let subject = started("changes identity");
    let heard = Arc::new(Heard::default());
    let built = build(&subject, &scenario("azure-cli = {}"), &heard).unwrap();
    let token = block_on(built.credential.get_token(&request("s"))).unwrap();
    assert_eq!(token.answered_by(), "AzureCliCredential");
    assert_eq!(
        *heard.0.lock().unwrap(),
        ["ManagedIdentityCredential as m -> AzureCliCredential as alice (a), false"]
    );
}

/// Returns the failure of the harness after a token request to this driver.
fn fault(case: &str) -> String {
    let subject = started(case);
    let credential = built(&subject).credential;
    let first = block_on(credential.get_token(&request("s")));
    if let Err(error) = first {
        assert_eq!(error.kind(), ErrorKind::Cancelled);
    }
    // A call to a broken driver returns no token, and does not hang.
    for _ in 0..2 {
        let error = block_on(credential.get_token(&request("s"))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled);
    }
    let fault = subject.harness_failure().expect("a fault");
    assert!(!fault.contains("eyJ"), "{fault}");
    fault
}

fn token_as_identity() {
    holds(
        &fault("tells a token as an identity"),
        &["showed a secret in `identity-changed`"],
    );
}

fn unsupported_after_all() {
    let subject = started("unsupported after all");
    let built = build(&subject, &scenario("azure-cli = {}"), &Arc::default());
    assert!(built.is_err());
    holds(
        &subject.harness_failure().unwrap(),
        &["can't build `azure-cli` as its `hello` says it can: not on Sundays"],
    );
}

fn silent_at_building() {
    let limits = credsim::subject::driver::Limits {
        build: short().build,
        ..Default::default()
    };
    let driver = fake("silent at building").limits(limits);
    let subject = driver.start(&[]).unwrap().unwrap();
    let built = build(&subject, &scenario("azure-cli = {}"), &Arc::default());
    assert!(built.is_err());
    holds(
        &subject.harness_failure().unwrap(),
        &["did not answer `new-credential` within 400ms"],
    );
}

fn answers_twice() {
    holds(
        &fault("answers twice"),
        &["answered question 3, which is not open"],
    );
}

fn impossible_time() {
    holds(
        &fault("impossible time"),
        &["gave the time 9223372036854775807, which is not in milliseconds"],
    );
}

fn no_token() {
    holds(
        &fault("no token"),
        &["did not give a token of this protocol"],
    );
}
