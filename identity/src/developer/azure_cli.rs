//! The Azure CLI, `az` (CLI-01 to CLI-13).

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use serde::Deserialize;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::{
    AccessToken, Error, ErrorKind, TokenCredential, TokenRequest,
    cache::SingleFlight,
    chain::{Observer, ObserverRef},
    entra::{self, Tenants},
    platform::{BoxFuture, Command, CommandOutput, Platform},
    wire,
};

use super::tool::{self, Tool};

/// The class name in documentation, logs and errors.
pub(crate) const NAME: &str = "AzureCliCredential";

/// Tokens of whoever is signed in to the Azure CLI.
///
/// Runs `az account get-access-token`, without a shell, once per call: nothing is cached (wrap it
/// in [`Cached`](crate::Cached) for that, PR-27), but callers that ask for the same at the same
/// time share one process (PR-24). It ends after `process_timeout`, killed with its children
/// (PR-15; on Windows its children live on). Takes exactly one scope. Claims are refused with
/// [`InteractionRequired`](ErrorKind::InteractionRequired) and the command that answers them.
#[derive(Clone)]
pub struct AzureCliCredential {
    tool: Arc<Tool>,
    flights: SingleFlight,
    tenants: Tenants,
    subscription: Option<String>,
}

impl AzureCliCredential {
    /// Starts with the tool's own account, tenant and subscription.
    pub fn builder() -> AzureCliCredentialBuilder {
        AzureCliCredentialBuilder::default()
    }

    fn command(&self, request: &TokenRequest) -> Result<Command, Error> {
        let [scope] = request.scopes() else {
            return Err(self
                .tool
                .error(
                    ErrorKind::Configuration,
                    format!("takes exactly one scope, not {}", request.scopes().len()),
                )
                .with_help("ask for one scope, such as https://vault.azure.net/.default"));
        };
        tool::check(NAME, "scope", scope, tool::SCOPE)?;
        let tenant = self.tenants.resolve(NAME, request)?;
        if let Some(claims) = &request.claims {
            return Err(self.refuse_claims(claims, scope, tenant));
        }
        let resource = scope.strip_suffix("/.default").unwrap_or(scope);
        let mut args = vec!["account", "get-access-token", "--output", "json"];
        args.extend(["--resource", resource]);
        if let Some(tenant) = tenant {
            args.extend(["--tenant", tenant]);
        }
        if let Some(subscription) = &self.subscription {
            args.extend(["--subscription", subscription]);
        }
        Ok(Command {
            program: "az".to_owned(),
            args: args.into_iter().map(str::to_owned).collect(),
            env: vec![("AZURE_CORE_NO_COLOR".to_owned(), "true".to_owned())],
        })
    }

    /// `az` cannot pass claims on; a person has to sign in with them (CLI-11).
    fn refuse_claims(&self, claims: &str, scope: &str, tenant: Option<&str>) -> Error {
        let tenant = tenant
            .map(|tenant| format!(" --tenant {tenant}"))
            .unwrap_or_default();
        let claims = STANDARD.encode(claims);
        self.tool
            .error(
                ErrorKind::InteractionRequired,
                "the resource challenges with claims",
            )
            .with_help(format!(
                "run: az login --claims-challenge {claims}{tenant} --scope {scope}"
            ))
    }
}

impl TokenCredential for AzureCliCredential {
    fn name(&self) -> &str {
        NAME
    }

    fn get_token<'a>(
        &'a self,
        request: &'a TokenRequest,
    ) -> BoxFuture<'a, Result<AccessToken, Error>> {
        Box::pin(async move {
            let command = self.command(request)?;
            let tenant = self.tenants.resolve(NAME, request)?.map(str::to_owned);
            self.tool.token(&self.flights, command, tenant, read).await
        })
    }

    fn dispose(&self) {
        self.flights.dispose();
    }
}

impl fmt::Debug for AzureCliCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(NAME)
            .field("tenants", &self.tenants)
            .field("subscription", &self.subscription)
            .finish_non_exhaustive()
    }
}

/// What `az` prints (CLI-04). `expiresOn` is local time.
#[derive(Deserialize)]
struct Printed {
    #[serde(rename = "accessToken")]
    access_token: String,
    expires_on: Option<Value>,
    #[serde(rename = "expiresOn")]
    expires_on_local: Option<String>,
}

fn read(tool: &Tool, output: CommandOutput) -> Result<AccessToken, Error> {
    if output.code != Some(0) {
        return Err(refusal(tool, &output));
    }
    // Standard error is of no interest: warnings are not errors (CLI-10).
    let stdout = Zeroizing::new(output.stdout);
    let printed: Printed =
        serde_json::from_slice(&stdout).map_err(|_| tool.malformed("it is not a token in JSON"))?;
    if printed.access_token.trim().is_empty() {
        return Err(tool.malformed("its token is empty"));
    }
    let expires_on = printed
        .expires_on
        .as_ref()
        .and_then(wire::moment)
        .filter(|at| *at > Timestamp::UNIX_EPOCH);
    let expires_on = match (expires_on, &printed.expires_on_local) {
        (None, Some(local)) => local_end(tool, local)?,
        (at, _) => at,
    };
    let expires_on =
        expires_on.ok_or_else(|| tool.malformed("it does not say when the token ends"))?;
    Ok(AccessToken::new(printed.access_token, expires_on, NAME))
}

