//! The Azure CLI, `az` (CLI-01 to CLI-13).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use serde::Deserialize;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::{
    AccessToken, Error, ErrorKind, TokenRequest, ToolOptions,
    credential::credential,
    entra,
    http::{json, redact},
    options::setters,
    platform::{Command, CommandOutput},
};

use super::tool::{self, Program, Tool, ToolCredential};

/// The class name in documentation, logs and errors.
pub(crate) const NAME: &str = "AzureCliCredential";

/// Gets tokens of the account that is signed in to the Azure CLI.
///
/// Each call runs `az account get-access-token`, without a shell. Nothing is cached unless it is
/// wrapped in [`Cached`](crate::Cached) (PR-27), but calls for the same token at the same time
/// share one process (PR-24). After `process_timeout` (default 15 s) the process is killed with its
/// children, on Windows without them (PR-15). It takes exactly one scope. A request with claims
/// fails with [`InteractionRequired`](ErrorKind::InteractionRequired) and the command that the user
/// has to run.
#[derive(Clone)]
pub struct AzureCliCredential(ToolCredential<AzureCli>);

impl AzureCliCredential {
    /// Creates a builder with the tool's own account, tenant and subscription.
    pub fn builder() -> AzureCliCredentialBuilder {
        AzureCliCredentialBuilder::default()
    }
}

credential!(AzureCliCredential);

/// The program `az`.
#[derive(Debug)]
struct AzureCli {
    /// The subscription whose account is used, by name or id.
    subscription: Option<String>,
}

impl Program for AzureCli {
    const CREDENTIAL: &'static str = NAME;
    const TITLE: &'static str = "the Azure CLI";
    const INSTALL: &'static str = "https://aka.ms/azure-cli";

