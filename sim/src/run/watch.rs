//! Listens to the subject's log: warnings go into the trace, and no secret may be in any of it.

use std::{
    fmt::{self, Write as _},
    sync::{Arc, Mutex, PoisonError},
};

use tracing::{Dispatch, Event, Level, Subscriber, field};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt as _},
    registry::Registry,
};

use super::WorldClock;
use crate::{
    backend::Stage,
    call::SecretWatch,
    redact::looks_like_token,
    scenario::Scenario,
    subject::driver::LOG_TARGET,
    trace::{Kind, Recorder},
};

/// Looks for secrets in what the subject says.
#[derive(Clone)]
pub(super) struct Watch {
    recorder: Recorder,
    clock: WorldClock,
    /// Knows every secret of the world: those of its applications, and every token issued.
    stage: Stage,
    /// Client secrets that the subject knows, right or wrong.
    known: Arc<Vec<String>>,
    reported: Arc<Mutex<Vec<(String, String)>>>,
}

impl Watch {
    pub fn new(recorder: Recorder, clock: WorldClock, stage: &Stage, scenario: &Scenario) -> Self {
        Self {
            recorder,
            clock,
            stage: stage.clone(),
            known: Arc::new(client_secrets(scenario)),
            reported: Arc::default(),
        }
    }

    /// A subscriber for the thread of the world.
    pub fn dispatch(&self) -> Dispatch {
        Dispatch::new(Registry::default().with(self.clone()))
    }

    fn record(&self, kind: Kind) {
        let at = self
            .clock
            .get()
            .map(|runtime| runtime.elapsed())
            .unwrap_or_default();
        self.recorder.record(at, kind);
    }
}

impl SecretWatch for Watch {
    fn vetted(&self, place: &str, text: String) -> String {
        if self.check(place, &text) {
            "(withheld: it holds a secret)".to_owned()
        } else {
            text
        }
    }

    /// Records each place and kind once.
    fn check(&self, place: &str, text: &str) -> bool {
        // A token may be one that nobody here has issued, or only a part of one.
        let shaped_like = looks_like_token(text).then_some("token");
        let known = self.known.iter().any(|secret| text.contains(secret));
        let told = self
            .stage
            .secret_in(text)
            .or(known.then_some("client secret"))
            .or(shaped_like);
        let Some(told) = told else { return false };
        let finding = (place.to_owned(), told.to_owned());
        let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
        if !reported.contains(&finding) {
            reported.push(finding.clone());
            self.record(Kind::SecretLeaked {
                place: finding.0,
                secret: finding.1,
            });
        }
        true
    }
}

/// Every client secret that a scenario mentions.
fn client_secrets(scenario: &Scenario) -> Vec<String> {
    let secrets = scenario.subject.credential.secrets().into_iter();
    let mut secrets: Vec<String> = secrets.map(str::to_owned).collect();
    secrets.extend(
        scenario
            .world
            .environment
            .get("AZURE_CLIENT_SECRET")
            .cloned(),
    );
    for at in &scenario.at {
        let mentioned = at.action.consequences().secrets;
        secrets.extend(mentioned.into_iter().map(str::to_owned));
    }
    // An empty one would be found everywhere.
    secrets.retain(|secret| !secret.is_empty());
    secrets
}

/// The crates that may be under test, and those that they speak through.
const SUBJECTS: [&str; 5] = [
    "credsim_identity",
    "azure_identity",
    "azure_core",
    "typespec",
    "redis",
];

impl<S: Subscriber> Layer<S> for Watch {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        // The engines and their libraries log too; only the subject is under test.
        let target = event.metadata().target();
        if target != LOG_TARGET && !SUBJECTS.iter().any(|name| target.starts_with(name)) {
            return;
        }
        let mut text = Text::default();
        event.record(&mut text);
        let message = format!("{}{}", text.message, text.fields);
        let message = self.vetted("log", message);
        let level = *event.metadata().level();
        if level <= Level::WARN {
            self.record(Kind::Log {
                level: level.to_string(),
                message,
            });
        }
    }
}

/// An event's message and its other fields, in order.
#[derive(Default)]
struct Text {
    message: String,
    fields: String,
}

impl field::Visit for Text {
    fn record_str(&mut self, field: &field::Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &field::Field, value: &dyn fmt::Debug) {
        // Writing to a string can't fail.
        let _ = if field.name() == "message" {
            write!(self.message, "{value:?}")
        } else {
            write!(self.fields, " {}={value:?}", field.name())
        };
    }
}
