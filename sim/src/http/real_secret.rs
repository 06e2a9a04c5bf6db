//! Recognises what looks like a secret of the real world in what comes from outside: somebody may
//! have pointed an app with real settings at a simulated service.

use base64::{Engine as _, engine::general_purpose};

use super::exchange::{Request, fields};
use crate::{
    backend::{Backend, jwt},
    redact::{Body, Shape, percent_decoded, shape, words},
};

/// The issuers of the tokens of real tenants.
const REAL_ISSUERS: &[&str] = &[
    "ciamlogin.com",
    "login.chinacloudapi.cn",
    "login.microsoftonline.com",
    "login.microsoftonline.us",
    "login.partner.microsoftonline.cn",
    "login.windows.net",
    "sts.chinacloudapi.cn",
    "sts.windows.net",
];

/// What a request holds that looks like a secret of the real world, in words.
pub(crate) fn in_request(backend: &Backend, request: &Request) -> Option<&'static str> {
    let headers = request.headers.values().filter_map(|it| it.to_str().ok());
    let pairs = fields(request.query.as_bytes()).into_iter();
    let form = Body::of(&request.body).fields();
    let mut texts: Vec<String> = headers.map(str::to_owned).collect();
    texts.extend(texts.iter().filter_map(|it| basic(it)).collect::<Vec<_>>());
    texts.push(percent_decoded(&request.path).into_owned());
    texts.extend(pairs.flat_map(|(name, value)| [name, value]));
    texts.extend(form.iter().map(|(_, value)| value.clone()));
    let proof = || {
        let is_proof = |name: &str| {
            ["client_assertion", "clientAssertion"]
                .iter()
                .any(|it| is(name, it))
        };
        let mut proofs = form.iter().filter(|(name, _)| is_proof(name));
        let foreign = proofs.any(|(_, value)| is_foreign(value));
        foreign.then_some("a client assertion that this world has not signed")
    };
    let password = || {
        let mut passwords = form.iter().filter(|(name, _)| is(name, "password"));
        let foreign = passwords.any(|(_, value)| is_foreign_password(backend, value));
        foreign.then_some(PASSWORD)
    };
    texts
        .iter()
        .find_map(|text| in_text(backend, text))
        .or_else(proof)
        .or_else(password)
}

/// How findings describe a password.
pub(crate) const PASSWORD: &str = "a password that is none of this world";

/// What `text` holds that looks like a secret of the real world, in words.
pub(crate) fn in_text(backend: &Backend, text: &str) -> Option<&'static str> {
    words(text).find_map(|word| {
        let reason = match shape(word)? {
            Shape::Token(token) if !is_real_token(token) => return None,
            Shape::Token(_) => "what looks like a token of a real tenant",
            Shape::RefreshToken => "what looks like a refresh token or a code of a real tenant",
            Shape::ClientSecret => "what looks like a real client secret",
        };
        (!is_of_world(backend, word)).then_some(reason)
    })
}

/// Whether a password is not one that the scenario itself states.
pub(crate) fn is_foreign_password(backend: &Backend, password: &str) -> bool {
    !password.is_empty() && !is_of_world(backend, password)
}

/// What this world has given out, or what the scenario says, is no secret.
fn is_of_world(backend: &Backend, text: &str) -> bool {
    let is_set = |value: &String| !value.is_empty() && text.contains(value.as_str());
    backend.secret_in(text).is_some() || backend.state().stated.iter().any(is_set)
}

fn is(name: &str, field: &str) -> bool {
    name.eq_ignore_ascii_case(field)
}

/// The user and the password of Basic authentication, as OAuth encodes them.
fn basic(header: &str) -> Option<String> {
    let (scheme, code) = header.split_once(' ')?;
    let code = code.trim().trim_end_matches('=');
    let decoded = is(scheme, "basic")
        .then(|| general_purpose::STANDARD_NO_PAD.decode(code).ok())
        .flatten()?;
    Some(percent_decoded(&String::from_utf8_lossy(&decoded)).into_owned())
}

/// A JWT of any issuer that is not signed with the key of the simulation.
fn is_foreign(token: &str) -> bool {
    let token = without_padding(token);
    jwt::claims_unverified(&token).is_some() && jwt::verify(&token).is_err()
}

/// A token that names a real issuer, or a client's assertion for one, and is not signed with the
/// key of the simulation.
fn is_real_token(text: &str) -> bool {
    let token = without_padding(text);
    let Some(claims) = jwt::claims_unverified(&token) else {
        return false;
    };
    let names_real = |claim: &str| {
        let named = claims.get(claim).and_then(|it| it.as_str());
        named.is_some_and(|named| REAL_ISSUERS.iter().any(|real| named.contains(real)))
    };
    // An assertion signed with a certificate names the client as its issuer, and the directory as
    // its audience.
    let is_assertion = claims.get("iss").is_some() && claims.get("iss") == claims.get("sub");
    (names_real("iss") || is_assertion && names_real("aud")) && jwt::verify(&token).is_err()
}

