//! Assertions of other issuers as proof of an application's identity (WI-04).

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;

use super::{
    Refusal,
    world::{App, Entra, FederatedCredential, Replay},
};
use crate::{
    backend::jwt::{self, NotVerified},
    trace::{Fingerprint, fingerprint},
};

/// The type of an assertion that is a JWT.
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The assertions that were accepted.
#[derive(Clone, Default)]
pub(super) struct Presented(BTreeSet<Fingerprint>);

/// The claims of an assertion that matter here.
struct Claims {
    issuer: String,
    subject: String,
    audience: String,
    not_before: i64,
    expires_on: i64,
}

impl Claims {
    fn of(claims: &Value) -> Option<Self> {
        let text = |name: &str| Some(claims.get(name)?.as_str()?.to_owned());
        let audience = match claims.get("aud")? {
            Value::String(one) => one.clone(),
            // A cluster's tokens hold a list.
            Value::Array(all) => all.first()?.as_str()?.to_owned(),
            _ => return None,
        };
        Some(Self {
            issuer: text("iss")?,
            subject: text("sub")?,
            audience,
            not_before: claims.get("nbf").and_then(Value::as_i64).unwrap_or(0),
            expires_on: claims.get("exp")?.as_i64()?,
        })
    }
}

/// Accepts an assertion as proof of `app`, or says why it is refused: its form, its signature, its
/// lifetime, and then issuer, audience and subject in this order.
pub(super) fn accept(
    entra: &Entra,
    app: &App,
    kind: Option<&str>,
    assertion: &str,
    now: Timestamp,
) -> Result<(), Refusal> {
    if kind != Some(JWT_BEARER) {
        return Err(Refusal::missing("client_assertion_type"));
    }
    let claims = jwt::verify(assertion).map_err(|why| match why {
        NotVerified::Malformed => Refusal::malformed_assertion(),
        NotVerified::UnknownKey | NotVerified::Signature => Refusal::wrong_signature(),
    })?;
    let claims = Claims::of(&claims).ok_or_else(Refusal::malformed_assertion)?;
    let leeway = i64::try_from(entra.assertion_leeway.0.as_secs()).unwrap_or(i64::MAX / 2);
    let at = now.as_second();
    if at < claims.not_before.saturating_sub(leeway)
        || at >= claims.expires_on.saturating_add(leeway)
    {
        let status = entra.expired_assertion_status;
        let (begin, end) = (claims.not_before, claims.expires_on);
        return Err(Refusal::outside_its_lifetime(status, at, begin, end));
    }
    let mut known: Vec<&FederatedCredential> = app.federated.iter().collect();
    known.retain(|credential| credential.issuer == claims.issuer);
    if known.is_empty() {
        return Err(Refusal::no_issuer(&claims.issuer));
    }
    known.retain(|credential| credential.audience == claims.audience);
    if known.is_empty() {
        return Err(Refusal::no_audience(&claims.audience));
    }
    known.retain(|credential| credential.subject == claims.subject);
    if known.is_empty() {
        return Err(Refusal::no_subject(&claims.subject));
    }
    Ok(())
}

