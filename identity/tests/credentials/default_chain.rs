//! DefaultAzureCredential: its members, its variable, its probe.

use std::{sync::Arc, time::Duration};

use credsim_identity::{
    DefaultAzureCredential, Error, ErrorKind, Outcome, RetryOptions, TokenCredential,
    chain::DefaultAzureCredentialBuilder,
    platform::{CommandError, TransportErrorKind},
};

use crate::stub::*;

fn dac(stub: &Arc<Stub>) -> DefaultAzureCredentialBuilder {
    DefaultAzureCredential::builder().platform(stub.platform())
}

fn tried(error: &Error) -> Vec<String> {
    error
        .chain()
        .unwrap()
        .tried
        .iter()
        .map(|tried| tried.credential.clone())
        .collect()
}

/// CH-01, PR-05.
#[tokio::test(start_paused = true)]
async fn all_members_are_asked_in_the_documented_order() {
    let stub = Stub::new();
    let error = failure(&dac(&stub).build().unwrap()).await;
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(
        tried(&error),
        [
            "EnvironmentCredential",
            "WorkloadIdentityCredential",
            "ManagedIdentityCredential",
            "VisualStudioCodeCredential",
            "AzureCliCredential",
            "AzurePowerShellCredential",
            "AzureDeveloperCliCredential",
            "BrokerCredential",
        ]
    );
    assert_eq!(error.message().lines().count(), 9, "{error}");
    assert!(
        error
            .message()
            .contains("BrokerCredential is not supported yet"),
        "{error}"
    );
}

/// CH-03: trimmed, whatever the case; anything else is refused at construction.
#[tokio::test(start_paused = true)]
async fn the_variable_selects_members() {
    for (value, expected) in [
        ("", 8),
        ("  ", 8),
        (" Prod ", 3),
        ("DEV", 5),
        ("AzureCliCredential", 1),
        ("visualstudiocodecredential", 1),
    ] {
        let stub = Stub::new().var("AZURE_TOKEN_CREDENTIALS", value);
        let error = failure(&dac(&stub).build().unwrap()).await;
        assert_eq!(tried(&error).len(), expected, "{value}");
    }
    for value in ["production", "BrokerCredential", "prod,dev"] {
        let stub = Stub::new().var("AZURE_TOKEN_CREDENTIALS", value);
        assert_eq!(
            dac(&stub).build().unwrap_err().kind(),
            ErrorKind::Configuration
        );
    }
}

/// CH-04.
#[tokio::test(start_paused = true)]
async fn variables_can_be_required() {
    let stub = Stub::new()
        .var("AZURE_TOKEN_CREDENTIALS", "prod")
        .var("EMPTY", "");
    dac(&stub)
        .required_env_vars(["AZURE_TOKEN_CREDENTIALS"])
        .build()
        .unwrap();
    let error = dac(&stub)
        .required_env_vars(["EMPTY", "MISSING"])
        .build()
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(
        error.message().contains("variables EMPTY, MISSING are"),
        "{error}"
    );
    let error = dac(&stub)
        .required_env_vars(["MISSING"])
        .build()
        .unwrap_err();
    assert!(error.message().contains("variable MISSING is"), "{error}");
}

/// PR-13, MI-80: a probe without query and `Metadata`, then one attempt; the yes is remembered.
#[tokio::test(start_paused = true)]
async fn a_probe_and_a_single_attempt() {
    let stub = Stub::new();
    stub.on_http(|request| match request.url.query() {
        None => reply(400, "{}"),
        Some(_) => reply(500, "{}"),
    });
    let credential = dac(&stub).build().unwrap();
    let error = failure(&credential).await;
    assert_eq!(
        error.kind(),
        ErrorKind::Failed,
        "PR-02: an IMDS that answers 500 stops the chain"
    );
    assert!(
        error
            .message()
            .starts_with("ManagedIdentityCredential failed"),
        "{error}"
    );
    assert_eq!(error.status(), Some(500));
    let requests = stub.requests.lock().unwrap().clone();
    assert_eq!(requests.len(), 2);
    let probe = &requests[0].1;
    assert_eq!(
        probe.url.as_str(),
        "http://169.254.169.254/metadata/identity/oauth2/token"
    );
    assert!(
        !probe
            .headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("metadata"))
    );

    failure(&credential).await;
    assert_eq!(stub.urls().len(), 3, "no second probe");
}

