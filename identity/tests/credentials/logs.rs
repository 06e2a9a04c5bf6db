//! What is said to the log, at which level, and that no secret ever is.

use std::{sync::Arc, time::Duration};

use credsim_identity::{
    AzureCliCredential, ClientSecretCredential, DefaultAzureCredential, TokenCredential,
    platform::TransportErrorKind,
};
use tracing_test::traced_test;

use crate::stub::*;

fn the_line<'a>(lines: &[&'a str], words: &str) -> Result<&'a str, String> {
    lines
        .iter()
        .copied()
        .find(|line| line.contains(words))
        .ok_or_else(|| format!("no line says {words:?}"))
}

/// PR-04: who answered and as whom at info, a change at warn, who was passed over at debug.
#[traced_test]
#[tokio::test(start_paused = true)]
async fn a_chain_says_who_answers_and_as_whom() {
    let stub = Stub::new();
    stub.on_http(|_| Answer::Fails(TransportErrorKind::Unreachable));
    stub.on_command(|_| az_token("alice", 3600));
    let credential = DefaultAzureCredential::builder()
        .platform(stub.platform())
        .build()
        .unwrap();
    credential.get_token(&request()).await.unwrap();
    stub.on_http(|_| imds_token("vm", 86_400));
    // Found in the background (PR-07).
    tokio::time::sleep(std::time::Duration::from_secs(31)).await;
    credential.get_token(&request()).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    credential.get_token(&request()).await.unwrap();
    logs_assert(|lines: &[&str]| {
        let first = the_line(lines, "AzureCliCredential as alice")?;
        let change = the_line(lines, "identity changed")?;
        let passed_over = the_line(lines, "passed over")?;
        let fine = first.contains("INFO")
            && first.contains("answered")
            && change.contains("WARN")
            && change.contains("AzureCliCredential as alice")
            && change.contains("ManagedIdentityCredential as vm")
            && passed_over.contains("DEBUG");
        let changes = lines
            .iter()
            .filter(|line| line.contains("identity changed"))
            .count();
        if fine && changes == 1 {
            Ok(())
        } else {
            Err(format!("{lines:#?}"))
        }
    });
}

/// No level tells a secret: not a token, not a client secret, not one that a service repeats.
#[traced_test]
#[tokio::test(start_paused = true)]
async fn no_secret_is_ever_logged() {
    let (secret, token) = ("the-client-secret", jwt("app"));
    let stub = Stub::new();
    let answers = [
        reply(503, format!("cannot sign in with {secret}")),
        reply(
            401,
            format!(r#"{{"error":"invalid_client","error_description":"{secret}"}}"#),
        ),
        reply(200, format!(r#"{{"access_token":"{token}""#)),
        reply(
            200,
            format!(r#"{{"access_token":"{token}","expires_in":3599}}"#),
        ),
    ];
    let mut answers = answers.into_iter();
    stub.on_http(move |_| answers.next().unwrap_or(Answer::Hangs));
    let credential = ClientSecretCredential::builder("tenant", "client", secret)
        .platform(stub.platform())
        .build()
        .unwrap();
    for _ in 0..4 {
        let _ = credential.get_token(&request()).await;
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    let text = token.clone();
    stub.on_command(move |_| printed(&format!(r#"{{"accessToken":"{text}"}}"#)));
    let az = AzureCliCredential::builder()
        .platform(stub.platform())
        .build()
        .unwrap();
    let chain = credsim_identity::ChainedTokenCredential::builder()
        .platform(stub.platform())
        .credential(az)
        .shared(Arc::new(credential))
        .continue_after(credsim_identity::ContinueAfter::Failure)
        .build()
        .unwrap();
    chain.get_token(&request()).await.unwrap();
    logs_assert(|lines: &[&str]| {
        the_line(lines, "answered")?;
        match lines
            .iter()
            .find(|line| line.contains(secret) || line.contains(&token))
        {
            Some(line) => Err(format!("a secret is in: {line}")),
            None => Ok(()),
        }
    });
}
