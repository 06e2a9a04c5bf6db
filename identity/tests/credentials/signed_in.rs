//! PR-04: the user that is signed in to a tool may change between two answers.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use credsim_identity::{
    AzureCliCredential, ChainedTokenCredential, FallbackPolicy, TokenCredential,
};

use crate::stub::*;

/// Sends a request for each `(tenant of the request, user, tenant of the token)`, and returns the
/// changes that were reported.
async fn changes(answers: &[(Option<&str>, &'static str, &'static str)]) -> Vec<String> {
    let stub = Stub::new();
    let notes = Arc::new(Notes::default());
    let credential = AzureCliCredential::builder()
        .platform(stub.platform())
        .observer(notes.clone())
        .build()
        .unwrap();
    for &(tenant, oid, tid) in answers {
        stub.on_command(move |_| {
            let claims = URL_SAFE_NO_PAD.encode(format!(r#"{{"oid":"{oid}","tid":"{tid}"}}"#));
            printed(&format!(
                r#"{{"accessToken":"e30.{claims}.c2ln","expires_on":1893456000}}"#
            ))
        });
        let request = match tenant {
            Some(tenant) => request().with_tenant(tenant),
            None => request(),
        };
        credential.get_token(&request).await.unwrap();
    }
    notes.taken()
}

const TO_BOB: &str = "changed AzureCliCredential as alice -> AzureCliCredential as bob";

#[tokio::test(start_paused = true)]
async fn naming_the_home_tenant_hides_no_change() {
    let answers = [
        (None, "alice", "home"),
        (Some("home"), "bob", "home"),
        (None, "bob", "home"),
    ];
    assert_eq!(changes(&answers[..2]).await, [TO_BOB]);
    assert_eq!(changes(&answers).await, [TO_BOB], "it is reported once");
}

#[tokio::test(start_paused = true)]
async fn another_account_of_another_tenant_is_a_change() {
    let reported = changes(&[(None, "alice", "home"), (None, "bob", "elsewhere")]);
    assert_eq!(reported.await, [TO_BOB]);
}

#[tokio::test(start_paused = true)]
async fn the_same_person_in_two_tenants_is_no_change() {
    let reported = changes(&[
        (None, "alice", "home"),
        (Some("guests"), "alice-as-guest", "guests"),
        (Some("home"), "alice", "home"),
        (None, "alice", "home"),
        (Some("guests"), "alice-as-guest", "guests"),
    ]);
    assert!(reported.await.is_empty());
}

/// Which version of the token format comes is the resource's choice: `appid` and `upn`, or `azp`
/// and `preferred_username`.
#[tokio::test(start_paused = true)]
async fn the_same_person_in_two_formats_is_no_change() {
    let stub = Stub::new();
    let notes = Arc::new(Notes::default());
    let az = AzureCliCredential::builder().platform(stub.platform());
    let credential = az.observer(notes.clone()).build().unwrap();
    let chain = ChainedTokenCredential::builder()
        .platform(stub.platform())
        .fallback_policy(FallbackPolicy::Refuse)
        .shared(Arc::new(credential.clone()))
        .build()
        .unwrap();
    for claims in [
        r#"{"oid":"alice","tid":"home","appid":"az","upn":"alice@contoso.example"}"#,
        r#"{"oid":"alice","tid":"home","azp":"az","preferred_username":"Alice@Contoso.example"}"#,
        r#"{"oid":"alice","tid":"home","appid":"az"}"#,
    ] {
        stub.on_command(move |_| {
            let claims = URL_SAFE_NO_PAD.encode(claims);
            printed(&format!(
                r#"{{"accessToken":"e30.{claims}.c2ln","expires_on":1893456000}}"#
            ))
        });
        credential.get_token(&request()).await.unwrap();
        chain.get_token(&request()).await.unwrap();
    }
    assert_eq!(notes.taken(), [""; 0]);
}
