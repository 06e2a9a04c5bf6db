//! Plays a scenario that a test writes.

use std::{sync::Arc, sync::mpsc, thread, time::Duration};

use credsim::{
    judge::Run,
    simulation::Settings,
    story::Scenario,
    trace::{CallOutcome, Kind},
};
use credsim_peers::AzureIdentity;

/// An application in a directory.
pub const APP: &str = r#"
[world.entra]
takes = { at-least = "200ms", at-most = "200ms" }
token-life = "1h"
apps = [{ client-id = "c11e07a0-0000-0000-0000-000000000001", object-id = "0b1ec700-0000-0000-0000-000000000001", secret = "not-a-real-secret" }]
[subject]
credential.client-secret = { client-id = "c11e07a0-0000-0000-0000-000000000001", secret = "not-a-real-secret" }
"#;

/// A caller.
pub const CALL: &str = r#"
[[call]]
do.get-token = { scopes = ["https://vault.azure.net/.default"] }
"#;

/// The scenario with this world, subject, timeline and calls.
pub fn scenario(rest: &str) -> Scenario {
    let text = format!(
        "title = \"A test\"\nstory = \"A test.\"\n[world]\nstart = \"2026-01-01T00:00:00Z\"\n\
         lasts = \"10m\"\n{rest}\n[[expect]]\nthat.token-from = {{}}\n"
    );
    credsim::story::parse("test", "test.toml", &text)
        .unwrap_or_else(|invalid| panic!("{}", invalid.render(false)))
        .scenario
}

/// Plays it, which takes far less than half a minute.
pub fn play(rest: &str) -> Run {
    let scenario = scenario(rest);
    let (give, get) = mpsc::channel();
    thread::spawn(move || {
        let settings = Settings {
            subject: Arc::new(AzureIdentity),
            ..Settings::default()
        };
        // Nobody waits for a world that stood still.
        let _ = give.send(settings.run(&scenario, settings.seeds.first()));
    });
    let played = get.recv_timeout(Duration::from_secs(30));
    played
        .unwrap_or_else(|_| panic!("the world stands still"))
        .unwrap()
}

/// How each call ended, in milliseconds after it began: what the error says, if it is one.
pub fn calls(run: &Run) -> Vec<(u128, Option<String>)> {
    let ended = run.trace.events.iter().filter_map(|event| {
        let Kind::CallEnded {
            waited, outcome, ..
        } = &event.kind
        else {
            return None;
        };
        let error = match &**outcome {
            CallOutcome::Error { message, .. } => Some(message.clone()),
            _ => None,
        };
        Some((waited.as_millis(), error))
    });
    ended.collect()
}

/// When each exchange ended, in milliseconds of the world, and how.
pub fn exchanges(run: &Run) -> Vec<(u128, String)> {
    let ended = run
        .trace
        .events
        .iter()
        .filter_map(|event| match &event.kind {
            Kind::ExchangeEnded { how, .. } => Some((event.at.as_millis(), how.to_string())),
            _ => None,
        });
    ended.collect()
}