/// Takes note of an assertion that is accepted.
///
/// # Errors
/// It was accepted before, and the world refuses that.
pub(super) fn note(
    presented: &mut Presented,
    replay: Replay,
    assertion: &str,
) -> Result<(), Refusal> {
    match replay {
        Replay::Accepted => Ok(()),
        Replay::Refused => match presented.0.insert(fingerprint(assertion)) {
            true => Ok(()),
            false => Err(Refusal::replayed()),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ::http::Method;

    use crate::{
        backend::{
            Backend,
            issuer::Assertion,
            testing::{backend, json, request},
        },
        http::exchange::Endpoint as _,
        service::entra::server::Entra,
    };

    const AUDIENCE: &str = "api://AzureADTokenExchange";

    fn world(more: &str) -> Backend {
        let text = format!(
            r#"
            [entra]
            {more}
            [[entra.apps]]
            client-id = "app"
            object-id = "app-object"
            federated = [
                {{ issuer = "https://cluster", subject = "system:serviceaccount:shop:cart" }},
                {{ issuer = "https://token.actions.githubusercontent.com", subject = "repo:org@1/repo@2:ref:refs/heads/main" }},
            ]
            "#
        );
        backend(&text).0
    }

    fn assertion<'a>(issuer: &'a str, subject: &'a str, audience: &'a str) -> Assertion<'a> {
        Assertion {
            issuer,
            subject,
            audience,
            begins: Duration::ZERO,
            life: Duration::from_secs(600),
        }
    }

    fn sign(backend: &Backend, says: &Assertion<'_>) -> String {
        let now = backend.time(Duration::ZERO);
        backend.state().issuer.assert(says, now)
    }

    /// The status and, for a refusal, its number and its description.
    fn exchange(backend: &Backend, token: &str, at: u64) -> (u16, u64, String) {
        let form = format!(
            "grant_type=client_credentials&client_id=app&client_assertion={token}&\
             client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&\
             scope=https%3A%2F%2Fvault.azure.net%2F.default"
        );
        let path = "/72f988bf-0000-0000-0000-00000000cafe/oauth2/v2.0/token";
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let post = request(Method::POST, path, &headers, &form);
        let answer = Entra.answer(backend, &post, Duration::from_secs(at));
        let body = json(&answer);
        let text = body["error_description"].as_str().unwrap_or_default();
        assert!(!text.contains(token), "{text}");
        let number = body["error_codes"][0].as_u64().unwrap_or_default();
        (answer.status.as_u16(), number, text.to_owned())
    }

    const CART: &str = "system:serviceaccount:shop:cart";

    #[test]
    fn wi_04_issuer_audience_subject_and_lifetime_are_checked() {
        let backend = world("");
        let good = sign(&backend, &assertion("https://cluster", CART, AUDIENCE));
        assert_eq!(exchange(&backend, &good, 0).0, 200);
        assert_eq!(exchange(&backend, &good, 599).0, 200, "presented again");
        let refused = |says: &Assertion<'_>, at: u64, number: u64, text: &str| {
            let (status, got, said) = exchange(&backend, &sign(&backend, says), at);
            assert_eq!((status, got), (401, number), "{said}");
            assert!(said.contains(text), "{said}");
        };
        let of = assertion;
        refused(
            &of("https://other", CART, AUDIENCE),
            0,
            700_211,
            "'https://other'",
        );
        refused(&of("https://cluster", CART, "me"), 0, 700_212, "'me'");
        refused(
            &of("https://cluster", "cart", AUDIENCE),
            0,
            700_213,
            "'cart'",
        );
        let cart = of("https://cluster", CART, AUDIENCE);
        refused(&cart, 600, 700_024, "2026-01-01T00:10:00Z");
        let early = Assertion {
            begins: Duration::from_secs(60),
            ..cart
        };
        refused(&early, 59, 700_024, "2026-01-01T00:01:00Z");
    }

    #[test]
    fn gh_03_the_spelling_of_a_subject_counts() {
        let backend = world("");
        let issuer = "https://token.actions.githubusercontent.com";
        let with = |subject: &str| sign(&backend, &assertion(issuer, subject, AUDIENCE));
        let at = with("repo:org@1/repo@2:ref:refs/heads/main");
        assert_eq!(exchange(&backend, &at, 0).0, 200);
        let dash = with("repo:org-1/repo-2:ref:refs/heads/main");
        assert_eq!(exchange(&backend, &dash, 0).1, 700_213);
    }

    #[test]
    fn knobs_change_replay_leeway_and_status() {
        let of = |more: &str| {
            let backend = world(more);
            let good = sign(&backend, &assertion("https://cluster", CART, AUDIENCE));
            (backend, good)
        };
        let (backend, good) = of("assertion-replay = \"refused\"");
        assert_eq!(exchange(&backend, &good, 0).0, 200);
        assert_eq!(exchange(&backend, &good, 1).1, 50_027);
        let (backend, good) = of("assertion-leeway = \"5m\"");
        assert_eq!(exchange(&backend, &good, 899).0, 200);
        assert_eq!(exchange(&backend, &good, 900).1, 700_024);
        let (backend, good) = of("expired-assertion-status = 400");
        assert_eq!(exchange(&backend, &good, 600).0, 400);
        let (backend, good) = of("");
        let cut = &good[..good.len() - 100];
        assert_eq!(exchange(&backend, cut, 0).1, 50_027);
        let (signed, signature) = good.rsplit_once('.').expect("three parts");
        let other: String = signature.chars().rev().collect();
        let number = exchange(&backend, &format!("{signed}.{other}"), 0).1;
        assert!([700_027, 50_027].contains(&number), "{number}");
        assert_eq!(exchange(&backend, "rubbish", 0).1, 50_027);
    }
}
