//! Recognises what looks like a secret of the real world in a request from outside: somebody may
//! have pointed an app with real settings at a simulated service.

use http::header;

use super::{Stage, exchange::Request, jwt};

/// Fields of a form that hold secrets.
const SECRET_FIELDS: &[&str] = &[
    "client_secret",
    "client_assertion",
    "assertion",
    "refresh_token",
    "password",
];

/// Who signs the tokens of real tenants.
const REAL_ISSUERS: &[&str] = &["sts.windows.net", "login.microsoftonline.com"];

/// What a request holds that looks like a secret of the real world, in words.
pub(super) fn in_request(stage: &Stage, request: &Request) -> Option<&'static str> {
    let shown = request
        .header(header::AUTHORIZATION.as_str())
        .and_then(|value| value.split_once(' '))
        .map(|(_, token)| token.trim().to_owned());
    let fields = SECRET_FIELDS
        .iter()
        .filter_map(|name| request.form_field(name));
    let mut held = shown.into_iter().chain(fields);
    held.find_map(|text| {
        // What this world has given out, or what the scenario says, is no secret.
        if stage.secret_in(&text).is_some() {
            return None;
        }
        if is_real_token(&text) {
            return Some("what looks like a token of a real tenant");
        }
        is_real_client_secret(&text).then_some("what looks like a real client secret")
    })
}

/// Entra generates client secrets of 40 characters with a version mark, `Q~`, in the fifth and
/// sixth place.
fn is_real_client_secret(text: &str) -> bool {
    let is_of_secret = |c: u8| c.is_ascii_alphanumeric() || b"~._-".contains(&c);
    let bytes = text.as_bytes();
    (37..=40).contains(&bytes.len())
        && bytes.iter().copied().all(is_of_secret)
        && bytes.get(3).is_some_and(u8::is_ascii_digit)
        && bytes.get(4..6) == Some(b"Q~")
}

/// A token that names a real issuer and is not signed with the key of the simulation.
fn is_real_token(text: &str) -> bool {
    jwt::claims_unverified(text)
        .and_then(|claims| Some(claims.get("iss")?.as_str()?.to_owned()))
        .is_some_and(|issuer| REAL_ISSUERS.iter().any(|real| issuer.contains(real)))
        && jwt::verify(text).is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_of_generated_secrets() {
        // Made up.
        let like_real = format!("abc8Q~{}", "x".repeat(34));
        assert!(is_real_client_secret(&like_real));
        for harmless in [
            "s3cret",
            "abc8Q~short",
            &"x".repeat(40),
            &like_real.replace('x', " "),
        ] {
            assert!(!is_real_client_secret(harmless), "{harmless}");
        }
    }

    #[test]
    fn a_token_of_another_issuer_s_key() {
        let ours = jwt::sign(&serde_json::json!({ "iss": "https://sts.windows.net/t/" }));
        assert!(!is_real_token(&ours));
        let (signed, _) = ours.rsplit_once('.').expect("a signature");
        assert!(is_real_token(&format!("{signed}.{}", "A".repeat(342))));
        let other = jwt::sign(&serde_json::json!({ "iss": "https://example.com" }));
        let (signed, _) = other.rsplit_once('.').expect("a signature");
        assert!(!is_real_token(&format!("{signed}.AAAA")));
        assert!(!is_real_token("eyJ.not.one"));
    }
}
