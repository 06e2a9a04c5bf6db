//! What is told of a command whose arguments hold secrets: to the trace, and to a witness.

use std::sync::{Arc, Mutex};

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::tests::start;
use crate::backend::Stage;
use crate::backend::testing::stage;
use crate::{backend::Witnessed, trace::Kind};

const WORLD: &str = r#"
    environment = { AZURE_PASSWORD = "of-the-scenario" }
    accounts = { "alice@contoso.example" = { object-id = "a11ce" } }
    az = { account = "alice@contoso.example" }
    azd = { account = "alice@contoso.example" }
    pwsh = { account = "alice@contoso.example" }
    entra = { apps = [{ client-id = "c", object-id = "o", secret = "of-the-world" }] }
"#;

/// All that is told.
struct Told {
    /// The trace, as text.
    trace: String,
    /// The arguments that the witness heard.
    args: Vec<String>,
    /// What was warned of.
    warned: Vec<String>,
}

fn told(program: &str, args: &[&str]) -> Told {
    let (stage, recorder) = stage(WORLD);
    let heard: Arc<Mutex<Vec<String>>> = Arc::default();
    let hears = heard.clone();
    Stage::tell(
        &stage,
        Arc::new(move |witnessed| {
            if let Witnessed::Command { args, .. } = witnessed {
                hears.lock().expect("no panic").extend(args.iter().cloned());
            }
        }),
    );
    stage.open_to_the_outside();
    let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
    let ended = start(&stage, program, &args, &[]);
    assert!(matches!(ended, Some(Ok(_))), "{args:?}");
    let events = recorder.finish().events;
    let trace = format!("{events:?}");
    let warned = events.into_iter().filter_map(|event| match event.kind {
        Kind::RealSecret { endpoint, what } => Some(format!("{endpoint}: {what}")),
        _ => None,
    });
    Told {
        trace,
        warned: warned.collect(),
        args: std::mem::take(&mut *heard.lock().expect("no panic")),
    }
}

/// Nothing tells `secret`; the witness hears of the rest.
#[track_caller]
fn hides(program: &str, args: &[&str], secret: &str, heard: &str) -> Vec<String> {
    let told = told(program, args);
    assert!(!told.trace.contains(secret), "{}", told.trace);
    assert_eq!(told.args.join(" "), heard);
    told.warned
}

#[test]
fn passwords_of_a_command_line_are_told_nowhere() {
    let log_in = ["login", "--service-principal", "-u", "u", "-p", "hunter2"];
    let warned = hides(
        "az",
        &log_in,
        "hunter2",
        "login --service-principal -u u -p ***",
    );
    assert_eq!(warned, ["az: a password that is none of this world"]);
    let warned = hides(
        "az",
        &["login", "--password=of-the-scenario"],
        "of-the-scenario",
        "login --password=***",
    );
    assert!(warned.is_empty(), "{warned:?}");
}

/// The command says what it does not know, and why it ends is in the trace, too.
#[test]
fn nor_are_they_in_what_a_command_says_of_its_end() {
    for option in ["--password=hunter2", "-phunter2", "--client-secret=hunter2"] {
        let args = ["account", "get-access-token", option];
        let told = told("az", &args);
        assert!(!told.trace.contains("hunter2"), "{}", told.trace);
        assert!(told.trace.contains("unrecognized arguments"));
    }
    hides(
        "azd",
        &["auth", "login", "--client-secret", "hunter2"],
        "hunter2",
        "auth login --client-secret ***",
    );
}

#[test]
fn secrets_are_known_without_an_option_of_their_name() {
    // Made up.
    let real = format!("abc8Q~{}", "x".repeat(34));
    let warned = hides("az", &["account", &real], &real, "account ***");
    assert_eq!(warned, ["az: what looks like a real client secret"]);
    let warned = hides("az", &["x-of-the-world"], "of-the-world", "***");
    assert!(warned.is_empty(), "{warned:?}");
}

#[test]
fn what_holds_no_secret_is_told_as_it_is() {
    let claims = "eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZX19fQ==";
    let args = ["auth", "token", "--claims", claims, "--scope", "s/.default"];
    let told = told("azd", &args);
    assert_eq!(told.args, args);
    assert!(told.warned.is_empty() && told.trace.contains(claims));
}

#[test]
fn scripts_are_told_only_if_they_are_harmless() {
    let encoded = |script: &str| {
        let units: Vec<u8> = script.encode_utf16().flat_map(u16::to_le_bytes).collect();
        STANDARD.encode(units)
    };
    let asks = "Get-AzAccessToken -ResourceUrl r | ConvertTo-Json";
    let harmless = encoded(asks);
    let whole = told("pwsh", &["-EncodedCommand", &harmless]);
    assert_eq!(whole.args, ["-EncodedCommand", &harmless]);
    let real = format!("abc8Q~{}", "x".repeat(34));
    for (secret, script) in [
        ("hunter2", format!("$password = 'hunter2'; {asks}")),
        (
            "hunter2",
            format!("$p = ConvertTo-SecureString hunter2 -AsPlainText; {asks}"),
        ),
        (
            "hunter2",
            format!("Connect-AzAccount -AccessToken hunter2; {asks}"),
        ),
        (
            "of-the-world",
            format!("Connect-Thing of-the-world; {asks}"),
        ),
        (&real, format!("Connect-Thing {real}; {asks}")),
    ] {
        let code = encoded(&script);
        let told = told("pwsh", &["-EncodedCommand", &code]);
        let heard = told.args.join(" ");
        for text in [&told.trace, &heard] {
            assert!(!text.contains(secret) && !text.contains(&code), "{text}");
        }
        let expected = if secret == real {
            vec!["pwsh: what looks like a real client secret".to_owned()]
        } else {
            Vec::new()
        };
        assert_eq!(told.warned, expected);
    }
}
