//! AzureCliCredential and AzureDeveloperCliCredential.

use std::{error::Error as _, sync::Arc, time::Duration};

use credsim_identity::{
    AzureCliCredential, AzureDeveloperCliCredential, Error, ErrorKind, TokenCredential,
    TokenCredentialExt, TokenRequest,
    developer::{AzureCliCredentialBuilder, AzureDeveloperCliCredentialBuilder},
    platform::{CommandError, CommandOutput},
};
use jiff::Timestamp;

use crate::stub::*;

fn az(stub: &Arc<Stub>) -> AzureCliCredentialBuilder {
    AzureCliCredential::builder().platform(stub.platform())
}

fn azd(stub: &Arc<Stub>) -> AzureDeveloperCliCredentialBuilder {
    AzureDeveloperCliCredential::builder().platform(stub.platform())
}

async fn az_fails_with(stderr: &'static str) -> Error {
    let stub = Stub::new();
    stub.on_command(move |_| complained(stderr));
    failure(&az(&stub).build().unwrap()).await
}

async fn azd_fails_with(stderr: &'static str) -> Error {
    let stub = Stub::new();
    stub.on_command(move |_| complained(stderr));
    failure(&azd(&stub).build().unwrap()).await
}

/// CLI-01, CLI-13.
#[tokio::test(start_paused = true)]
async fn az_is_asked_for_a_resource() {
    let stub = Stub::new();
    stub.on_command(|_| az_token("alice", 3600));
    let credential = az(&stub)
        .tenant_id("t")
        .subscription("my sub")
        .build()
        .unwrap();
    let token = credential.get_token(&request()).await.unwrap();
    assert_eq!(token.answered_by(), "AzureCliCredential");
    assert_eq!(token.expires_on(), start() + Duration::from_secs(3600));
    let any = az(&stub).build().unwrap();
    any.get_token(&request().with_tenant("other"))
        .await
        .unwrap();
    let ask = "az account get-access-token --output json --resource https://vault.azure.net";
    assert_eq!(
        stub.lines(),
        [
            format!("{ask} --tenant t --subscription my sub"),
            format!("{ask} --tenant other")
        ]
    );
    let error = credential
        .get_token(&request().with_tenant("other"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
}

/// CLI-06, PR-24: nothing is cached, and one process serves all callers that wait for the same
/// token.
#[tokio::test(start_paused = true)]
async fn one_process_per_arguments_at_a_time() {
    let stub = Stub::new();
    stub.on_command(|_| az_token("alice", 3600));
    let credential = az(&stub).build().unwrap();
    let (one, two) = (request(), request());
    let other = TokenRequest::new(["https://storage.azure.com/.default"]);
    let (a, b, c) = tokio::join!(
        credential.get_token(&one),
        credential.get_token(&two),
        credential.get_token(&other)
    );
    assert_eq!(a.unwrap(), b.unwrap());
    c.unwrap();
    assert_eq!(stub.lines().len(), 2);
    credential.get_token(&one).await.unwrap();
    assert_eq!(stub.lines().len(), 3);
    assert!(credential.cached(&one).is_none());
}

/// CLI-12: checked before anything is started.
#[tokio::test(start_paused = true)]
async fn arguments_are_checked_first() {
    let stub = Stub::new();
    for build in [
        az(&stub).tenant_id("a b").build().map(drop),
        az(&stub).tenant_id("--debug").build().map(drop),
        az(&stub).subscription("a;b").build().map(drop),
        az(&stub).subscription("--debug").build().map(drop),
        azd(&stub).tenant_id("$(x)").build().map(drop),
    ] {
        assert_eq!(build.unwrap_err().kind(), ErrorKind::Configuration);
    }
    let (az, azd) = (az(&stub).build().unwrap(), azd(&stub).build().unwrap());
    for scopes in [vec![""], vec!["--debug"], vec!["a b"], vec!["a\"b"], vec![]] {
        let request = TokenRequest::new(scopes.clone());
        assert_eq!(
            az.get_token(&request).await.unwrap_err().kind(),
            ErrorKind::Configuration
        );
        assert_eq!(
            azd.get_token(&request).await.unwrap_err().kind(),
            ErrorKind::Configuration
        );
    }
    let two = TokenRequest::new(["a", "b"]);
    assert_eq!(
        az.get_token(&two).await.unwrap_err().kind(),
        ErrorKind::Configuration
    );
    assert!(stub.lines().is_empty());
}

/// CLI-11: refused, with the command that answers them, before anything is started.
#[tokio::test(start_paused = true)]
async fn az_refuses_claims() {
    let stub = Stub::new();
    let credential = az(&stub).tenant_id("t").build().unwrap();
    let error = credential
        .get_token(&request().with_claims("{}"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InteractionRequired);
    assert_eq!(
        error.help(),
        Some(
            "run: az login --claims-challenge e30= --tenant t --scope https://vault.azure.net/.default"
        )
    );
    assert!(stub.lines().is_empty());
}

async fn expiry(zone: &str, fields: &'static str) -> Result<Timestamp, Error> {
    let stub = Stub::new().zone(zone);
    stub.on_command(move |_| printed(&format!(r#"{{"accessToken":"t",{fields}}}"#)));
    let token = az(&stub).build().unwrap().get_token(&request()).await?;
    Ok(token.expires_on())
}

/// PR-28, CLI-04, CLI-05.
#[tokio::test(start_paused = true)]
async fn local_time_is_read_in_the_hosts_zone() {
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let both = r#""expires_on":1893456000,"expiresOn":"2001-01-01 00:00:00.000000""#;
    assert_eq!(
        expiry("Asia/Tokyo", both).await.unwrap(),
        at("2030-01-01T00:00:00Z")
    );
    let local = r#""expiresOn":"2029-12-31 19:00:00.000000""#;
    assert_eq!(
        expiry("America/New_York", local).await.unwrap(),
        at("2030-01-01T00:00:00Z")
    );
    let zero = r#""expires_on":0,"expiresOn":"2030-01-01 09:00:00.000000""#;
    assert_eq!(
        expiry("Asia/Tokyo", zero).await.unwrap(),
        at("2030-01-01T00:00:00Z")
    );
    // 02:30 comes twice on this night, at 00:30Z and at 01:30Z.
    let fold = r#""expiresOn":"2026-10-25 02:30:00.000000""#;
    assert_eq!(
        expiry("Europe/Berlin", fold).await.unwrap(),
        at("2026-10-25T00:30:00Z")
    );
    // 02:30 never comes on this one; the earlier reading is the safe one.
    let gap = r#""expiresOn":"2026-03-29 02:30:00.000000""#;
    assert_eq!(
        expiry("Europe/Berlin", gap).await.unwrap(),
        at("2026-03-29T00:30:00Z")
    );
    for bad in [r#""expiresOn":"tomorrow""#, r#""tokenType":"Bearer""#] {
        assert_eq!(
            expiry("UTC", bad).await.unwrap_err().kind(),
            ErrorKind::Failed
        );
    }
}

/// An unknown zone is not taken for UTC; an end in UTC needs no zone.
#[tokio::test(start_paused = true)]
async fn an_unknown_zone_is_not_guessed() {
    let local = r#""expiresOn":"2029-12-31 19:00:00.000000""#;
    let error = expiry("Etc/Unknown", local).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Failed);
    assert!(error.help().unwrap().contains("set TZ"), "{error}");
    let both = r#""expires_on":1893456000,"expiresOn":"2001-01-01 00:00:00.000000""#;
    assert!(expiry("Etc/Unknown", both).await.is_ok());
}

/// CLI-10: a warning is no error.
#[tokio::test(start_paused = true)]
async fn a_warning_of_az_costs_no_token() {
    let stub = Stub::new();
    stub.on_command(|_| {
        let mut output = az_token("alice", 3600)?;
        output.stderr = b"WARNING: Please run 'az login' soon".to_vec();
        Ok(output)
    });
    az(&stub)
        .build()
        .unwrap()
        .get_token(&request())
        .await
        .unwrap();
}

/// PR-20: the clock of the host was set while the tool ran, or the tool handed out what it had
/// kept.
#[tokio::test(start_paused = true)]
async fn a_token_of_a_tool_that_has_expired_is_not_handed_out() {
    let stub = Stub::new();
    stub.on_command(|_| az_token("alice", 0));
    let credential = az(&stub).build().unwrap();
    let error = credential.get_token(&request()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Failed);
    assert!(error.message().contains("already expired"), "{error}");
    stub.on_command(|_| az_token("alice", 60));
    credential.get_token(&request()).await.unwrap();
}

/// CLI-07, CLI-08, CLI-09.
#[tokio::test(start_paused = true)]
async fn errors_of_az_are_reported() {
    let stub = Stub::new();
    let error = failure(&az(&stub).build().unwrap()).await;
    assert_eq!(
        (error.kind(), error.message()),
        (ErrorKind::Unavailable, "the Azure CLI is not installed")
    );

    let error = az_fails_with("ERROR: Please run 'az login' to setup account.").await;
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(error.help(), Some("Please run 'az login'"));

    let error = az_fails_with(
        "ERROR: AADSTS70043: The refresh token has expired.\n\
         Run the command below to authenticate interactively; additional arguments may be added \
         as needed:\naz logout\naz login --tenant \"T\" --scope \"R/.default\"\n",
    )
    .await;
    assert_eq!(error.kind(), ErrorKind::Failed);
    assert_eq!(error.code(), Some("AADSTS70043"));
    assert!(
        error.message().contains("The refresh token has expired."),
        "{error}"
    );
    assert_eq!(
        error.help(),
        Some("run: az login --tenant \"T\" --scope \"R/.default\"")
    );

    let error = az_fails_with("ERROR: Subscription 'X' not found.").await;
    assert_eq!(error.kind(), ErrorKind::Failed);
    assert_eq!(
        error.message(),
        "the Azure CLI failed: Subscription 'X' not found. (exit code 1)"
    );
}

/// PR-01: every failure of a tool has advice and its cause.
#[tokio::test(start_paused = true)]
async fn every_failure_of_a_tool_has_advice() {
    let outcomes: [fn() -> Result<CommandOutput, CommandError>; 5] = [
        || Err(CommandError::NotFound),
        || Err(CommandError::Start("Permission denied".to_owned())),
        || Err(CommandError::Output("too long".to_owned())),
        || complained("oops"),
        || {
            let ended = complained("")?;
            Ok(CommandOutput {
                code: None,
                ..ended
            })
        },
    ];
    for outcome in outcomes {
        let stub = Stub::new();
        stub.on_command(move |_| outcome());
        for credential in [
            &az(&stub).build().unwrap() as &dyn TokenCredential,
            &azd(&stub).build().unwrap(),
        ] {
            let error = failure(credential).await;
            assert!(error.help().is_some(), "{error}");
            assert_eq!(error.source().is_some(), outcome().is_err(), "{error}");
        }
    }
}

/// PR-01: a script in the place of a tool that finds no tool is as good as none (CLI-07).
#[tokio::test(start_paused = true)]
async fn a_wrapper_without_its_tool_is_not_installed() {
    let stub = Stub::new();
    let code = Some(127);
    stub.on_command(move |_| complained("").map(|ended| CommandOutput { code, ..ended }));
    let error = failure(&az(&stub).build().unwrap()).await;
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(error.message(), "the Azure CLI is not installed");
}

/// PR-15: a tool that hangs is given up, and output that is no token is not repeated.
#[tokio::test(start_paused = true)]
async fn a_tool_that_hangs_or_babbles_fails() {
    let stub = Stub::new();
    *stub.command_takes.lock().unwrap() = Duration::from_secs(60);
    let before = tokio::time::Instant::now();
    let error = failure(&az(&stub).build().unwrap()).await;
    assert_eq!(error.kind(), ErrorKind::Failed);
    assert_eq!(before.elapsed().as_secs(), 15);
    let quick = azd(&stub)
        .process_timeout(Duration::from_secs(2))
        .build()
        .unwrap();
    assert!(failure(&quick).await.message().contains("within 2 s"));

    for output in [
        "hidden",
        r#"{"accessToken":"","token":""}"#,
        r#"{"token":"hidden"}"#,
    ] {
        let stub = Stub::new();
        stub.on_command(move |_| printed(output));
        for credential in [
            &az(&stub).build().unwrap() as &dyn TokenCredential,
            &azd(&stub).build().unwrap(),
        ] {
            let error = failure(credential).await;
            assert_eq!(error.kind(), ErrorKind::Failed);
            assert!(!format!("{error} {error:?}").contains("hidden"), "{error}");
        }
    }
}

/// CLI-20, CLI-21, PR-28: UTC, whatever the host's zone.
#[tokio::test(start_paused = true)]
async fn azd_is_asked_for_scopes() {
    let stub = Stub::new().zone("America/New_York");
    stub.on_command(|_| printed(r#"{"token":"t","expiresOn":"2030-01-01T00:00:00Z"}"#));
    let credential = azd(&stub).tenant_id("t").build().unwrap();
    let asked = TokenRequest::new(["a", "b"]).with_claims("{}");
    let token = credential.get_token(&asked).await.unwrap();
    assert_eq!(
        token.expires_on(),
        "2030-01-01T00:00:00Z".parse::<Timestamp>().unwrap()
    );
    assert_eq!(token.answered_by(), "AzureDeveloperCliCredential");
    assert_eq!(
        stub.lines(),
        [
            "azd auth token --output json --no-prompt --scope a --scope b --tenant-id t --claims e30="
        ]
    );
}

/// CLI-22, CLI-23.
#[tokio::test(start_paused = true)]
async fn errors_of_azd_are_reported_in_all_their_forms() {
    for stderr in [
        r#"{"type":"consoleMessage","timestamp":"x","data":{"message":"\nERROR: not logged in, run `azd auth login` to login\n"}}"#,
        "{\"type\":\"consoleMessage\",\"data\":{\"message\":\"\"}}\n{\"error\":\"not logged in, run `azd auth login` to login\"}",
        r#"{"error":"x","message":"not logged in, run `azd login` to login","suggestion":"y"}"#,
        "ERROR: not logged in, run `azd auth login` to login",
    ] {
        let error = azd_fails_with(stderr).await;
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        assert_eq!(error.help(), Some("run: azd auth login"));
    }
    let error =
        azd_fails_with(r#"{"error":"AADSTS50076: you must use multi-factor authentication"}"#)
            .await;
    assert_eq!(error.kind(), ErrorKind::InteractionRequired);
    assert_eq!(error.code(), Some("AADSTS50076"));
    for stderr in [
        // 1.24: the reason is in the suggestion only.
        r#"{"error":"AADSTS50005: x","message":"AADSTS50005: x","suggestion":"reauthentication required, run `azd auth login --use-device-code=false` to acquire a new token."}"#,
        "{\"type\":\"consoleMessage\",\"data\":{\"message\":\"\\nERROR: AADSTS50005: x\\nreauthentication required,\\nrun `azd auth login --use-device-code=false` to acquire a new token.\"}}",
        "ERROR: AADSTS50005: x\nSuggestion: login expired, run `azd auth login --use-device-code=false` to acquire a new token.",
    ] {
        let error = azd_fails_with(stderr).await;
        assert_eq!(error.kind(), ErrorKind::InteractionRequired, "{error}");
        assert_eq!(error.code(), Some("AADSTS50005"));
        let login = "run: azd auth login --use-device-code=false";
        assert_eq!(error.help(), Some(login));
    }
    let long = format!("AADSTS50076: {} reauthentication required", "x".repeat(500));
    let error = azd_fails_with(long.leak()).await;
    assert_eq!(error.kind(), ErrorKind::InteractionRequired, "{error}");
    assert!(error.message().chars().count() < 500);
    let error = azd_fails_with("ERROR: unknown flag: --claims").await;
    assert!(error.help().unwrap().contains("1.18.1"), "{error}");
    let error = azd_fails_with(r#"{"error":"AADSTS700016: no such application"}"#).await;
    assert_eq!(error.kind(), ErrorKind::Failed);
    assert_eq!(
        error.message(),
        "the Azure Developer CLI failed: AADSTS700016: no such application"
    );
}

/// PR-29.
#[tokio::test(start_paused = true)]
async fn a_disposed_tool_is_not_started() {
    let stub = Stub::new();
    let credential = az(&stub).build().unwrap();
    credential.dispose();
    assert_eq!(failure(&credential).await.kind(), ErrorKind::Cancelled);
    assert!(stub.lines().is_empty());
}
