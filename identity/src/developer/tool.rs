//! What the credentials around a developer's tool share: running it once per arguments at a time,
//! within a limit, and the characters that may go to it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use crate::{
    AccessToken, Error, ErrorKind,
    cache::SingleFlight,
    chain::{Identity, IdentityChange, ObserverRef},
    platform::{BoxFuture, Command, CommandError, CommandOutput, Platform},
};

/// How long a tool may take (PR-15).
pub(super) const PROCESS_TIMEOUT: Duration = Duration::from_secs(15);

/// A tool and the credential around it.
pub(super) struct Tool {
    /// The credential's name.
    pub(super) credential: &'static str,
    /// What people call the tool.
    pub(super) title: &'static str,
    /// Where to get it.
    pub(super) install: &'static str,
    pub(super) platform: Platform,
    pub(super) process_timeout: Duration,
    pub(super) observer: ObserverRef,
    /// Who was signed in at the last answer, by tenant: a person has another object id in each.
    pub(super) signed_in: Mutex<BTreeMap<Option<String>, Identity>>,
}

impl Tool {
    /// Runs `command` and reads its output with `read`; joins a run with the same arguments that
    /// is under way (PR-24).
    pub(super) async fn token(
        self: &Arc<Self>,
        flights: &SingleFlight,
        command: Command,
        tenant: Option<String>,
        read: fn(&Tool, CommandOutput) -> Result<AccessToken, Error>,
    ) -> Result<AccessToken, Error> {
        // No argument holds a NUL: see `check`.
        let key = command.args.join("\0");
        let work = || -> BoxFuture<'static, _> {
            let tool = Arc::clone(self);
            Box::pin(async move {
                let output = tool.run(command).await?;
                let token = read(&tool, output)?;
                tool.compare(tenant, &token);
                Ok(token)
            })
        };
        flights.run(key, work).await
    }

    /// Says so if somebody else is signed in than at the last answer (PR-04).
    fn compare(&self, tenant: Option<String>, token: &AccessToken) {
        if token.principal().is_none() {
            return;
        }
        let to = Identity::of(token);
        let mut signed_in = self
            .signed_in
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let from = signed_in.insert(tenant, to.clone());
        drop(signed_in);
        if let Some(from) = from.filter(|from| from.principal != to.principal) {
            let credential = self.credential;
            tracing::warn!(credential, %from, %to, "the identity has changed");
            if let Some(observer) = &self.observer {
                observer.identity_changed(&IdentityChange::new(from, to, false));
            }
        }
    }

    async fn run(&self, command: Command) -> Result<CommandOutput, Error> {
        let Tool {
            title,
            platform,
            process_timeout,
            ..
        } = self;
        // Dropping the run kills the process with its children.
        match platform
            .within(*process_timeout, platform.commands.run(command))
            .await
        {
            Some(Ok(output)) => Ok(output),
            Some(Err(CommandError::NotFound)) => Err(self
                .error(ErrorKind::Unavailable, format!("{title} is not installed"))
                .with_help(format!("install it from {}", self.install))),
            Some(Err(CommandError::Start(why))) => Err(self.error(
                ErrorKind::Failed,
                format!("{title} cannot be started: {why}"),
            )),
            None => Err(self
                .error(
                    ErrorKind::Failed,
                    format!(
                        "{title} did not end within {} s",
                        process_timeout.as_secs_f64()
                    ),
                )
                .with_help("raise process_timeout, or see why the tool hangs")),
        }
    }

    /// An error of the credential.
    pub(super) fn error(&self, kind: ErrorKind, message: impl Into<String>) -> Error {
        Error::new(kind, self.credential, message)
    }

    /// The error for output that is no token. The output is never quoted: it may hold one.
    pub(super) fn malformed(&self, what: &str) -> Error {
        self.error(
            ErrorKind::Failed,
            format!("the output of {} is malformed: {what}", self.title),
        )
        .with_help("update the tool")
    }
}

/// Whether `text` may become an argument: not empty, nothing but letters, digits and `others`, and
/// nothing that looks like an option (CLI-12).
///
/// # Errors
/// `Configuration`, naming `what`.
pub(super) fn check(credential: &str, what: &str, text: &str, others: &str) -> Result<(), Error> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || others.contains(c);
    if !text.is_empty() && !text.starts_with('-') && text.chars().all(allowed) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Configuration,
        credential,
        format!("the {what} holds characters that no {what} has"),
    )
    .with_help(format!(
        "only letters, digits and `{others}` are allowed in a {what}"
    )))
}

/// The characters of a scope besides letters and digits.
pub(super) const SCOPE: &str = "-_.:/";
