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

/// The exit code of a shell that finds no such program (CLI-07).
const NO_SUCH_PROGRAM: i32 = 127;

/// How many tenants are remembered before all are forgotten. Nobody is in so many.
const TENANTS: usize = 1000;

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
    pub(super) signed_in: Mutex<SignedIn>,
}

/// Who was signed in at the answers so far.
#[derive(Default)]
pub(super) struct SignedIn {
    /// By the tenant of the token: a person has another object id in each. Not by the tenant asked
    /// for, or the one who names the tool's own tenant would seem to be somebody new.
    by_tenant: BTreeMap<Option<String>, Identity>,
    /// Who answered last where no tenant was asked for.
    by_default: Option<Identity>,
}

impl SignedIn {
    /// Notes `to` down; whom it takes the place of, if that is somebody else.
    fn replace(&mut self, asked: Option<&str>, to: &Identity) -> Option<Identity> {
        let tenant = |who: &Identity| who.principal.as_ref().and_then(|p| p.tenant_id.clone());
        let default = match asked {
            None => self.by_default.replace(to.clone()),
            Some(_) => None,
        };
        if self.by_tenant.len() >= TENANTS {
            self.by_tenant.clear();
        }
        let known = self.by_tenant.insert(tenant(to), to.clone());
        // Whoever asks for no tenant notices, too, that the tool's own has become another.
        default
            .filter(|from| tenant(from) != tenant(to))
            .or(known)
            .filter(|from| from.principal != to.principal)
    }
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
                tool.compare(tenant.as_deref(), &token);
                Ok(token)
            })
        };
        flights.run(key, work).await
    }

    /// Says so if somebody else is signed in than at the last answer (PR-04).
    fn compare(&self, asked: Option<&str>, token: &AccessToken) {
        if token.principal().is_none() {
            return;
        }
        let to = Identity::of(token);
        let mut signed_in = self
            .signed_in
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let from = signed_in.replace(asked, &to);
        drop(signed_in);
        if let Some(from) = from {
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
        let run = platform.commands.run(command);
        let Some(done) = platform.within(*process_timeout, run).await else {
            let limit = process_timeout.as_secs_f64();
            return Err(self
                .error(
                    ErrorKind::Failed,
                    format!("{title} did not end within {limit} s"),
                )
                .with_help("raise process_timeout, or see why the tool hangs")
                .with_transient());
        };
        let ended = match done {
            // By which a shell says that it finds no such program: somebody wrapped the tool.
            Ok(output) if output.code == Some(NO_SUCH_PROGRAM) => Err(CommandError::NotFound),
            ended => ended,
        };
        ended.map_err(|error| {
            let install = self.install;
            let (kind, message, help) = match &error {
                CommandError::NotFound => (
                    ErrorKind::Unavailable,
                    format!("{title} is not installed"),
                    format!("install it from {install}"),
                ),
                CommandError::Start(why) => (
                    ErrorKind::Failed,
                    format!("{title} cannot be started: {why}"),
                    format!("see whether it runs in a shell, or install it anew from {install}"),
                ),
                CommandError::Output(why) => (
                    ErrorKind::Failed,
                    format!("the output of {title} cannot be read: {why}"),
                    "see what the tool prints in a shell".to_owned(),
                ),
            };
            self.error(kind, message).with_help(help).with_cause(error)
        })
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
