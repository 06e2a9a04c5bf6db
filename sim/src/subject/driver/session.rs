//! A started driver that has said its name and version: the subject of one run.

use std::{
    ffi::OsString,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use credsim_identity::Error;
use serde_json::json;

use super::super::{Built, Lent, Subject};
use super::{
    Limits,
    credential::DriverCredential,
    hello::Hello,
    link::{Link, lost},
    message::{self, Answer, BuiltAnswer},
    supports,
};
use crate::{credential::Credential, judge::Visibility, redact::is_secret_name, story::Scenario};

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
                let what = format!(
                    "in line {} of its standard output {what}",
                    link.answered_in()
                );
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
    match answer {
        Answer::Done(value) => Hello::read(value),
        Answer::Error(_) | Answer::Unsupported(_) => Err("has no answer to `hello`".to_owned()),
    }
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

    fn visibility(&self) -> Visibility {
        self.hello.visibility()
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