/// A JWT without the padding that some libraries leave in, in the alphabet that tokens have.
fn without_padding(token: &str) -> String {
    token.replace('=', "").replace('+', "-").replace('/', "_")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::testing::{backend, request};
    use http::Method;

    const WORLD: &str = r#"
        environment = { AZURE_PASSWORD = "of-the-scenario" }
        [entra]
        apps = [{ client-id = "c", object-id = "o", secret = "of-the-world" }]
    "#;

    fn found(target: &str, headers: &[(&str, &str)], form: &str) -> Option<&'static str> {
        let (backend, _) = backend(WORLD);
        in_request(&backend, &request(Method::POST, target, headers, form))
    }

    /// Made up, as all here.
    fn secret() -> String {
        format!("abc8Q~{}", "x".repeat(34))
    }

    fn signed_by_another(issuer: &str) -> String {
        let ours = jwt::sign(&serde_json::json!({ "iss": issuer }));
        let (signed, _) = ours.rsplit_once('.').expect("a signature");
        format!("{signed}.{}", "A".repeat(342))
    }

    #[test]
    fn a_token_of_another_issuer_s_key() {
        let issuer = "https://sts.windows.net/t/";
        let ours = jwt::sign(&serde_json::json!({ "iss": issuer }));
        assert!(!is_real_token(&ours));
        assert!(is_real_token(&signed_by_another(issuer)));
        assert!(!is_real_token(&signed_by_another("https://example.com")));
        assert!(!is_real_token("eyJ.not.one"));
    }

    #[test]
    fn a_secret_is_found_wherever_it_stands() {
        let secret = secret();
        let reason = Some("what looks like a real client secret");
        let encoded = secret.replace('~', "%7E");
        assert_eq!(found(&format!("/a/{encoded}"), &[], ""), reason);
        assert_eq!(found(&format!("/a?b={encoded}"), &[], ""), reason);
        assert_eq!(found("/a", &[], &format!("any={encoded}")), reason);
        assert_eq!(found("/a", &[("x-any", &secret)], ""), reason);
        for pair in [format!("c:{secret}"), format!("c:{encoded}")] {
            let basic = format!("Basic {}", general_purpose::STANDARD.encode(pair));
            assert_eq!(found("/a", &[("authorization", &basic)], ""), reason);
        }
    }

    #[test]
    fn tokens_of_all_kinds_are_found() {
        let real = signed_by_another("https://login.microsoftonline.com/t/v2.0");
        let reason = Some("what looks like a token of a real tenant");
        assert_eq!(found(&format!("/a?b={real}"), &[], ""), reason);
        assert_eq!(found("/a", &[], &format!("assertion={real}")), reason);
        let refresh = format!("1.AX{}.Ag{}", "a".repeat(60), "b".repeat(200));
        assert_eq!(
            found("/a", &[], &format!("refresh_token={refresh}")),
            Some("what looks like a refresh token or a code of a real tenant")
        );
        let any = signed_by_another("https://token.actions.example");
        assert_eq!(
            found("/a", &[], &format!("client_assertion={any}")),
            Some("a client assertion that this world has not signed")
        );
        assert_eq!(found("/a", &[], &format!("other={any}")), None);
        let ours = jwt::sign(&serde_json::json!({ "iss": "c" }));
        assert_eq!(found("/a", &[], &format!("client_assertion={ours}")), None);
    }

    /// `token` as libraries write it that pad base64.
    fn padded(token: &str) -> String {
        let pad = |part: &str| format!("{part}{}", "=".repeat((4 - part.len() % 4) % 4));
        token.split('.').map(pad).collect::<Vec<_>>().join(".")
    }

    #[test]
    fn a_token_with_padding_is_found() {
        let issuer = "https://login.microsoftonline.com/t/v2.0";
        let real = padded(&signed_by_another(issuer));
        assert!(real.contains("=."), "{real}");
        let reason = Some("what looks like a token of a real tenant");
        let encoded = real.replace('=', "%3D");
        assert_eq!(found(&format!("/a?b={encoded}"), &[], ""), reason);
        assert_eq!(
            found("/a", &[("authorization", &format!("Bearer {real}"))], ""),
            reason
        );
        assert_eq!(found("/a", &[], &format!("assertion={encoded}")), reason);
        let ours = padded(&jwt::sign(&serde_json::json!({ "iss": issuer })));
        assert_eq!(found("/a", &[], &format!("assertion={ours}")), None);
    }

    #[test]
    fn the_assertion_of_a_certificate_is_found_wherever_it_stands() {
        let ours = jwt::sign(&serde_json::json!({
            "iss": "c", "sub": "c", "aud": "https://login.microsoftonline.com/t/oauth2/v2.0/token",
        }));
        let (signed, _) = ours.rsplit_once('.').expect("a signature");
        let assertion = format!("{signed}.{}", "A".repeat(342));
        let reason = Some("what looks like a token of a real tenant");
        for text in [&assertion, &padded(&assertion)] {
            assert_eq!(found("/a", &[("x-any", text)], ""), reason);
            assert_eq!(
                found("/a", &[], &format!("{{\"other\":\"{text}\"}}")),
                reason
            );
        }
        let other = padded(&signed_by_another("https://token.actions.example"));
        assert_eq!(
            found("/a", &[], &format!("{{\"client_assertion\":\"{other}\"}}")),
            Some("a client assertion that this world has not signed")
        );
    }

    #[test]
    fn a_secret_in_a_body_of_another_type_is_found() {
        let reason = Some("what looks like a real client secret");
        for body in [
            format!("{{\"a\":[\"{}\"]}}", secret()),
            format!("<a>{}</a>", secret()),
            secret(),
        ] {
            assert_eq!(found("/a", &[], &body), reason, "{body}");
        }
        assert_eq!(
            found("/a", &[], "{\"password\":\"hunter2\"}"),
            Some(PASSWORD)
        );
    }

    #[test]
    fn only_passwords_of_the_scenario_are_harmless() {
        assert_eq!(found("/a", &[], "password=hunter2"), Some(PASSWORD));
        for harmless in ["of-the-scenario", "of-the-world", ""] {
            assert_eq!(found("/a", &[], &format!("password={harmless}")), None);
        }
    }
}
