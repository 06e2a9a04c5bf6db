//! The Azure Developer CLI, `azd` (CLI-20 to CLI-23).

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
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
pub(crate) const NAME: &str = "AzureDeveloperCliCredential";

/// Tokens of whoever is signed in to the Azure Developer CLI.
///
/// Runs `azd auth token`, without a shell, once per call: nothing is cached (wrap it in
/// [`Cached`](crate::Cached) for that, PR-27), but callers that ask for the same at the same time
/// share one process (PR-24). It ends after `process_timeout`, killed with its children (PR-15; on
/// Windows its children live on). Claims are passed on.
#[derive(Clone)]
pub struct AzureDeveloperCliCredential {
    tool: Arc<Tool>,
    flights: SingleFlight,
    tenants: Tenants,
}

impl AzureDeveloperCliCredential {
    /// Starts with the tool's own account and tenant.
    pub fn builder() -> AzureDeveloperCliCredentialBuilder {
        AzureDeveloperCliCredentialBuilder::default()
    }

    fn command(&self, request: &TokenRequest) -> Result<Command, Error> {
        if request.scopes().is_empty() {
            return Err(self
                .tool
                .error(ErrorKind::Configuration, "needs a scope")
                .with_help("ask for a scope such as https://vault.azure.net/.default"));
        }
        let mut args = vec!["auth", "token", "--output", "json", "--no-prompt"];
        for scope in request.scopes() {
            tool::check(NAME, "scope", scope, tool::SCOPE)?;
            args.extend(["--scope", scope]);
        }
        if let Some(tenant) = self.tenants.resolve(NAME, request)? {
            args.extend(["--tenant-id", tenant]);
        }
        let claims = request
            .claims
            .as_ref()
            .map(|claims| STANDARD.encode(claims));
        if let Some(claims) = &claims {
            args.extend(["--claims", claims]);
        }
        Ok(Command {
            program: "azd".to_owned(),
            args: args.into_iter().map(str::to_owned).collect(),
            env: vec![("NO_COLOR".to_owned(), "true".to_owned())],
        })
    }
}

impl TokenCredential for AzureDeveloperCliCredential {
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

impl fmt::Debug for AzureDeveloperCliCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(NAME)
            .field("tenants", &self.tenants)
            .finish_non_exhaustive()
    }
}

/// What `azd` prints (CLI-21). `expiresOn` is UTC (PR-28).
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
    let expires_on: Timestamp = (printed.expires_on.trim().parse())
        .map_err(|_| tool.malformed("it does not say when the token ends"))?;
    Ok(AccessToken::new(printed.token, expires_on, NAME))
}

/// Why `azd` gave no token (CLI-23).
fn refusal(tool: &Tool, output: &CommandOutput) -> Error {
    let text = message(&String::from_utf8_lossy(&output.stderr));
    let mentions = |words: &str| text.contains(words);
    let failed = || format!("the Azure Developer CLI failed: {}", wire::excerpt(&text));
    // First of all: its advice is to sign in, too, but somebody is signed in.
    let error = if mentions("must use multi-factor authentication")
        || mentions("reauthentication required")
        || mentions("login expired")
    {
        // The policy may want a login with options of its own.
        let login = text.split_once("run `azd auth login");
        let options = login.and_then(|(_, rest)| rest.split_once('`'));
        let options = options.map_or("", |(options, _)| options);
        tool.error(ErrorKind::InteractionRequired, failed())
            .with_help(wire::excerpt(&format!("run: azd auth login{options}")))
    } else if mentions("not logged in, run `azd auth login`") || mentions("run `azd login`") {
        tool.error(
            ErrorKind::Unavailable,
            "nobody is signed in to the Azure Developer CLI",
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
            .with_help("see what `azd auth token` says in a shell")
    };
    match entra::aadsts_code(&text) {
        Some(code) => error.with_code(code),
        None => error,
    }
}

/// All the words in what `azd` wrote to standard error, on one line: lines of JSON in one of three
/// shapes, or plain text (CLI-22). What is wrong may be said in the suggestion only.
fn message(stderr: &str) -> String {
    let mut said = String::new();
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
            said.push_str(text);
            said.push(' ');
        }
    }
    let said = wire::one_line(&said);
    said.strip_prefix("ERROR: ").unwrap_or(&said).to_owned()
}

/// Options of an [`AzureDeveloperCliCredential`].
#[derive(Clone, Default)]
#[must_use = "a builder does nothing until `build`"]
pub struct AzureDeveloperCliCredentialBuilder {
    tenant_id: Option<String>,
    additionally_allowed_tenants: Vec<String>,
    process_timeout: Option<Duration>,
    platform: Option<Platform>,
    observer: ObserverRef,
}

impl AzureDeveloperCliCredentialBuilder {
    /// The tenant to ask in. Default: the tool's own; a request may then name any.
    pub fn tenant_id(mut self, tenant: impl Into<String>) -> Self {
        self.tenant_id = Some(tenant.into());
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
    /// [`Configuration`](ErrorKind::Configuration) when the tenant is no tenant (CLI-12).
    pub fn build(self) -> Result<AzureDeveloperCliCredential, Error> {
        let tenants = Tenants::new(NAME, self.tenant_id, self.additionally_allowed_tenants)?;
        let platform = self.platform.unwrap_or_default();
        let flights = SingleFlight::new(&platform, NAME);
        let tool = Arc::new(Tool {
            credential: NAME,
            title: "the Azure Developer CLI",
            install: "https://aka.ms/azd-install",
            platform,
            process_timeout: self.process_timeout.unwrap_or(tool::PROCESS_TIMEOUT),
            observer: self.observer,
            signed_in: Mutex::default(),
        });
        Ok(AzureDeveloperCliCredential {
            tool,
            flights,
            tenants,
        })
    }
}
