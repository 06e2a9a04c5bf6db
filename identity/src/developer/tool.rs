//! The common part of the credentials that run a developer tool: one run at a time per arguments, a
//! time limit, and the check of the arguments.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use crate::{
    AccessToken, Error, ErrorKind, TokenCredential, TokenRequest, ToolOptions,
    cache::SingleFlight,
    chain::{Identity, IdentityChange, ObserverRef},
    entra::Tenants,
    platform::{BoxFuture, Command, CommandError, CommandOutput, Platform},
};

/// How long a tool may take (PR-15).
const PROCESS_TIMEOUT: Duration = Duration::from_secs(15);

/// The exit code of a shell that finds no such program (CLI-07).
const NO_SUCH_PROGRAM: i32 = 127;

/// The number of tenants after which all remembered identities are dropped. Users belong to far
/// fewer.
const TENANTS: usize = 1000;

/// The target of the events about runs, for filters.
const LOG_TARGET: &str = "credsim_identity::command";

/// A developer tool: its command line and its output.
pub(super) trait Program: fmt::Debug + Send + Sync + 'static {
    /// The name of its credential in documentation, logs and errors.
    const CREDENTIAL: &'static str;
    /// Its name in messages.
    const TITLE: &'static str;
    /// The URL of its installation guide.
    const INSTALL: &'static str;

    /// Returns the command for `request`, in `tenant` if there is one.
    ///
    /// # Errors
    /// `Configuration` for a request that the tool does not support; `InteractionRequired` for
    /// claims if it cannot send them.
    fn command(
        &self,
        tool: &Tool,
        request: &TokenRequest,
        tenant: Option<&str>,
    ) -> Result<Command, Error>;

    /// Reads the token from the output of the command.
    ///
    /// # Errors
    /// The error of the tool, of the kind by which a chain goes on or stops (PR-01).
    fn read(&self, tool: &Tool, output: CommandOutput) -> Result<AccessToken, Error>;
}

/// A credential that runs a tool and caches nothing. Clones share the commands under way.
pub(super) struct ToolCredential<P> {
    program: Arc<P>,
    tool: Arc<Tool>,
    flights: SingleFlight,
    tenants: Tenants,
}

impl<P: Program> ToolCredential<P> {
    /// # Errors
    /// `Configuration` when a tenant is not a tenant id or a domain name.
    pub(super) fn new(program: P, options: ToolOptions) -> Result<Self, Error> {
        let platform = options.common.host();
        let allowed = options.additionally_allowed_tenants;
        Ok(Self {
            program: Arc::new(program),
            tenants: Tenants::new(P::CREDENTIAL, options.tenant_id, allowed)?,
            flights: SingleFlight::new(&platform, P::CREDENTIAL),
            tool: Arc::new(Tool {
                credential: P::CREDENTIAL,
                title: P::TITLE,
                install: P::INSTALL,
                platform,
                process_timeout: options.process_timeout.unwrap_or(PROCESS_TIMEOUT),
                observer: options.common.observer,
                signed_in: Mutex::default(),
            }),
        })
    }

    /// Runs the tool; joins a run with the same arguments that is under way (PR-24).
    async fn token(&self, request: &TokenRequest) -> Result<AccessToken, Error> {
        let tenant = self.tenants.resolve(P::CREDENTIAL, request)?;
        let command = self.program.command(&self.tool, request, tenant)?;
        // No argument holds a NUL: see `check`.
        let key = command.args.join("\0");
        let work = || -> BoxFuture<'static, _> {
            let (program, tool) = (Arc::clone(&self.program), Arc::clone(&self.tool));
            let (tenant, within_chain) = (tenant.map(str::to_owned), request.within_chain);
            Box::pin(async move {
                let output = tool.run(command).await?;
                let token = program.read(&tool, output)?;
                if token.expires_on() <= tool.platform.clock.now() {
                    return Err(token.had_expired(P::CREDENTIAL));
                }
                tool.compare(tenant.as_deref(), &token, within_chain);
                Ok(token)
            })
        };
        self.flights.run(key, work).await
    }
}

impl<P: Program> TokenCredential for ToolCredential<P> {
    fn name(&self) -> &str {
        P::CREDENTIAL
    }

    fn get_token<'a>(
        &'a self,
        request: &'a TokenRequest,
    ) -> BoxFuture<'a, Result<AccessToken, Error>> {
        Box::pin(self.token(request))
    }

    fn dispose(&self) {
        self.flights.dispose();
    }
}

impl<P> Clone for ToolCredential<P> {
    fn clone(&self) -> Self {
        Self {
            program: Arc::clone(&self.program),
            tool: Arc::clone(&self.tool),
            flights: self.flights.clone(),
            tenants: self.tenants.clone(),
        }
    }
}

impl<P: Program> fmt::Debug for ToolCredential<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(P::CREDENTIAL)
            .field("program", &self.program)
            .field("tenants", &self.tenants)
            .finish_non_exhaustive()
    }
}

/// The options of a tool, and the identities of its previous answers.
pub(super) struct Tool {
    credential: &'static str,
    title: &'static str,
    install: &'static str,
    pub(super) platform: Platform,
    process_timeout: Duration,
    observer: ObserverRef,
    signed_in: Mutex<SignedIn>,
}

