//! What an error repeats of an answer that nobody expected: never a token, never the secret that
//! was sent, in no spelling.

use std::sync::Arc;

use credsim_identity::{ClientSecretCredential, Error, ManagedIdentityCredential, TokenCredential};
use jiff::SignedDuration;

use crate::stub::*;

const SECRET: &str = r#"a~b+c"d"#;

fn client(stub: &Arc<Stub>) -> ClientSecretCredential {
    ClientSecretCredential::builder("t", "c", SECRET)
        .platform(stub.platform())
        .build()
        .unwrap()
}

fn identity(stub: &Arc<Stub>) -> ManagedIdentityCredential {
    ManagedIdentityCredential::builder()
        .platform(stub.platform())
        .build()
        .unwrap()
}

fn all_of(error: &Error) -> String {
    format!("{error} {error:?} {:?} {:?}", error.code(), error.help())
}

/// A page of a proxy that repeats the request, whole or in part, as it was or as its format has it.
#[tokio::test(start_paused = true)]
async fn a_page_that_repeats_the_request_gives_no_secret_away() {
    for body in [
        "<p>Blocked: client_id=c&client_secret=a%7Eb%2Bc%22d&scope=s</p>",
        "<p>Blocked: client_id=c&amp;client_secret=a%7eb%2bc%22d</p>",
        "<p>Blocked: a%7Eb%2Bc%22d</p>",
        "<p>Blocked: a~b+c&quot;d and a~b+c&#34;d</p>",
        r#"{"blocked":"a~b+c\"d"}"#,
        r#"{"error":"blocked","error_description":"client_secret=a%7Eb%2Bc%22d"}"#,
    ] {
        let stub = Stub::new();
        stub.on_http(move |_| reply(403, body));
        let text = all_of(&failure(&client(&stub)).await).to_ascii_lowercase();
        let told = ["a~b", "a%7eb", "c&", "c\\"].map(|piece| text.contains(piece));
        assert_eq!(told, [false; 4], "{text}");
    }
}

/// A proxy that changes an answer sets the status 203.
#[tokio::test(start_paused = true)]
async fn a_token_under_another_status_is_not_quoted() {
    for body in [
        r#"{"access_token":"opaque-token","expires_in":3599}"#.to_owned(),
        format!("here you are: {}", jwt("app")),
    ] {
        let stub = Stub::new();
        let (answer, size) = (body.clone(), body.len());
        stub.on_http(move |_| reply(203, answer.clone()));
        let (entra, imds) = (client(&stub), identity(&stub));
        for credential in [&entra as &dyn TokenCredential, &imds] {
            let error = failure(credential).await;
            let text = all_of(&error);
            assert!(
                !text.contains("opaque-token") && !text.contains("e30."),
                "{text}"
            );
            let said = format!("answered 203: an unexpected answer of {size} bytes");
            assert!(error.message().ends_with(&said), "{text}");
        }
    }
}

/// PR-20: a clock that is set while an answer is on its way lengthens no life. One that is set
/// forward shortens it: the host may have slept instead.
#[tokio::test(start_paused = true)]
async fn a_life_is_counted_from_the_receipt_by_the_clock_of_then() {
    for (minutes, ends_after) in [(-60, -60), (10, 0)] {
        let stub = Stub::new();
        let credential = client(&stub);
        let clock = Arc::clone(&stub);
        stub.on_http(move |_| {
            *clock.clock_set_by.lock().unwrap() = SignedDuration::from_mins(minutes);
            let token = jwt("app");
            reply(
                200,
                format!(r#"{{"token_type":"Bearer","expires_in":3599,"access_token":"{token}"}}"#),
            )
        });
        let token = credential.get_token(&request()).await.unwrap();
        let end = start() + SignedDuration::from_mins(ends_after) + SignedDuration::from_secs(3599);
        assert_eq!(token.expires_on(), end, "set by {minutes} min");
    }
}
