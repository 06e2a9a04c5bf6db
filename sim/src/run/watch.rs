//! Listens to the subject's log: warnings go into the trace, and no secret may be in any of it.

use std::{
    fmt::{self, Write as _},
    sync::{Arc, Mutex, PoisonError},
};

use tracing::{
    Dispatch, Event, Level, Metadata, Subscriber, field,
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt as _},
    registry::{LookupSpan, Registry},
};

use super::WorldClock;
use crate::{
    backend::Backend,
    call::SecretWatch,
    redact::{Secrets, WITHHELD},
    story::Scenario,
    subject::{Subject, driver::LOG_TARGET},
    trace::{Kind, Recorder},
};

/// Looks for secrets in what the subject says.
#[derive(Clone)]
pub(super) struct Watch {
    recorder: Recorder,
    clock: WorldClock,
    /// Knows every secret of the world: those of its applications, and every token issued.
    backend: Backend,
    /// Client secrets that the subject knows, right or wrong.
    known: Arc<Secrets>,
    /// The beginnings of the targets under which the subject logs.
    targets: Arc<[String]>,
    reported: Arc<Mutex<Vec<(String, String)>>>,
}

impl Watch {
    pub fn new(
        recorder: Recorder,
        clock: WorldClock,
        backend: &Backend,
        scenario: &Scenario,
        subject: &dyn Subject,
    ) -> Self {
        let targets = subject.log_targets().iter();
        Self {
            recorder,
            clock,
            backend: backend.clone(),
            known: Arc::new(client_secrets(scenario)),
            targets: targets.map(|target| (*target).to_owned()).collect(),
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
            WITHHELD.to_owned()
        } else {
            text
        }
    }

    /// Records each place and kind once.
    fn check(&self, place: &str, text: &str) -> bool {
        // A token may also be one that was not issued here, or only a part of one.
        let told = self
            .backend
            .secret_in(text)
            .or_else(|| self.known.find(text));
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
fn client_secrets(scenario: &Scenario) -> Secrets {
    let mut secrets = Secrets::default();
    let mut add = |secret: &str| secrets.add(secret, "client secret");
    scenario
        .subject
        .credential
        .secrets()
        .into_iter()
        .for_each(&mut add);
    let variables = &scenario.world.environment;
    variables
        .get("AZURE_CLIENT_SECRET")
        .map(String::as_str)
        .into_iter()
        .for_each(&mut add);
    for at in &scenario.at {
        at.action
            .consequences()
            .secrets
            .into_iter()
            .for_each(&mut add);
    }
    secrets
}

/// Targets of the harness itself, and of libraries that it speaks through. A subject that speaks
/// through one of them has to name it; else what that library logs is taken for the harness's.
const HARNESS: &[&str] = &[
    "credsim",
    "h2",
    "hyper",
    "hyper_util",
    "log",
    "mio",
    "rcgen",
    "rustls",
    "tokio",
    "tokio_rustls",
    "tokio_util",
    "turmoil",
    "want",
];

impl Watch {
    /// Whether `target` is one of the subject's, whose warnings go into the trace.
    fn is_named(&self, target: &str) -> bool {
        target == LOG_TARGET || self.targets.iter().any(|name| target.starts_with(name))
    }

    /// Whether what is logged under `target` must hold no secret: all that is not the harness's.
    fn is_searched(&self, target: &str) -> bool {
        // A search for a character is much quicker than one for a string, and each world asks for
        // every place in the program that logs.
        let name = target.split(':').next().unwrap_or(target);
        self.is_named(target) || !HARNESS.contains(&name)
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Watch {
    /// What the harness says is not even put together: turmoil opens a span for each host and tick.
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        self.is_searched(metadata.target())
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let target = event.metadata().target();
        let mut text = Text::default();
        event.record(&mut text);
        let mut message = text.message;
        message.push_str(&text.fields);
        let message = self.vetted("log", message);
        let level = *event.metadata().level();
        if level <= Level::WARN && self.is_named(target) {
            self.record(Kind::Log {
                level: level.to_string(),
                message,
            });
        }
    }

    fn on_new_span(&self, span: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        let mut text = Text::default();
        span.record(&mut text);
        self.check("log", &text.fields);
    }

    fn on_record(&self, _: &Id, values: &Record<'_>, _: Context<'_, S>) {
        let mut text = Text::default();
        values.record(&mut text);
        self.check("log", &text.fields);
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

#[cfg(test)]
mod tests {
    use crate::simulation::Simulation;

    /// A scenario whose client secret is a word of ordinary text.
    const ONE_LETTER: &str = r#"
title = "A secret of one letter"
story = "A text with that word in it does not tell it."
facts = ["CH-09"]
promises = ["PR-05"]
[world]
environment = { AZURE_TENANT_ID = "no such/tenant", AZURE_CLIENT_ID = "a", AZURE_CLIENT_SECRET = "b" }
start = "2026-03-03T03:03:03Z"
lasts = "1m"
[subject]
credential.default = {}
[[call]]
at = "0s"
do.get-token = { scopes = ["https://storage.azure.com/.default"] }
[[expect]]
that.error = { contains = ["EnvironmentCredential", "tenant"] }
"#;

    #[test]
    fn a_secret_of_one_letter_is_not_told_by_ordinary_text() {
        for secret in ["b", "a", "is", "no", "tenant"] {
            let text = ONE_LETTER.replace("\"b\"", &format!("{secret:?}"));
            let simulation = Simulation::text("one-letter", &text).expect("valid");
            let played = simulation.play().expect("a run");
            played
                .passed()
                .unwrap_or_else(|why| panic!("{secret}: {why}"));
        }
    }
}
