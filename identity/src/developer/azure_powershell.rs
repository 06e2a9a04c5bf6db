//! Azure PowerShell: `pwsh` with the module Az.Accounts (CLI-24 to CLI-27).

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
    platform::{BoxFuture, Command, CommandError, CommandOutput, CommandRunner, Platform},
    wire,
};

use super::tool::{self, Tool};

/// The class name in documentation, logs and errors.
pub(crate) const NAME: &str = "AzurePowerShellCredential";

/// With what our script ends when the module cannot be loaded. PowerShell itself never does.
const NO_MODULE: i32 = 3;

/// Tokens of whoever is signed in to Azure PowerShell.
///
/// Runs `Get-AzAccessToken` of the module Az.Accounts, 2.2.0 or later, in `pwsh`, on Windows also
/// in `powershell` where there is no `pwsh`; without a shell, once per call: nothing is cached (wrap
/// it in [`Cached`](crate::Cached) for that, PR-27), but callers that ask for the same at the same
/// time share one process (PR-24). It ends after `process_timeout`, killed with its children
/// (PR-15; on Windows its children live on). Takes exactly one scope. Claims are refused with
/// [`InteractionRequired`](ErrorKind::InteractionRequired) and the command that answers them.
#[derive(Clone)]
pub struct AzurePowerShellCredential {
    tool: Arc<Tool>,
    flights: SingleFlight,
    tenants: Tenants,
}

impl AzurePowerShellCredential {
    /// Starts with the account and tenant that PowerShell is connected to.
    pub fn builder() -> AzurePowerShellCredentialBuilder {
        AzurePowerShellCredentialBuilder::default()
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
        // Neither they nor tenants hold a quote, so they cannot leave the script's strings.
        tool::check(NAME, "scope", scope, tool::SCOPE)?;
        let tenant = self.tenants.resolve(NAME, request)?;
        if let Some(claims) = &request.claims {
            return Err(self.refuse_claims(claims, tenant));
        }
        let resource = scope.strip_suffix("/.default").unwrap_or(scope);
        let script = encoded(&script(resource, tenant));
        // Without `-OutputFormat`, an encoded command reports errors in XML.
        let args = ["-NoProfile", "-NonInteractive", "-OutputFormat", "Text"];
        let args = args.into_iter().chain(["-EncodedCommand", &script]);
        Ok(Command {
            program: "pwsh".to_owned(),
            args: args.map(str::to_owned).collect(),
            env: vec![("NO_COLOR".to_owned(), "true".to_owned())],
        })
    }

    /// PowerShell cannot pass claims on; a person has to sign in with them (CLI-27).
    fn refuse_claims(&self, claims: &str, tenant: Option<&str>) -> Error {
        let tenant = tenant
            .map(|tenant| format!(" -Tenant {tenant}"))
            .unwrap_or_default();
        let claims = STANDARD.encode(claims);
        self.tool
            .error(
                ErrorKind::InteractionRequired,
                "the resource challenges with claims",
            )
            .with_help(format!(
                "run in PowerShell: Connect-AzAccount -ClaimsChallenge {claims}{tenant}"
            ))
    }
}

/// What PowerShell is to do. It prints one line of JSON and exits with 0, or says on standard error
/// what went wrong: neither translated into the user's language nor wrapped to a width.
fn script(resource: &str, tenant: Option<&str>) -> String {
    let tenant = tenant
        .map(|tenant| format!(" TenantId = '{tenant}';"))
        .unwrap_or_default();
    // From 2.17.0 on a plain token comes with a warning, from 5.0.0 on it is secure anyway (CLI-24).
    format!(
        "$ErrorActionPreference = 'Stop'; $ProgressPreference = 'SilentlyContinue'
try {{ $module = Import-Module Az.Accounts -MinimumVersion 2.2.0 -PassThru }}
catch {{ [Console]::Error.WriteLine($_.Exception.Message); exit {NO_MODULE} }}
try {{
  $ask = @{{ ResourceUrl = '{resource}';{tenant} WarningAction = 'Ignore' }}
  $is = $module.Version
  if ($is -ge [version]'2.17.0' -and $is -lt [version]'5.0.0') {{ $ask.AsSecureString = $true }}
  $got = Get-AzAccessToken @ask
  $text = $got.Token
  if ($text -is [securestring]) {{ $text = [Net.NetworkCredential]::new('', $text).Password }}
  $ends = $got.ExpiresOn.ToUnixTimeSeconds()
  @{{ Token = $text; ExpiresOn = $ends }} | ConvertTo-Json -Compress
}} catch {{ [Console]::Error.WriteLine($_.Exception.Message); exit 1 }}
"
    )
}

