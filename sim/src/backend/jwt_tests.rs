//! Tokens and the key that signs them.

use jiff::Timestamp;
use serde_json::json;

use super::testing::seconds;
use super::{
    issuer::{Issuer, Who, derived_guid},
    jwt::{NotVerified, key_set, sign, url_safe, verify},
};

const TENANT: &str = "72f988bf-0000-0000-0000-00000000cafe";

fn user_token(issuer: &mut Issuer) -> String {
    let who = Who::Person {
        name: "alice@contoso.example",
        object_id: "a11ce",
    };
    issuer
        .issue(
            who,
            "https://vault.azure.net",
            Timestamp::UNIX_EPOCH,
            seconds(3_600),
        )
        .token
}

#[test]
fn what_is_signed_verifies_and_says_what_it_said() {
    let token = sign(&json!({ "a": 1 }));
    assert_eq!(token.split('.').count(), 3);
    assert_eq!(verify(&token), Ok(json!({ "a": 1 })));
    assert_eq!(
        token,
        sign(&json!({ "a": 1 })),
        "the same claims give the same token"
    );
}

#[test]
fn any_change_of_a_token_is_noticed() {
    let token = sign(&json!({ "a": 1 }));
    let parts: Vec<&str> = token.split('.').collect();
    let forged = format!("{}.{}.{}", parts[0], url_safe("{\"a\":2}"), parts[2]);
    assert_eq!(verify(&forged), Err(NotVerified::Signature));
    let header = url_safe("{\"alg\":\"none\"}");
    assert_eq!(
        verify(&format!("{header}.{}.", parts[1])),
        Err(NotVerified::UnknownKey)
    );
    assert_eq!(verify("eyJ0eXAi"), Err(NotVerified::Malformed));
    assert_eq!(verify("a.b.c"), Err(NotVerified::Malformed));
}

#[test]
fn the_published_key_verifies_tokens_by_another_hand() {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
    use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};

    let keys = key_set("https://login.microsoftonline.com/t/v2.0");
    let key = &keys["keys"][0];
    let part = |name: &str| BASE64.decode(key[name].as_str().unwrap()).unwrap();
    let public = RsaPublicKeyComponents {
        n: part("n"),
        e: part("e"),
    };
    let token = user_token(&mut Issuer::new(TENANT));
    let header = BASE64.decode(token.split('.').next().unwrap()).unwrap();
    let header: serde_json::Value = serde_json::from_slice(&header).unwrap();
    assert_eq!(header["kid"], key["kid"]);
    assert!(verify(&token).is_ok());
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let signature = BASE64.decode(signature).unwrap();
    assert!(
        public
            .verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature)
            .is_ok()
    );
    assert_eq!(key["kid"], key["x5t"]);
    assert_eq!(key["use"], "sig");
}

#[test]
fn two_tokens_are_never_the_same_and_two_worlds_issue_the_same() {
    let (mut one, mut other) = (Issuer::new(TENANT), Issuer::new(TENANT));
    let first = user_token(&mut one);
    assert_ne!(first, user_token(&mut one));
    assert_eq!(first, user_token(&mut other));
}

#[test]
fn a_person_is_told_from_an_application() {
    let token = user_token(&mut Issuer::new(TENANT));
    let claims = verify(&token).unwrap();
    assert_eq!(claims["upn"], "alice@contoso.example");
    assert_eq!(claims["scp"], "user_impersonation");
    assert_eq!(claims["name"], "alice");
    assert_eq!(claims["idtyp"], "user");
    assert_eq!(claims["oid"], "a11ce");
    assert_eq!(claims["tid"], TENANT);
    assert_eq!(claims["iss"], format!("https://sts.windows.net/{TENANT}/"));
    assert_eq!(claims["exp"], 3_600);
    assert_eq!(claims["nbf"], -300);
    assert!(claims.get("roles").is_none() && claims.get("xms_mirid").is_none());
}

#[test]
fn derived_ids_look_like_random_ones() {
    let id = derived_guid("x");
    assert_eq!(id.len(), 36);
    assert_eq!(id.as_bytes()[14], b'4');
    assert!(matches!(id.as_bytes()[19], b'8' | b'9' | b'a' | b'b'));
}
