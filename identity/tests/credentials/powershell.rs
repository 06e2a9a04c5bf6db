//! AzurePowerShellCredential.

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use credsim_identity::{
    AzurePowerShellCredential, Error, ErrorKind, TokenCredential, TokenCredentialExt, TokenRequest,
    developer::AzurePowerShellCredentialBuilder,
    platform::{Command, CommandError, CommandOutput},
};

use crate::stub::*;

fn pwsh(stub: &Arc<Stub>) -> AzurePowerShellCredentialBuilder {
    AzurePowerShellCredential::builder().platform(stub.platform())
}

/// What our script prints when all is well.
fn token(oid: &str) -> Result<CommandOutput, CommandError> {
    let ends = start().as_second() + 3600;
    printed(&format!(
        "WARNING: something\r\n{{\"Token\":\"{}\",\"ExpiresOn\":{ends}}}\r\n",
        jwt(oid)
    ))
}

async fn pwsh_ends(code: Option<i32>, stderr: &'static str) -> Error {
    let stub = Stub::new();
    stub.on_command(move |_| {
        let ended = complained(stderr)?;
        Ok(CommandOutput { code, ..ended })
    });
    failure(&pwsh(&stub).build().unwrap()).await
}

async fn pwsh_prints(stdout: &'static str) -> Error {
    let stub = Stub::new();
    stub.on_command(move |_| printed(stdout));
    failure(&pwsh(&stub).build().unwrap()).await
}

/// The script of a command, its options checked.
fn script(command: &Command) -> String {
    assert_eq!(command.program, "pwsh");
    let [options @ .., encoded] = command.args.as_slice() else {
        panic!("no arguments")
    };
    assert_eq!(
        options.join(" "),
        "-NoProfile -NonInteractive -OutputFormat Text -EncodedCommand"
    );
    let utf16 = STANDARD.decode(encoded).unwrap();
    let utf16: Vec<u16> = (utf16.chunks(2))
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
        .collect();
    String::from_utf16(&utf16).unwrap()
}

/// CLI-13, CLI-26.
#[tokio::test(start_paused = true)]
async fn one_script_asks_for_a_resource_in_a_tenant() {
    let stub = Stub::new();
    stub.on_command(|_| token("alice"));
    let credential = pwsh(&stub)
        .tenant_id("t")
        .additionally_allowed_tenants(["other.example"])
        .build()
        .unwrap();
    let got = credential.get_token(&request()).await.unwrap();
    assert_eq!(got.answered_by(), "AzurePowerShellCredential");
    assert_eq!(got.expires_on(), start() + Duration::from_secs(3600));
    let other = request().with_tenant("other.example");
    credential.get_token(&other).await.unwrap();
    let any = pwsh(&stub).build().unwrap();
    any.get_token(&request()).await.unwrap();
    let scripts: Vec<String> = stub.commands.lock().unwrap().iter().map(script).collect();
    let ask = |tenant: &str| {
        format!("@{{ ResourceUrl = 'https://vault.azure.net';{tenant} WarningAction = 'Ignore' }}")
    };
    for (script, tenant) in
        scripts
            .iter()
            .zip([" TenantId = 't';", " TenantId = 'other.example';", ""])
    {
        assert!(script.contains(&ask(tenant)), "{script}");
    }
    assert_eq!(scripts.len(), 3);
    let error = credential.get_token(&request().with_tenant("third")).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Configuration);
}

/// CLI-06, PR-24.
#[tokio::test(start_paused = true)]
async fn one_process_per_request_and_none_is_kept() {
    let stub = Stub::new();
    stub.on_command(|_| token("alice"));
    let credential = pwsh(&stub).build().unwrap();
    let (one, two) = (request(), request());
    let (a, b) = tokio::join!(credential.get_token(&one), credential.get_token(&two));
    assert_eq!(a.unwrap(), b.unwrap());
    assert_eq!(stub.lines().len(), 1);
    credential.get_token(&one).await.unwrap();
    assert_eq!(stub.lines().len(), 2);
    assert!(credential.cached(&one).is_none());
}