/// A script as `-EncodedCommand` wants it: nothing on the way to PowerShell can misread it.
fn encoded(script: &str) -> String {
    let utf16: Vec<u8> = script.encode_utf16().flat_map(u16::to_le_bytes).collect();
    STANDARD.encode(utf16)
}

impl TokenCredential for AzurePowerShellCredential {
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

impl fmt::Debug for AzurePowerShellCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(NAME)
            .field("tenants", &self.tenants)
            .finish_non_exhaustive()
    }
}

/// What our script prints.
#[derive(Deserialize)]
struct Printed {
    #[serde(rename = "Token")]
    token: Option<String>,
    #[serde(rename = "ExpiresOn")]
    expires_on: Value,
}

fn read(tool: &Tool, output: CommandOutput) -> Result<AccessToken, Error> {
    if output.code != Some(0) {
        return Err(refusal(tool, &output));
    }
    let stdout = Zeroizing::new(output.stdout);
    // PowerShell writes warnings to standard output, too. The script's own line is the last.
    let lines = stdout.split(|byte| *byte == b'\n').rev();
    let printed: Printed = lines
        .map(<[u8]>::trim_ascii)
        .find(|line| !line.is_empty())
        .and_then(|line| serde_json::from_slice(line).ok())
        .ok_or_else(|| tool.malformed("it does not end in a token in JSON"))?;
    let token = printed.token.filter(|token| !token.trim().is_empty());
    let token = token.ok_or_else(|| tool.malformed("its token is empty"))?;
    let expires_on = wire::moment(&printed.expires_on)
        .filter(|at| *at > Timestamp::UNIX_EPOCH)
        .ok_or_else(|| tool.malformed("it does not say when the token ends"))?;
    Ok(AccessToken::new(token, expires_on, NAME))
}

/// Why PowerShell gave no token (CLI-24, CLI-26).
fn refusal(tool: &Tool, output: &CommandOutput) -> Error {
    let text = String::from_utf8_lossy(&output.stderr);
    let said = wire::excerpt(&text);
    let error = match output.code {
        None => tool
            .error(ErrorKind::Failed, "PowerShell was ended by a signal")
            .with_help("see what ended it: this host may be short of memory"),
        // Perhaps there, and not allowed to run: its own words tell.
        Some(NO_MODULE) => tool
            .error(
                ErrorKind::Unavailable,
                format!("PowerShell cannot load the module Az.Accounts: {said}"),
            )
            .with_help("run in PowerShell: Install-Module -Name Az.Accounts -Scope CurrentUser"),
        Some(_) if text.contains("Run Connect-AzAccount to login") => tool
            .error(
                ErrorKind::Unavailable,
                "nobody is signed in to Azure PowerShell",
            )
            .with_help("run in PowerShell: Connect-AzAccount"),
        // What Az.Accounts says when a policy wants more of somebody who is signed in.
        Some(_) if text.contains("User interaction is required") => tool
            .error(
                ErrorKind::InteractionRequired,
                format!("Azure PowerShell failed: {said}"),
            )
            .with_help("run in PowerShell: Connect-AzAccount"),
        Some(code) => tool
            .error(
                ErrorKind::Failed,
                format!("Azure PowerShell failed: {said} (exit code {code})"),
            )
            .with_help("see what `Get-AzAccessToken` says in PowerShell"),
    };
    match entra::aadsts_code(&text) {
        Some(code) => error.with_code(code),
        None => error,
    }
}