    fn command(
        &self,
        tool: &Tool,
        request: &TokenRequest,
        tenant: Option<&str>,
    ) -> Result<Command, Error> {
        let scope = tool.one_scope(request)?;
        if let Some(claims) = request.claims() {
            return Err(refuse_claims(tool, claims, scope, tenant));
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

    fn read(&self, tool: &Tool, output: CommandOutput) -> Result<AccessToken, Error> {
        read(tool, output)
    }
}

/// Returns the error for claims: `az` cannot send them, so the user has to sign in with them
/// (CLI-11).
fn refuse_claims(tool: &Tool, claims: &str, scope: &str, tenant: Option<&str>) -> Error {
    let tenant = tenant
        .map(|tenant| format!(" --tenant {tenant}"))
        .unwrap_or_default();
    let claims = STANDARD.encode(claims);
    tool.error(
        ErrorKind::InteractionRequired,
        "the resource challenges with claims",
    )
    .with_help(format!(
        "run: az login --claims-challenge {claims}{tenant} --scope {scope}"
    ))
}

/// The output of `az` (CLI-04). `expiresOn` is local time.
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
    // Standard error is ignored: it may hold warnings (CLI-10).
    let stdout = Zeroizing::new(output.stdout);
    let printed: Printed =
        serde_json::from_slice(&stdout).map_err(|_| tool.malformed("it is not a token in JSON"))?;
    if printed.access_token.trim().is_empty() {
        return Err(tool.malformed("its token is empty"));
    }
    let expires_on = printed
        .expires_on
        .as_ref()
        .and_then(json::moment)
        .filter(|at| *at > Timestamp::UNIX_EPOCH);
    let expires_on = match (expires_on, &printed.expires_on_local) {
        (None, Some(local)) => local_end(tool, local)?,
        (at, _) => at,
    };
    let expires_on = expires_on.ok_or_else(|| {
        let local = printed.expires_on_local.map(Value::from);
        let fields = [
            ("expiresOn", local.as_ref()),
            ("expires_on", printed.expires_on.as_ref()),
        ];
        tool.malformed(&json::unreadable_expiry(&fields))
    })?;
    Ok(AccessToken::new(printed.access_token, expires_on, NAME))
}

/// Reads the end of a token in local time. If the zone of the host is unknown that is an error,
/// because a guess could be wrong by half a day.
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

/// Reads `2029-12-31 19:00:00.000000` in the host's zone. A local time that occurs twice, because
/// the clocks change, is read as the earlier instant, or as the later one if the earlier is past: a
/// token that `az` has just printed has not expired (PR-28).
fn local_time(text: &str, zone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
    let local: DateTime = text.trim().parse().ok()?;
    let read = zone.to_ambiguous_timestamp(local);
    let (earlier, later) = (read.earlier().ok()?, read.later().ok()?);
    Some(if earlier <= now { later } else { earlier })
}

/// Returns the error for a failed run of `az` (CLI-08, CLI-09). It keeps the AADSTS text, which
/// names the cause.
fn refusal(tool: &Tool, output: &CommandOutput) -> Error {
    let text = String::from_utf8_lossy(&output.stderr);
    if let Some(code) = entra::aadsts_code(&text) {
        // The login command that follows the text is the help.
        let (message, help) = text
            .split_once("Run the command below")
            .unwrap_or((&text, ""));
        let help = help
            .split_once("az login")
            .map(|(_, rest)| format!("run: az login{rest}"));
        return tool
            .error(ErrorKind::Failed, failure(message))
            .with_code(code)
            .with_help(redact::excerpt(
                help.as_deref().unwrap_or("sign in again with: az login"),
            ));
    }
    if text.contains("az login") || text.contains("az account set") {
        return tool
            .error(
                ErrorKind::Unavailable,
                "no account is signed in to the Azure CLI",
            )
            .with_help("Please run 'az login'");
    }
    match output.code {
        Some(code) => tool
            .error(
                ErrorKind::Failed,
                format!("{} (exit code {code})", failure(&text)),
            )
            .with_help("run `az account get-access-token` in a shell to see its error"),
        None => tool
            .error(ErrorKind::Failed, "the Azure CLI was ended by a signal")
            .with_help("check what ended it, such as a lack of memory on this host"),
    }
}

/// Returns the message for an error text of `az`.
fn failure(text: &str) -> String {
    let text = redact::excerpt(text);
    format!(
        "the Azure CLI failed: {}",
        text.strip_prefix("ERROR: ").unwrap_or(&text)
    )
}

/// Options of an [`AzureCliCredential`].
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until `build`"]
pub struct AzureCliCredentialBuilder {
    options: ToolOptions,
    subscription: Option<String>,
}

impl AzureCliCredentialBuilder {
    setters!(tool: options);

    /// Sets the subscription whose account is used, by name or id. Default: the tool's own.
    pub fn subscription(mut self, subscription: impl Into<String>) -> Self {
        self.subscription = Some(subscription.into());
        self
    }

    /// Builds the credential. Starts no process.
    ///
    /// # Errors
    /// [`Configuration`](ErrorKind::Configuration) if the tenant or the subscription contains
    /// a character that is not allowed there (CLI-12).
    pub fn build(self) -> Result<AzureCliCredential, Error> {
        let subscription = self.subscription;
        if let Some(subscription) = &subscription {
            tool::check(NAME, "subscription", subscription, "-._ ")?;
        }
        let program = AzureCli { subscription };
        ToolCredential::new(program, self.options).map(AzureCliCredential)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// PR-28: which of two instants is meant where a local time comes twice.
    #[test]
    fn pr_28_the_earlier_instant_counts_until_it_is_past() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let read = |now| local_time(" 2026-10-25 02:30:00.000000 ", &zone, at(now)).unwrap();
        let (earlier, later) = (at("2026-10-25T00:30:00Z"), at("2026-10-25T01:30:00Z"));
        assert_eq!(read("2026-10-25T00:29:59Z"), earlier);
        for now in [
            "2026-10-25T00:30:00Z",
            "2026-10-25T00:30:01Z",
            "2026-10-26T00:00:00Z",
        ] {
            assert_eq!(read(now), later, "{now}");
        }
        assert_eq!(local_time("soon", &zone, at("2026-10-25T00:00:00Z")), None);
    }
}
