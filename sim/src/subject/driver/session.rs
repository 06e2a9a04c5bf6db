//! A started driver that has said its name and version: the subject of one run.

use std::{
    ffi::OsString,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use credsim_identity::Error;
use serde_json::{Value, json};

use super::super::{Built, Lent, Subject};
use super::{
    Limits, PROTOCOL,
    credential::DriverCredential,
    link::{Link, lost},
    message::{self, Answer, BuiltAnswer, Hello},
    supports,
};
use crate::{credential::Credential, redact::is_secret_name, story::Scenario};

/// The subject of one run.
pub struct Session {
    link: Arc<Link>,
    hello: Arc<Hello>,
    name: String,
    limits: Limits,
    credentials: AtomicU64,
}

impl Session {
    /// Starts `program` with exactly `environment`, and reads its name and version.
    pub fn start(
        program: &[String],
        environment: &[(OsString, OsString)],
        limits: Limits,
    ) -> Result<Self, String> {
        let link = Link::start(program, environment, limits.farewell)?;
        for (name, value) in environment {
            let name = name.to_string_lossy();
            if is_secret_name(&name) {
                link.said().never(&value.to_string_lossy());
            }
        }
        let answer = link.ask_within(limits.hello, message::hello);
        let hello = answer.and_then(|answer| match said_hello(answer) {
            Ok(hello) => Some(hello),
            Err(what) => {
                link.fault(&link.said().vetted(&what));
                None
            }
        });
        let Some(hello) = hello else {
            let broken = link.broken();
            return Err(
                broken.unwrap_or_else(|| "the driver did not say its name and version".to_owned())
            );
        };
        Ok(Self {
            link: Arc::new(link),
            name: hello.name(),
            hello: Arc::new(hello),
            limits,
            credentials: AtomicU64::new(0),
        })
    }

    /// What it said about itself.
    pub fn hello(&self) -> Arc<Hello> {
        self.hello.clone()
    }
}

fn said_hello(answer: Answer) -> Result<Hello, String> {
    let Answer::Done(value) = answer else {
        return Err("has no answer to `hello`".to_owned());
    };
    // The version first: another one may answer otherwise.
    match value.get("protocol").and_then(Value::as_u64) {
        Some(version) if version == u64::from(PROTOCOL) => {}
        Some(version) => {
            return Err(format!(
                "speaks protocol {version}, and this credsim speaks protocol {PROTOCOL}"
            ));
        }
        None => return Err("does not say in `hello` which `protocol` it speaks".to_owned()),
    }
    serde_json::from_value(value)
        .map_err(|error| format!("does not say in `hello` what it should: {error}"))
}

impl Subject for Session {
    fn name(&self) -> &str {
        &self.name
    }

    fn is_outside(&self) -> bool {
        true
    }

    fn log_targets(&self) -> &[&str] {
        &[]
    }

    fn build(&self, credential: &Credential, lent: &Lent) -> Result<Built, Error> {
        let number = self.credentials.fetch_add(1, Ordering::Relaxed) + 1;
        let described = credential.describe_to_driver(&lent.tenant);
        for secret in credential.secrets() {
            self.link.said().never(secret);
        }
        // Before it is built: its constructor may have something to say.
        self.link.listen(number, lent.observer.clone());
        let answer = self.link.ask_within(self.limits.build, |id| {
            let mut question = described.json();
            question["id"] = json!(id);
            question["do"] = json!("new-credential");
            question["credential"] = json!(number);
            question
        });
        let kind = described.kind();
        match answer {
            Some(Answer::Done(value)) => match serde_json::from_value::<BuiltAnswer>(value) {
                Ok(built) => {
                    let credential = DriverCredential::new(self.link.clone(), number, built.class);
                    return Ok(Built::shared(Arc::new(credential)));
                }
                Err(error) => self
                    .link
                    .fault(&format!("did not say what it built: {error}")),
            },
            Some(Answer::Error(reported)) => return Err(reported.into_error(kind)),
            Some(Answer::Unsupported(reason)) => self.link.fault(&format!(
                "can't build `{kind}` as its `hello` says it can: {}",
                self.link.said().vetted(&reason)
            )),
            None => {}
        }
        Err(lost(kind))
    }

    fn supports(&self, scenario: &Scenario) -> Result<(), String> {
        supports::supports(&self.hello, scenario)
    }

    fn harness_failure(&self) -> Option<String> {
        self.link.broken()
    }
}