/// The identities of the answers so far.
#[derive(Default)]
struct SignedIn {
    /// By the tenant of the token, because a user has another object id in each tenant. Not by the
    /// tenant of the request: a request that names the tool's own tenant would seem to get a new
    /// identity.
    by_tenant: BTreeMap<Option<String>, Identity>,
    /// The identity of the last answer to a request without a tenant.
    by_default: Option<Identity>,
}

impl SignedIn {
    /// Records `to`. Returns the identity that it replaces, if that has another principal.
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
        // For a request without a tenant, a change of the tool's own tenant is a change as well.
        default
            .filter(|from| tenant(from) != tenant(to))
            .or(known)
            .filter(|from| !from.has_principal_of(to))
    }
}

impl Tool {
    /// Reports a change of the user since the last answer (PR-04).
    fn compare(&self, asked: Option<&str>, token: &AccessToken, within_chain: bool) {
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
            let observer = self.observer.as_deref();
            IdentityChange::new(from, to, false).report(self.credential, within_chain, observer);
        }
    }

    async fn run(&self, command: Command) -> Result<CommandOutput, Error> {
        let Tool {
            title,
            platform,
            process_timeout,
            ..
        } = self;
        let program = command.program.clone();
        // Without arguments and output, which may hold claims and tokens.
        tracing::info!(target: LOG_TARGET, credential = self.credential, program, "command");
        // Dropping the run kills the process with its children.
        let run = platform.commands.run(command);
        let done = platform.within(*process_timeout, run).await;
        self.log_end(&program, &done);
        let Some(done) = done else {
            let limit = process_timeout.as_secs_f64();
            return Err(self
                .error(
                    ErrorKind::Failed,
                    format!("{title} did not end within {limit} s"),
                )
                .with_help("raise process_timeout, or check why the tool hangs")
                .with_transient());
        };
        let ended = match done {
            // The code by which a shell reports a missing program: the tool is a wrapper script.
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
                    format!("check that it runs in a shell, or install it again from {install}"),
                ),
                CommandError::Output(why) => (
                    ErrorKind::Failed,
                    format!("the output of {title} cannot be read: {why}"),
                    "run the tool in a shell to see its output".to_owned(),
                ),
            };
            self.error(kind, message).with_help(help).with_cause(error)
        })
    }

    /// Logs how a run ended; `None` if it was killed.
    fn log_end(&self, program: &str, done: &Option<Result<CommandOutput, CommandError>>) {
        let credential = self.credential;
        match done {
            Some(Ok(output)) => {
                let code = output.code;
                tracing::info!(target: LOG_TARGET, credential, program, code, "command ended");
            }
            Some(Err(error)) => {
                tracing::info!(target: LOG_TARGET, credential, program, %error, "command failed");
            }
            None => {
                let limit = self.process_timeout;
                tracing::info!(target: LOG_TARGET, credential, program, ?limit, "command killed");
            }
        }
    }

    /// Returns the only scope of `request`.
    ///
    /// # Errors
    /// `Configuration` for no scope, several, or one that may not become an argument.
    pub(super) fn one_scope<'a>(&self, request: &'a TokenRequest) -> Result<&'a str, Error> {
        let [scope] = request.scopes() else {
            let count = request.scopes().len();
            return Err(self
                .error(
                    ErrorKind::Configuration,
                    format!("takes exactly one scope, not {count}"),
                )
                .with_help("ask for one scope, such as https://vault.azure.net/.default"));
        };
        check(self.credential, "scope", scope, SCOPE)?;
        Ok(scope)
    }

    /// Creates an error of the credential.
    pub(super) fn error(&self, kind: ErrorKind, message: impl Into<String>) -> Error {
        Error::new(kind, self.credential, message)
    }

    /// Returns the error for output that cannot be read. It does not quote the output, which may
    /// hold a token.
    pub(super) fn malformed(&self, what: &str) -> Error {
        self.error(
            ErrorKind::Failed,
            format!("the output of {} is malformed: {what}", self.title),
        )
        .with_help("update the tool")
    }
}

/// Checks that `text` may become an argument: not empty, only letters, digits and `others`, and no
/// leading `-` (CLI-12).
///
/// # Errors
/// `Configuration`, which names `what`.
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

/// The allowed characters of a scope besides letters and digits.
pub(super) const SCOPE: &str = "-_.:/";

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use jiff::Timestamp;

    use super::*;

    fn identity(tenant: usize) -> Identity {
        let claims = format!(r#"{{"oid":"o","tid":"{tenant}"}}"#);
        let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(claims);
        let secret = format!("e30.{claims}.c2ln");
        Identity::of(&AccessToken::new(secret, Timestamp::UNIX_EPOCH, "Test"))
    }

    #[test]
    fn pr_29_no_more_than_a_thousand_tenants_are_remembered() {
        let mut signed_in = SignedIn::default();
        for tenant in 1..=TENANTS {
            signed_in.replace(Some("t"), &identity(tenant));
            assert_eq!(signed_in.by_tenant.len(), tenant);
        }
        signed_in.replace(Some("t"), &identity(TENANTS + 1));
        assert_eq!(signed_in.by_tenant.len(), 1);
    }
}
