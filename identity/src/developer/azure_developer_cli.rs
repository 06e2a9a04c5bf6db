//! The Azure Developer CLI, `azd` (CLI-20 to CLI-23).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
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
pub(crate) const NAME: &str = "AzureDeveloperCliCredential";

/// Gets tokens of the account that is signed in to the Azure Developer CLI.
///
/// Each call runs `azd auth token`, without a shell. Nothing is cached unless it is wrapped in
/// [`Cached`](crate::Cached) (PR-27), but calls for the same token at the same time share one
/// process (PR-24). After `process_timeout` (default 15 s) the process is killed with its children,
/// on Windows without them (PR-15). Claims are passed on.
#[derive(Clone)]
pub struct AzureDeveloperCliCredential(ToolCredential<AzureDeveloperCli>);

impl AzureDeveloperCliCredential {
    /// Creates a builder with the tool's own account and tenant.
    pub fn builder() -> AzureDeveloperCliCredentialBuilder {
        AzureDeveloperCliCredentialBuilder::default()
    }
}

credential!(AzureDeveloperCliCredential);

/// The program `azd`.
#[derive(Debug)]
struct AzureDeveloperCli;

impl Program for AzureDeveloperCli {
    const CREDENTIAL: &'static str = NAME;
    const TITLE: &'static str = "the Azure Developer CLI";
    const INSTALL: &'static str = "https://aka.ms/azd-install";

    fn command(
        &self,
        tool: &Tool,
        request: &TokenRequest,
        tenant: Option<&str>,
    ) -> Result<Command, Error> {
        if request.scopes().is_empty() {
            return Err(tool
                .error(ErrorKind::Configuration, "needs a scope")
                .with_help("ask for a scope such as https://vault.azure.net/.default"));
        }
        let mut args = vec!["auth", "token", "--output", "json", "--no-prompt"];
        for scope in request.scopes() {
            tool::check(NAME, "scope", scope, tool::SCOPE)?;
            args.extend(["--scope", scope]);
        }
        if let Some(tenant) = tenant {
            args.extend(["--tenant-id", tenant]);
        }
        let claims = request.claims().map(|claims| STANDARD.encode(claims));
        if let Some(claims) = &claims {
            args.extend(["--claims", claims]);
        }
        Ok(Command {
            program: "azd".to_owned(),
            args: args.into_iter().map(str::to_owned).collect(),
            env: vec![("NO_COLOR".to_owned(), "true".to_owned())],
        })
    }

    fn read(&self, tool: &Tool, output: CommandOutput) -> Result<AccessToken, Error> {
        read(tool, output)
    }
}

/// The output of `azd` (CLI-21). `expiresOn` is UTC (PR-28).
#[derive(Deserialize)]
struct Printed {
    token: String,
    #[serde(rename = "expiresOn")]
    expires_on: String,
}

fn read(tool: &Tool, output: CommandOutput) -> Result<AccessToken, Error> {
    if output.code != Some(0) {
        return Err(refusal(tool, &output));
    }
    let stdout = Zeroizing::new(output.stdout);
    let printed: Printed =
        serde_json::from_slice(&stdout).map_err(|_| tool.malformed("it is not a token in JSON"))?;
    if printed.token.trim().is_empty() {
        return Err(tool.malformed("its token is empty"));
    }
    let expires_on: Timestamp = printed.expires_on.trim().parse().map_err(|_| {
        let given = Value::from(printed.expires_on);
        tool.malformed(&json::unreadable_expiry(&[("expiresOn", Some(&given))]))
    })?;
    Ok(AccessToken::new(printed.token, expires_on, NAME))
}

/// Returns the error for a failed run of `azd` (CLI-23).
fn refusal(tool: &Tool, output: &CommandOutput) -> Error {
    let text = message(&String::from_utf8_lossy(&output.stderr));
    let mentions = |words: &str| text.contains(words);
    let failed = || format!("the Azure Developer CLI failed: {}", redact::excerpt(&text));
    // Checked first: the advice in this text is also to sign in, although a user is signed in.
    let error = if mentions("must use multi-factor authentication")
        || mentions("reauthentication required")
        || mentions("login expired")
    {
        // The policy may require a login with certain options.
        let login = text.split_once("run `azd auth login");
        let options = login.and_then(|(_, rest)| rest.split_once('`'));
        let options = options.map_or("", |(options, _)| options);
        tool.error(ErrorKind::InteractionRequired, failed())
            .with_help(redact::excerpt(&format!("run: azd auth login{options}")))
    } else if mentions("not logged in, run `azd auth login`") || mentions("run `azd login`") {
        tool.error(
            ErrorKind::Unavailable,
            "no account is signed in to the Azure Developer CLI",
        )
        .with_help("run: azd auth login")
    } else if mentions("unknown flag: --claims") {
        tool.error(
            ErrorKind::Failed,
            "the Azure Developer CLI is too old to pass claims on",
        )
        .with_help("update it to version 1.18.1 or later")
    } else {
        tool.error(ErrorKind::Failed, failed())
            .with_help("run `azd auth token` in a shell to see its error")
    };
    match entra::aadsts_code(&text) {
        Some(code) => error.with_code(code),
        None => error,
    }
}

/// Returns all texts that `azd` wrote to standard error, on one line. It writes lines of JSON in
/// one of three forms, or plain text; the cause may stand in the suggestion only (CLI-22).
fn message(stderr: &str) -> String {
    let mut all = String::new();
    for line in stderr.lines() {
        let json: Value = serde_json::from_str(line).unwrap_or(Value::Null);
        let texts = [
            &json["data"]["message"],
            &json["error"],
            &json["message"],
            &json["suggestion"],
        ];
        let mut texts: Vec<&str> = texts.into_iter().filter_map(Value::as_str).collect();
        texts.dedup();
        if !json.is_object() {
            texts.push(line);
        }
        for text in texts {
            all.push_str(text);
            all.push(' ');
        }
    }
    let line = redact::one_line(&all);
    line.strip_prefix("ERROR: ").unwrap_or(&line).to_owned()
}

/// Options of an [`AzureDeveloperCliCredential`].
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until `build`"]
pub struct AzureDeveloperCliCredentialBuilder {
    options: ToolOptions,
}

impl AzureDeveloperCliCredentialBuilder {
    setters!(tool: options);

    /// Builds the credential. Starts no process.
    ///
    /// # Errors
    /// [`Configuration`](ErrorKind::Configuration) if the tenant is neither a tenant id
    /// nor a domain name (CLI-12).
    pub fn build(self) -> Result<AzureDeveloperCliCredential, Error> {
        ToolCredential::new(AzureDeveloperCli, self.options).map(AzureDeveloperCliCredential)
    }
}