/// PR-13, MI-68: silence, refusal and the 403 of a proxy are all "not there", and asked again.
#[tokio::test(start_paused = true)]
async fn an_absent_imds_leads_on_within_a_second() {
    for answer in [
        Answer::Hangs,
        Answer::Fails(TransportErrorKind::Refused),
        reply(
            403,
            "A socket operation was attempted to an unreachable network",
        ),
    ] {
        let stub = Stub::new();
        stub.on_http(move |_| answer.clone());
        stub.on_command(|_| az_token("alice", 3600));
        *stub.command_takes.lock().unwrap() = Duration::ZERO;
        let credential = dac(&stub).build().unwrap();
        let before = tokio::time::Instant::now();
        let token = credential.get_token(&request()).await.unwrap();
        assert!(
            before.elapsed() <= Duration::from_millis(1001),
            "{:?}",
            before.elapsed()
        );
        assert_eq!(token.answered_by(), "AzureCliCredential");
        let record = token.chain().unwrap();
        assert_eq!(record.tried.len(), 5);
        let Outcome::PassedOver(error) = &record.tried[2].outcome else {
            panic!("{record:?}")
        };
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        // PR-07: where no answer came, it is asked in the background, when the time has come.
        tokio::time::sleep(Duration::from_secs(31)).await;
        credential.get_token(&request()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert_eq!(stub.urls().len(), 2, "unavailable is not remembered");
    }
}

/// CH-24, PR-02: an IMDS that has lost the identity leads on, loudly.
#[tokio::test(start_paused = true)]
async fn a_lost_identity_leads_on_loudly() {
    let stub = Stub::new();
    let notes = Arc::new(Notes::default());
    stub.on_http(|_| imds_token("vm", 86_400));
    let credential = dac(&stub).observer(notes.clone()).build().unwrap();
    credential.get_token(&request()).await.unwrap();
    stub.on_http(|_| {
        reply(
            400,
            r#"{"error":"invalid_request","error_description":"Identity not found"}"#,
        )
    });
    stub.on_command(|_| az_token("alice", 200_000));
    tokio::time::sleep(Duration::from_secs(86_401)).await;
    let token = credential.get_token(&request()).await.unwrap();
    assert_eq!(token.answered_by(), "AzureCliCredential");
    assert_eq!(
        notes.taken(),
        [
            "answered ManagedIdentityCredential",
            "changed ManagedIdentityCredential as vm -> AzureCliCredential as alice",
            "answered AzureCliCredential"
        ]
    );
}

/// PR-13, CHD-11: named, it has its retries, its options and no probe.
#[tokio::test(start_paused = true)]
async fn a_named_managed_identity_keeps_its_options() {
    let stub = Stub::new().var("AZURE_TOKEN_CREDENTIALS", "managedidentitycredential");
    stub.on_http(|_| reply(500, "{}"));
    let named = |builder: DefaultAzureCredentialBuilder| {
        builder
            .managed_identity_client_id("chosen")
            .build()
            .unwrap()
    };
    failure(&named(dac(&stub))).await;
    assert_eq!(stub.urls().len(), 6);
    assert!(
        stub.urls()
            .iter()
            .all(|url| url.ends_with("&client_id=chosen"))
    );
    let options = RetryOptions {
        max_retries: Some(2),
        ..RetryOptions::default()
    };
    failure(&named(dac(&stub).retry(options))).await;
    assert_eq!(stub.urls().len(), 9);
}

/// CH-15, CH-16: `AZURE_CLIENT_ID` names the managed identity, unless an option does.
#[tokio::test(start_paused = true)]
async fn the_client_id_variable_reaches_the_managed_identity() {
    let stub = Stub::new().var("AZURE_CLIENT_ID", "from-variable");
    stub.on_http(|_| imds_token("vm", 86_400));
    dac(&stub)
        .build()
        .unwrap()
        .get_token(&request())
        .await
        .unwrap();
    let other = dac(&stub)
        .managed_identity_resource_id("r")
        .build()
        .unwrap();
    other.get_token(&request()).await.unwrap();
    let urls = stub.urls();
    assert!(urls[1].ends_with("&client_id=from-variable"), "{urls:?}");
    assert!(urls[3].ends_with("&msi_res_id=r"), "{urls:?}");
}

/// PR-05, CH-09: a constructor that failed is heard, not swallowed.
#[tokio::test(start_paused = true)]
async fn a_member_that_could_not_be_built_is_listed() {
    let stub = Stub::new()
        .var("AZURE_TENANT_ID", "not a tenant")
        .var("AZURE_CLIENT_ID", "c")
        .var("AZURE_CLIENT_SECRET", "s");
    let error = failure(&dac(&stub).build().unwrap()).await;
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(
        error
            .message()
            .contains("1. EnvironmentCredential: the tenant"),
        "{error}"
    );

    let stub = Stub::new();
    let error = failure(&dac(&stub).tenant_id("not a tenant").build().unwrap()).await;
    assert_eq!(tried(&error).len(), 8, "developer credentials let it go on");
    assert_eq!(error.kind(), ErrorKind::Configuration);
}

/// PR-02: developer credentials let it go on after any failure.
#[tokio::test(start_paused = true)]
async fn a_failing_az_leads_on_to_azd() {
    let stub = Stub::new();
    stub.on_command(|command| match command.program.as_str() {
        "az" => complained("ERROR: AADSTS50076: sign in again"),
        _ => printed(&format!(
            r#"{{"token":"{}","expiresOn":"2026-01-01T01:00:00Z"}}"#,
            jwt("bob")
        )),
    });
    let token = dac(&stub)
        .build()
        .unwrap()
        .get_token(&request())
        .await
        .unwrap();
    assert_eq!(token.answered_by(), "AzureDeveloperCliCredential");
}

/// CH-01: PowerShell is asked after az and before azd.
#[tokio::test(start_paused = true)]
async fn powershell_answers_in_its_place() {
    let stub = Stub::new();
    stub.on_command(|command| match command.program.as_str() {
        "pwsh" => printed(&format!(
            r#"{{"Token":"{}","ExpiresOn":1893456000}}"#,
            jwt("carol")
        )),
        _ => Err(CommandError::NotFound),
    });
    let credential = dac(&stub).build().unwrap();
    let token = credential.get_token(&request()).await.unwrap();
    assert_eq!(token.answered_by(), "AzurePowerShellCredential");
    let commands = stub.commands.lock().unwrap();
    let programs: Vec<&str> = commands.iter().map(|c| c.program.as_str()).collect();
    assert_eq!(programs, ["az", "pwsh"]);
}
