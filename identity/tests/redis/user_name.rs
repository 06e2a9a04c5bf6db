//! The user name is claim `oid`, or there is an error (PR-33).

use base64::{
    Engine as _,
    engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD},
};
use credsim_identity::{Error, ErrorKind};
use proptest::prelude::*;

use crate::{
    core_support::SECOND,
    support::{Answer::*, World},
};

fn jwt(claims: &str) -> String {
    format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))
}

async fn user_of(token: String) -> Result<String, Error> {
    let world = World::new([Text(token)]);
    let credentials = world.provider.credentials().await?;
    Ok(credentials.user_name().to_owned())
}

#[tokio::test(start_paused = true)]
async fn it_is_the_claim_at_the_top() {
    // RD-35: neither nested nor written in a text, and however it is spelled in JSON.
    for claims in [
        r#"{"oid":"good"}"#,
        r#"{"x":{"oid":"bad"},"oid":"good"}"#,
        r#"{"x":"\"oid\":\"bad\"","oid":"good"}"#,
        r#"{"x":[{"oid":"bad"}], "\u006fid" : "good"}"#,
    ] {
        assert_eq!(user_of(jwt(claims)).await.unwrap(), "good", "{claims}");
    }
}

#[tokio::test(start_paused = true)]
async fn padding_makes_no_difference() {
    for claims in [
        r#"{"oid":"good"}"#,
        r#"{"oid":"good" }"#,
        r#"{"oid":"good"  }"#,
    ] {
        let padded = format!("e30=.{}.c2ln", URL_SAFE.encode(claims));
        assert_eq!(user_of(padded).await.unwrap(), "good");
    }
}

/// RDD-12, RD-55: never `default`, never an empty one.
#[tokio::test(start_paused = true)]
async fn without_it_there_are_no_credentials() {
    let two_parts = format!("e30.{}", URL_SAFE_NO_PAD.encode(r#"{"oid":"x"}"#));
    for (token, expected) in [
        (jwt("{}"), "has no claim `oid`"),
        (jwt(r#"{"x":{"oid":"bad"}}"#), "has no claim `oid`"),
        (jwt(r#"{"oid":""}"#), "has an empty claim `oid`"),
        (jwt(r#"{"oid":" "}"#), "has an empty claim `oid`"),
        (jwt(r#"{"oid":null}"#), "has a claim `oid` that is no text"),
        (jwt(r#"{"oid":7}"#), "has a claim `oid` that is no text"),
        (jwt("[]"), "has no claim `oid`"),
        (jwt("{"), "its claims are not JSON"),
        ("a.!.c".to_owned(), "its claims are not in base64url"),
        (two_parts.clone(), "three parts"),
        (format!("{two_parts}.x.y"), "three parts"),
        ("opaque".to_owned(), "three parts"),
    ] {
        let error = user_of(token).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Failed);
        assert!(error.message().contains(expected), "{error}");
        assert!(error.help().is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_tried_again_at_the_cap() {
    let world = World::new([Text(jwt("{}")), Text(jwt(r#"{"oid":"good"}"#))]);
    let _subscription = world.provider.subscribe();
    world.sleep_until(29 * SECOND).await;
    assert_eq!(world.notes.words(), ["failing"]);
    world.sleep_until(31 * SECOND).await;
    assert_eq!(world.provider.current().unwrap().user_name(), "good");
    assert_eq!(world.idp.forced(), [false, true]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    /// Whatever comes, it is the oid or an error, and no panic.
    #[test]
    fn any_token_is_survived(token in r"(e30|[a-zA-Z0-9_=-]{0,8})(\.[a-zA-Z0-9_=.-]{0,40}){0,3}") {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        if let Ok(user) = runtime.block_on(user_of(token)) {
            prop_assert!(!user.trim().is_empty());
        }
    }
}