/// The end of a token in local time. In a zone that nobody knows nothing is guessed: it could be
/// half a day off.
fn local_end(tool: &Tool, text: &str) -> Result<Option<Timestamp>, Error> {
    let clock = &tool.platform.clock;
    let zone = clock.local_zone();
    if zone.is_unknown() {
        return Err(tool
            .malformed("the token's end is in the zone of this host, which is unknown")
            .with_help("update the tool to 2.54 or later, or set TZ to the host's zone"));
    }
    Ok(local_time(text, &zone, clock.now()))
}

/// Reads `2029-12-31 19:00:00.000000` in the host's zone. Where the clocks change and a local time
/// comes twice, the earlier instant (PR-28), unless that is past already: what `az` has just
/// printed has not ended.
fn local_time(text: &str, zone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
    let local: DateTime = text.trim().parse().ok()?;
    let read = zone.to_ambiguous_timestamp(local);
    let (earlier, later) = (read.earlier().ok()?, read.later().ok()?);
    Some(if earlier <= now { later } else { earlier })
}

/// Why `az` gave no token (CLI-08, CLI-09). Its AADSTS text is kept: it tells the cause.
fn refusal(tool: &Tool, output: &CommandOutput) -> Error {
    let text = String::from_utf8_lossy(&output.stderr);
    if let Some(code) = entra::aadsts_code(&text) {
        // The login command that follows the text is the help.
        let (said, help) = text
            .split_once("Run the command below")
            .unwrap_or((&text, ""));
        let help = help
            .split_once("az login")
            .map(|(_, rest)| format!("run: az login{rest}"));
        return tool
            .error(ErrorKind::Failed, said_by_az(said))
            .with_code(code)
            .with_help(wire::excerpt(
                help.as_deref().unwrap_or("sign in again with: az login"),
            ));
    }
    if text.contains("az login") || text.contains("az account set") {
        return tool
            .error(
                ErrorKind::Unavailable,
                "nobody is signed in to the Azure CLI",
            )
            .with_help("Please run 'az login'");
    }
    match output.code {
        Some(code) => tool
            .error(
                ErrorKind::Failed,
                format!("{} (exit code {code})", said_by_az(&text)),
            )
            .with_help("see what `az account get-access-token` says in a shell"),
        None => tool
            .error(ErrorKind::Failed, "the Azure CLI was ended by a signal")
            .with_help("see what ended it: this host may be short of memory"),
    }
}

fn said_by_az(text: &str) -> String {
    let text = wire::excerpt(text);
    format!(
        "the Azure CLI failed: {}",
        text.strip_prefix("ERROR: ").unwrap_or(&text)
    )
}

/// Options of an [`AzureCliCredential`].
#[derive(Clone, Default)]
#[must_use = "a builder does nothing until `build`"]
pub struct AzureCliCredentialBuilder {
    tenant_id: Option<String>,
    subscription: Option<String>,
    additionally_allowed_tenants: Vec<String>,
    process_timeout: Option<Duration>,
    platform: Option<Platform>,
    observer: ObserverRef,
}

impl AzureCliCredentialBuilder {
    /// The tenant to ask in. Default: the tool's own; a request may then name any.
    pub fn tenant_id(mut self, tenant: impl Into<String>) -> Self {
        self.tenant_id = Some(tenant.into());
        self
    }

    /// The name or id of the subscription whose account is meant. Default: the tool's own.
    pub fn subscription(mut self, subscription: impl Into<String>) -> Self {
        self.subscription = Some(subscription.into());
        self
    }

    /// Tenants besides its own in which a request may ask; `*` for all. Default: none.
    pub fn additionally_allowed_tenants<S: Into<String>>(
        mut self,
        tenants: impl IntoIterator<Item = S>,
    ) -> Self {
        self.additionally_allowed_tenants = tenants.into_iter().map(Into::into).collect();
        self
    }

    /// How long the tool may take before it is killed. Default: 15 s (PR-15).
    pub fn process_timeout(mut self, limit: Duration) -> Self {
        self.process_timeout = Some(limit);
        self
    }

    /// The host it runs on. Default: the real machine.
    pub fn platform(mut self, platform: Platform) -> Self {
        self.platform = Some(platform);
        self
    }

    /// Is told when somebody else is signed in to the tool (PR-04).
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// The credential. Starts nothing.
    ///
    /// # Errors
    /// [`Configuration`](ErrorKind::Configuration) when the tenant or the subscription holds
    /// characters that none has (CLI-12).
    pub fn build(self) -> Result<AzureCliCredential, Error> {
        let tenants = Tenants::new(NAME, self.tenant_id, self.additionally_allowed_tenants)?;
        if let Some(subscription) = &self.subscription {
            tool::check(NAME, "subscription", subscription, "-._ ")?;
        }
        let platform = self.platform.unwrap_or_default();
        let flights = SingleFlight::new(&platform, NAME);
        let tool = Arc::new(Tool {
            credential: NAME,
            title: "the Azure CLI",
            install: "https://aka.ms/azure-cli",
            platform,
            process_timeout: self.process_timeout.unwrap_or(tool::PROCESS_TIMEOUT),
            observer: self.observer,
            signed_in: Mutex::default(),
        });
        Ok(AzureCliCredential {
            tool,
            flights,
            tenants,
            subscription: self.subscription,
        })
    }
}
