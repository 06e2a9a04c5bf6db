//! A real SDK in a process of its own, behind a *driver*: any program that answers the questions
//! of `sim/drivers/README.md`, one JSON object a line, on its standard input and output.
//!
//! [`Driver`] is the program. [`Driver::probe`] starts it once to learn who it is and what it
//! knows, and [`Subject::start`] starts it anew for each run; what that returns builds the
//! credentials of the run and ends the process when it is dropped.

mod conversation;
mod credential;
mod hello;
mod link;
mod message;
mod process;
mod said;
mod session;
mod supports;
mod threads;

use std::{ffi::OsString, sync::Arc, time::Duration};

use credsim_identity::{Error, ErrorKind};

use super::{Built, Lent, Subject};
use crate::{
    credential::Credential,
    judge::Visibility,
    scenario::command_line::{Quotes, Unbalanced, split_command_line},
};
use hello::Hello;
use session::Session;

/// The version of the protocol that is spoken here.
pub const PROTOCOL: u32 = 1;

/// Under which target the warnings of a driver's SDK are logged.
pub(crate) const LOG_TARGET: &str = "credsim::subject::driver";

/// How long a driver may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// To start and to answer `hello`. Default: 20 s.
    pub hello: Duration,
    /// To build a credential, for which no SDK needs a network. Default: 10 s.
    pub build: Duration,
    /// To end after its input was closed; it is killed then. Default: 2 s.
    pub farewell: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            hello: Duration::from_secs(20),
            build: Duration::from_secs(10),
            farewell: Duration::from_secs(2),
        }
    }
}

/// A driver: a program that has not been started.
#[derive(Clone, Debug)]
pub struct Driver {
    /// The program and its arguments.
    program: Vec<String>,
    limits: Limits,
    /// What it said about itself, if it was asked.
    known: Option<Arc<Hello>>,
    name: String,
}

impl Driver {
    /// The driver that `program` (a program and its arguments) starts. A program without a slash is
    /// looked for on the `PATH` of this process, whatever `PATH` it gets itself.
    pub fn new(program: Vec<String>) -> Self {
        Self {
            name: program.join(" "),
            program,
            limits: Limits::default(),
            known: None,
        }
    }

    /// The driver that a command line such as `node 'my drivers/driver.mjs'` starts; its quotes
    /// hold words together, and nothing else in it is special.
    ///
    /// # Errors
    /// There are no words, or a quote is not closed.
    pub fn parse(text: &str) -> Result<Self, String> {
        let words = split_command_line(text, Quotes::Anywhere).map_err(|why| match why {
            Unbalanced::NotClosed(open) => format!("a quote ({open}) is not closed in `{text}`"),
            Unbalanced::GoesOn => format!("a word goes on behind its quote in `{text}`"),
        })?;
        if words.is_empty() {
            let expected = "expected a program and its arguments, such as 'node driver.mjs'";
            return Err(expected.to_owned());
        }
        Ok(Self::new(words))
    }

    /// The same with other limits of time.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Starts it once, with exactly this environment, and ends it again: from then on its name is
    /// the SDK's, and it knows what it supports.
    ///
    /// # Errors
    /// It does not start, or does not speak the protocol: what happened and what to do.
    pub fn probe(mut self, environment: &[(OsString, OsString)]) -> Result<Self, String> {
        let session = Session::start(&self.program, environment, self.limits)?;
        self.name = session.name().to_owned();
        self.known = Some(session.hello());
        Ok(self)
    }
}

impl Subject for Driver {
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
        let known = self.known.as_ref();
        known.map_or_else(Visibility::of_a_driver, |hello| hello.visibility())
    }

    fn build(&self, _: &Credential, _: &Lent) -> Result<Built, Error> {
        Err(Error::new(
            ErrorKind::Configuration,
            "driver",
            format!("`{}` was not started for this run", self.program.join(" ")),
        )
        .with_help("drivers are for the engine that plays on this machine: --engine live"))
    }

    fn supports(&self, scenario: &crate::story::Scenario) -> Result<(), String> {
        if scenario.subject.redis.is_some() {
            return Err("drivers have no Redis client".to_owned());
        }
        match &self.known {
            Some(hello) => supports::supports(hello, scenario),
            None => Ok(()),
        }
    }

    fn start(
        &self,
        environment: &[(OsString, OsString)],
    ) -> Result<Option<Arc<dyn Subject>>, String> {
        let session = Session::start(&self.program, environment, self.limits)?;
        Ok(Some(Arc::new(session)))
    }
}

#[cfg(test)]
mod tests {
    use super::Driver;

    #[test]
    fn a_command_line_must_have_words_and_closed_quotes() {
        let driver = Driver::parse(" node  'my drivers'/driver.mjs ").unwrap();
        assert_eq!(driver.program, ["node", "my drivers/driver.mjs"]);
        let wrong = |text| Driver::parse(text).unwrap_err();
        assert!(wrong("node 'driver.mjs").contains("not closed"));
        assert!(wrong("  ").starts_with("expected a program"));
    }
}