/// Runs `powershell`, which comes with Windows, where there is no `pwsh` (CLI-24).
struct EitherShell(Arc<dyn CommandRunner>);

impl CommandRunner for EitherShell {
    fn run(&self, command: Command) -> BoxFuture<'static, Result<CommandOutput, CommandError>> {
        let commands = Arc::clone(&self.0);
        Box::pin(async move {
            match commands.run(command.clone()).await {
                Err(CommandError::NotFound) => {
                    let program = "powershell".to_owned();
                    commands.run(Command { program, ..command }).await
                }
                outcome => outcome,
            }
        })
    }
}

/// Options of an [`AzurePowerShellCredential`].
#[derive(Clone, Default)]
#[must_use = "a builder does nothing until `build`"]
pub struct AzurePowerShellCredentialBuilder {
    tenant_id: Option<String>,
    additionally_allowed_tenants: Vec<String>,
    process_timeout: Option<Duration>,
    platform: Option<Platform>,
    observer: ObserverRef,
}

impl AzurePowerShellCredentialBuilder {
    /// The tenant to ask in. Default: the one PowerShell is connected to; a request may then name
    /// any.
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

    /// How long PowerShell may take before it is killed. Default: 15 s (PR-15).
    pub fn process_timeout(mut self, limit: Duration) -> Self {
        self.process_timeout = Some(limit);
        self
    }

    /// The host it runs on. Default: the real machine.
    pub fn platform(mut self, platform: Platform) -> Self {
        self.platform = Some(platform);
        self
    }

    /// Is told when somebody else is signed in to Azure PowerShell (PR-04).
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// The credential. Starts nothing.
    ///
    /// # Errors
    /// [`Configuration`](ErrorKind::Configuration) when the tenant is no tenant (CLI-12).
    pub fn build(self) -> Result<AzurePowerShellCredential, Error> {
        let tenants = Tenants::new(NAME, self.tenant_id, self.additionally_allowed_tenants)?;
        let mut platform = self.platform.unwrap_or_default();
        if cfg!(windows) {
            platform.commands = Arc::new(EitherShell(platform.commands.clone()));
        }
        let flights = SingleFlight::new(&platform, NAME);
        let tool = Arc::new(Tool {
            credential: NAME,
            title: "PowerShell",
            install: "https://aka.ms/powershell",
            platform,
            process_timeout: self.process_timeout.unwrap_or(tool::PROCESS_TIMEOUT),
            observer: self.observer,
            signed_in: Mutex::default(),
        });
        Ok(AzurePowerShellCredential {
            tool,
            flights,
            tenants,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::future::ready;

    use super::*;

    /// A host with one program.
    struct Only(&'static str);

    impl CommandRunner for Only {
        fn run(&self, command: Command) -> BoxFuture<'static, Result<CommandOutput, CommandError>> {
            let output = CommandOutput {
                code: Some(0),
                stdout: command.program.clone().into_bytes(),
                stderr: Vec::new(),
            };
            let is_there = command.program == self.0;
            Box::pin(ready(
                is_there.then_some(output).ok_or(CommandError::NotFound),
            ))
        }
    }

    #[tokio::test]
    async fn windows_has_two_shells() {
        for (program, runs) in [("pwsh", true), ("powershell", true), ("bash", false)] {
            let command = Command {
                program: "pwsh".to_owned(),
                args: vec!["-NoProfile".to_owned()],
                env: Vec::new(),
            };
            match EitherShell(Arc::new(Only(program))).run(command).await {
                Ok(output) => assert_eq!(output.stdout, program.as_bytes()),
                Err(error) => assert!(!runs && error == CommandError::NotFound, "{program}"),
            }
        }
    }
}