/// CLI-12, CLI-27: what cannot be asked starts nothing.
#[tokio::test(start_paused = true)]
async fn arguments_and_claims_are_looked_at_first() {
    let stub = Stub::new();
    for tenant in ["a b", "t'; Remove-Item x; '", "-Debug"] {
        let built = pwsh(&stub).tenant_id(tenant).build();
        assert_eq!(built.unwrap_err().kind(), ErrorKind::Configuration);
    }
    let credential = pwsh(&stub).tenant_id("t").build().unwrap();
    for scopes in [
        vec![],
        vec![""],
        vec!["a", "b"],
        vec!["a'b"],
        vec!["a\u{2019}b"],
        vec!["$a"],
    ] {
        let error = credential.get_token(&TokenRequest::new(scopes)).await;
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Configuration);
    }
    let error = credential.get_token(&request().with_claims("{}")).await;
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InteractionRequired);
    assert_eq!(
        error.help(),
        Some("run in PowerShell: Connect-AzAccount -ClaimsChallenge e30= -Tenant t")
    );
    assert!(stub.lines().is_empty());
}

/// CLI-24, CLI-26, PR-01.
#[tokio::test(start_paused = true)]
async fn errors_of_powershell_are_reported() {
    let error = failure(&pwsh(&Stub::new()).build().unwrap()).await;
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(error.message(), "PowerShell is not installed");
    assert_eq!(
        error.help(),
        Some("install it from https://aka.ms/powershell")
    );

    let why = "The module was not loaded because no valid module file was found.\r\n";
    let error = pwsh_ends(Some(3), why).await;
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let (said, install) = (error.message(), error.help().unwrap());
    assert!(said.ends_with("load the module Az.Accounts: The module was not loaded because no valid module file was found."), "{said}");
    assert!(
        install.contains("Install-Module -Name Az.Accounts"),
        "{install}"
    );

    let error = pwsh_ends(Some(1), "Run Connect-AzAccount to login.\n").await;
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(
        error.message(),
        "no account is signed in to Azure PowerShell"
    );
    assert_eq!(error.help(), Some("run in PowerShell: Connect-AzAccount"));

    let why = "Authentication failed against tenant t. User interaction is required.";
    let error = pwsh_ends(Some(1), why).await;
    assert_eq!(error.kind(), ErrorKind::InteractionRequired);
    assert!(error.message().contains(why), "{error}");
    assert_eq!(error.help(), Some("run in PowerShell: Connect-AzAccount"));

    let error = pwsh_ends(Some(1), "AADSTS90002: no such tenant; sent eyJh.eyJi.c").await;
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::Failed, Some("AADSTS90002"))
    );
    assert_eq!(
        error.message(),
        "Azure PowerShell failed: AADSTS90002: no such tenant; sent *** (exit code 1)"
    );
    let error = pwsh_ends(None, "").await;
    assert_eq!(error.kind(), ErrorKind::Failed);
    assert!(error.help().is_some());
}

/// PR-15, PR-01: no output of PowerShell that is no token is repeated.
#[tokio::test(start_paused = true)]
async fn a_powershell_that_hangs_or_babbles_fails() {
    for output in [
        "",
        "hidden",
        r#"{"Token":null,"ExpiresOn":1893456000}"#,
        r#"{"Token":" ","ExpiresOn":1893456000}"#,
        r#"{"Token":"hidden"}"#,
        r#"{"Token":"hidden","ExpiresOn":null}"#,
        r#"{"Token":"hidden","ExpiresOn":0}"#,
        "{\"Token\":\"t\",\"ExpiresOn\":1893456000}\nhidden",
    ] {
        let error = pwsh_prints(output).await;
        assert_eq!(error.kind(), ErrorKind::Failed, "{output}");
        assert!(!format!("{error} {error:?}").contains("hidden"), "{error}");
    }
    let stub = Stub::new();
    *stub.command_takes.lock().unwrap() = Duration::from_secs(60);
    let before = tokio::time::Instant::now();
    let error = failure(&pwsh(&stub).build().unwrap()).await;
    assert_eq!(error.kind(), ErrorKind::Failed);
    assert_eq!(before.elapsed().as_secs(), 15);
    let quick = pwsh(&stub).process_timeout(Duration::from_secs(2));
    let error = failure(&quick.build().unwrap()).await;
    assert!(error.message().contains("within 2 s"), "{error}");
}
