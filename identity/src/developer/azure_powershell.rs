//! Azure PowerShell: `pwsh` with the module Az.Accounts (CLI-24 to CLI-27).

use std::sync::Arc;

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
    platform::{BoxFuture, Command, CommandError, CommandOutput, CommandRunner},
};

use super::tool::{Program, Tool, ToolCredential};

/// The class name in documentation, logs and errors.
pub(crate) const NAME: &str = "AzurePowerShellCredential";

/// With what our script ends when the module cannot be loaded. PowerShell itself never does.
const NO_MODULE: i32 = 3;

/// Gets tokens of the account that is signed in to Azure PowerShell.
///
/// Each call runs `Get-AzAccessToken` of the module Az.Accounts, 2.2.0 or later, in `pwsh`; on
/// Windows in `powershell` if there is no `pwsh`. Nothing is cached unless it is wrapped in
/// [`Cached`](crate::Cached) (PR-27), but calls for the same token at the same time share one
/// process (PR-24). After `process_timeout` (default 15 s) the process is killed with its children,
/// on Windows without them (PR-15). It takes exactly one scope. A request with claims fails with
/// [`InteractionRequired`](ErrorKind::InteractionRequired) and the command that the user has to
/// run.
#[derive(Clone)]
pub struct AzurePowerShellCredential(ToolCredential<PowerShell>);

impl AzurePowerShellCredential {
    /// Creates a builder with the account and tenant that PowerShell is connected to.
    pub fn builder() -> AzurePowerShellCredentialBuilder {
        AzurePowerShellCredentialBuilder::default()
    }
}

credential!(AzurePowerShellCredential);

/// The program `pwsh`.
#[derive(Debug)]
struct PowerShell;

impl Program for PowerShell {
    const CREDENTIAL: &'static str = NAME;
    const TITLE: &'static str = "PowerShell";
    const INSTALL: &'static str = "https://aka.ms/powershell";

    fn command(
        &self,
        tool: &Tool,
        request: &TokenRequest,
        tenant: Option<&str>,
    ) -> Result<Command, Error> {
        // Scopes and tenants contain no quotes, so they cannot end a string of the script.
        let scope = tool.one_scope(request)?;
        if let Some(claims) = request.claims() {
            return Err(refuse_claims(tool, claims, tenant));
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

    fn read(&self, tool: &Tool, output: CommandOutput) -> Result<AccessToken, Error> {
        read(tool, output)
    }
}

/// Returns the error for claims: PowerShell cannot send them, so the user has to sign in with them
/// (CLI-27).
fn refuse_claims(tool: &Tool, claims: &str, tenant: Option<&str>) -> Error {
    let tenant = tenant
        .map(|tenant| format!(" -Tenant {tenant}"))
        .unwrap_or_default();
    let claims = STANDARD.encode(claims);
    tool.error(
        ErrorKind::InteractionRequired,
        "the resource challenges with claims",
    )
    .with_help(format!(
        "run in PowerShell: Connect-AzAccount -ClaimsChallenge {claims}{tenant}"
    ))
}

/// Returns the script that gets a token. It prints one line of JSON and exits with 0, or writes the
/// error to standard error, not wrapped to the width of the terminal.
fn script(resource: &str, tenant: Option<&str>) -> String {
    let tenant = tenant
        .map(|tenant| format!(" TenantId = '{tenant}';"))
        .unwrap_or_default();
    // From 2.17.0 on a plain token causes a warning; from 5.0.0 on it is always secure (CLI-24).
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

/// Encodes a script for `-EncodedCommand`, so that it needs no quoting.
fn encoded(script: &str) -> String {
    let utf16: Vec<u8> = script.encode_utf16().flat_map(u16::to_le_bytes).collect();
    STANDARD.encode(utf16)
}

/// The output of the script.
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
    // PowerShell writes warnings to standard output as well; the line of the script is the last.
    let lines = stdout.split(|byte| *byte == b'\n').rev();
    let printed: Printed = lines
        .map(<[u8]>::trim_ascii)
        .find(|line| !line.is_empty())
        .and_then(|line| serde_json::from_slice(line).ok())
        .ok_or_else(|| tool.malformed("it does not end in a token in JSON"))?;
    let token = printed.token.filter(|token| !token.trim().is_empty());
    let token = token.ok_or_else(|| tool.malformed("its token is empty"))?;
    let expires_on = json::moment(&printed.expires_on)
        .filter(|at| *at > Timestamp::UNIX_EPOCH)
        .ok_or_else(|| {
            let fields = [("ExpiresOn", Some(&printed.expires_on))];
            tool.malformed(&json::unreadable_expiry(&fields))
        })?;
    Ok(AccessToken::new(token, expires_on, NAME))
}

/// Returns the error for a failed run of PowerShell (CLI-24, CLI-26).
fn refusal(tool: &Tool, output: &CommandOutput) -> Error {
    let text = String::from_utf8_lossy(&output.stderr);
    let reason = redact::excerpt(&text);
    let error = match output.code {
        None => tool
            .error(ErrorKind::Failed, "PowerShell was ended by a signal")
            .with_help("check what ended it, such as a lack of memory on this host"),
        // The module is missing, or may not be loaded: the text shows which.
        Some(NO_MODULE) => tool
            .error(
                ErrorKind::Unavailable,
                format!("PowerShell cannot load the module Az.Accounts: {reason}"),
            )
            .with_help("run in PowerShell: Install-Module -Name Az.Accounts -Scope CurrentUser"),
        Some(_) if text.contains("Run Connect-AzAccount to login") => tool
            .error(
                ErrorKind::Unavailable,
                "no account is signed in to Azure PowerShell",
            )
            .with_help("run in PowerShell: Connect-AzAccount"),
        // Az.Accounts reports this if a policy requires more of a user who is signed in.
        Some(_) if text.contains("User interaction is required") => tool
            .error(
                ErrorKind::InteractionRequired,
                format!("Azure PowerShell failed: {reason}"),
            )
            .with_help("run in PowerShell: Connect-AzAccount"),
        Some(code) => tool
            .error(
                ErrorKind::Failed,
                format!("Azure PowerShell failed: {reason} (exit code {code})"),
            )
            .with_help("run `Get-AzAccessToken` in PowerShell to see its error"),
    };
    match entra::aadsts_code(&text) {
        Some(code) => error.with_code(code),
        None => error,
    }
}

/// Runs `powershell`, which is a part of Windows, if there is no `pwsh` (CLI-24).
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
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until `build`"]
pub struct AzurePowerShellCredentialBuilder {
    options: ToolOptions,
}

impl AzurePowerShellCredentialBuilder {
    setters!(tool: options);

    /// Builds the credential. Starts no process.
    ///
    /// # Errors
    /// [`Configuration`](ErrorKind::Configuration) if the tenant is neither a tenant id
    /// nor a domain name (CLI-12).
    pub fn build(self) -> Result<AzurePowerShellCredential, Error> {
        let mut options = self.options;
        let mut platform = options.common.host();
        if cfg!(windows) {
            platform.commands = Arc::new(EitherShell(platform.commands.clone()));
        }
        options.common.platform = Some(platform);
        ToolCredential::new(PowerShell, options).map(AzurePowerShellCredential)
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
