//! Commands asked directly, for their tests.

use std::{
    future::Future,
    io,
    pin::pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
    time::Duration,
};

use jiff::tz::TimeZone;
use serde_json::Value;

use super::{CommandExit, CommandMissing};
use crate::{
    backend::{Backend, Captured, testing::backend},
    engine::{BoxFuture, Host, Listener, Network, Runtime, Stream, Work},
    trace::{Kind, Recorder},
};

pub const WORLD: &str = r#"
    accounts = { "alice@contoso.example" = { object-id = "a11ce" } }
    az = { account = "alice@contoso.example" }
    azd = { account = "alice@contoso.example" }
"#;
pub const AZ: &str = "account get-access-token --output json --resource https://vault.azure.net";
pub const AZD: &str =
    "auth token --output json --no-prompt --scope https://vault.azure.net/.default";

/// A host whose sleeps are over at once and whose clock stands at half a second.
struct Quick;

impl Runtime for Quick {
    fn elapsed(&self) -> Duration {
        Duration::from_millis(500)
    }
    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(std::future::ready(()))
    }
    fn spawn(&self, _: BoxFuture<'static, ()>) -> Work {
        unreachable!("commands spawn nothing")
    }
}

impl Network for Quick {
    fn connect(&self, _: &str, _: u16) -> BoxFuture<'static, io::Result<Stream>> {
        Box::pin(std::future::ready(Err(io::ErrorKind::NotFound.into())))
    }
    fn bind(&self, _: u16) -> BoxFuture<'static, io::Result<Box<dyn Listener>>> {
        Box::pin(std::future::ready(Err(io::ErrorKind::AddrInUse.into())))
    }
}

pub type Outcome = Result<CommandExit, CommandMissing>;

/// Runs a command until it waits for good; none if it does.
pub fn try_run(
    backend: &Backend,
    program: &str,
    args: &str,
    env: &[(String, String)],
) -> Option<Outcome> {
    let args: Vec<String> = args.split(' ').map(str::to_owned).collect();
    start(backend, program, &args, env)
}

pub fn start(
    backend: &Backend,
    program: &str,
    args: &[String],
    env: &[(String, String)],
) -> Option<Outcome> {
    let host = Host {
        name: "host".into(),
        network: Arc::new(Quick),
        runtime: Arc::new(Quick),
    };
    let zone = TimeZone::get("Europe/Berlin").expect("a known zone");
    let run = pin!(backend.run_command(&host, 1, program, args, env, zone));
    match run.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => Some(outcome),
        Poll::Pending => None,
    }
}

pub fn run(backend: &Backend, program: &str, args: &str) -> CommandExit {
    try_run(backend, program, args, &[])
        .expect("it ends")
        .expect("it is installed")
}

pub fn world(more: &str) -> (Backend, Recorder) {
    backend(&format!("{WORLD}{more}"))
}

pub fn json(exit: &CommandExit) -> Value {
    assert_eq!(exit.code, 0, "{}", exit.stderr);
    serde_json::from_str(&exit.stdout).expect("JSON on standard output")
}

/// A world with secrets.
const SECRETS: &str = r#"
    environment = { AZURE_PASSWORD = "of-the-scenario" }
    accounts = { "alice@contoso.example" = { object-id = "a11ce" } }
    az = { account = "alice@contoso.example" }
    azd = { account = "alice@contoso.example" }
    pwsh = { account = "alice@contoso.example" }
    entra = { apps = [{ client-id = "c", object-id = "o", secret = "of-the-world" }] }
"#;

/// All that a run shows of its arguments.
pub struct Recorded {
    /// The trace, as text.
    pub trace: String,
    /// The arguments that the capture got.
    pub args: Vec<String>,
    /// What was warned of.
    pub warned: Vec<String>,
}

pub fn recorded(program: &str, args: &[&str]) -> Recorded {
    let (backend, recorder) = backend(SECRETS);
    let heard: Arc<Mutex<Vec<String>>> = Arc::default();
    let hears = heard.clone();
    Backend::capture_with(
        &backend,
        Arc::new(move |captured| {
            if let Captured::Command { args, .. } = captured {
                hears.lock().expect("no panic").extend(args.iter().cloned());
            }
        }),
    );
    backend.open_to_the_outside();
    let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
    let ended = start(&backend, program, &args, &[]);
    assert!(matches!(ended, Some(Ok(_))), "{args:?}");
    let events = recorder.finish().events;
    let trace = format!("{events:?}");
    let warned = events.into_iter().filter_map(|event| match event.kind {
        Kind::RealSecret { endpoint, what } => Some(format!("{endpoint}: {what}")),
        _ => None,
    });
    Recorded {
        trace,
        warned: warned.collect(),
        args: std::mem::take(&mut *heard.lock().expect("no panic")),
    }
}

/// No output contains `secret`; the capture records the rest.
#[track_caller]
pub fn hides(program: &str, args: &[&str], secret: &str, heard: &str) -> Vec<String> {
    let shown = recorded(program, args);
    assert!(!shown.trace.contains(secret), "{}", shown.trace);
    assert_eq!(shown.args.join(" "), heard);
    shown.warned
}
