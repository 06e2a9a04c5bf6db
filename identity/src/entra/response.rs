//! Reads the answers of the token endpoint: a token (EN-40, EN-42) or an error (ER-01, TH-01).

use serde::Deserialize;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::{
    AccessToken, Error, ErrorKind,
    http::{self, Exchange, Reply, json, redact},
};

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
    token_type: Option<String>,
    expires_in: Option<Value>,
    refresh_in: Option<Value>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ErrorAnswer {
    error: Option<String>,
    error_description: Option<String>,
    error_codes: Vec<u64>,
    suberror: Option<String>,
    trace_id: Option<String>,
}

/// Returns the token of an answer, or its error. `secret` was sent with the request, and no error
/// may show it.
pub(super) fn token(
    credential: &str,
    secret: &str,
    exchange: Exchange,
) -> Result<AccessToken, Error> {
    let Exchange { reply, sent } = exchange;
    if reply.status != 200 {
        return Err(refusal(credential, secret, &reply));
    }
    let malformed = |what: &str| {
        Error::new(
            ErrorKind::Failed,
            credential,
            format!("the answer of Entra is malformed: {what}"),
        )
        .with_status(200)
        .with_help("something other than Entra may be answering: check proxies")
    };
    // An answer of 200 holds a token, so errors quote nothing of it but an unreadable expiry time.
    let body = Zeroizing::new(reply.body);
    let answer: TokenAnswer =
        serde_json::from_slice(&body).map_err(|_| malformed("it is not a token in JSON"))?;
    if answer.access_token.trim().is_empty() {
        return Err(malformed("its token is empty"));
    }
    if answer
        .token_type
        .is_some_and(|kind| !kind.eq_ignore_ascii_case("Bearer"))
    {
        return Err(malformed("its token is not a bearer token"));
    }
    let seconds = |value: &Option<Value>| value.as_ref().and_then(json::seconds);
    let sent = sent.start_of_life(&answer.access_token, seconds(&answer.expires_in));
    let life = |value| json::after(sent, seconds(value)?);
    let expires_on = life(&answer.expires_in).ok_or_else(|| {
        let fields = [("expires_in", answer.expires_in.as_ref())];
        malformed(&json::unreadable_expiry(&fields))
    })?;
    let refresh_on = life(&answer.refresh_in);
    Ok(AccessToken::new(answer.access_token, expires_on, credential).with_refresh_on(refresh_on))
}

/// Returns the error for a status other than 200. The body may be JSON or, for a throttled
/// application, plain text.
pub(super) fn refusal(credential: &str, secret: &str, reply: &Reply) -> Error {
    let text = String::from_utf8_lossy(&reply.body);
    let answer: ErrorAnswer = serde_json::from_str(&text).unwrap_or_default();
    // The decoded strings are redacted, because JSON may escape the secret.
    let safe = |text: &str| redact::excerpt(&redact::without_secret(text, secret));
    let description = answer.error_description.as_deref().unwrap_or_default();
    let code = (answer
        .error_codes
        .first()
        .map(|code| format!("AADSTS{code}")))
    .or_else(|| aadsts_code(description))
    .or_else(|| answer.error.clone());
    let kind = if needs_interaction(&answer) {
        ErrorKind::InteractionRequired
    } else {
        ErrorKind::Failed
    };

    // The ids and the time at the end of a description are left out: the id has its own field.
    let description = description.split("Trace ID:").next().unwrap_or_default();
    let text = match &answer.error {
        Some(error) => safe(&format!("{error}: {description}")),
        None => redact::quoted(&text, secret),
    };
    let message = format!(
        "Entra answered {}{}: {text}",
        reply.status,
        http::error::times(reply)
    );
    let help = help(reply.status, kind, code.as_deref());
    let error = Error::new(kind, credential, message).with_help(help);
    let request_id = answer
        .trace_id
        .as_deref()
        .or(reply.header("x-ms-request-id"));
    let (code, request_id) = (code.as_deref().map(safe), request_id.map(safe));
    http::error::refused(error, reply, code.as_deref(), request_id.as_deref())
}

/// Returns whether a user has to act, such as to sign in again (ER-06).
fn needs_interaction(answer: &ErrorAnswer) -> bool {
    const ERRORS: [&str; 6] = [
        "interaction_required",
        "consent_required",
        "login_required",
        "bad_token",
        "ui_not_allowed",
        "interrupted_user",
    ];
    const SUBERRORS: [&str; 8] = [
        "message_only",
        "additional_action",
        "basic_action",
        "user_password_expired",
        "consent_required",
        "bad_token",
        "ui_not_allowed",
        "interrupted_user",
    ];
    let description = answer.error_description.as_deref().unwrap_or_default();
    let has = |word: &&str| answer.error.as_deref() == Some(word) || description.contains(word);
    ERRORS.iter().any(has)
        || answer
            .suberror
            .as_deref()
            .is_some_and(|suberror| SUBERRORS.contains(&suberror))
}

/// Returns the first `AADSTS` code in `text`, such as `AADSTS7000215`.
pub(crate) fn aadsts_code(text: &str) -> Option<String> {
    let at = text.find("AADSTS")?;
    let digits: String = text[at + "AADSTS".len()..]
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    (!digits.is_empty()).then(|| format!("AADSTS{digits}"))
}

/// Returns the advice for the usual errors of applications (ER-09).
fn help(status: u16, kind: ErrorKind, code: Option<&str>) -> String {
    let known = match (code, status) {
        (Some("AADSTS7000215"), _) => "the client secret is wrong: use its value, not its id",
        (Some("AADSTS7000222"), _) => "the client secret has expired: create a new one",
        (Some("AADSTS700016"), _) => "the tenant does not know this client id: check both",
        (Some("AADSTS7000112"), _) => "the application is disabled in this tenant",
        (Some("AADSTS700024"), _) => {
            "the assertion has ended or has not begun: check what renews it, and this host's clock"
        }
        (Some("AADSTS700211" | "AADSTS700212" | "AADSTS700213" | "AADSTS70021"), _) => {
            "compare issuer, subject and audience of the assertion with the federated credential \
             of the application"
        }
        (Some("AADSTS90002"), _) => "there is no such tenant: check the tenant id",
        (Some("AADSTS70011" | "AADSTS500011"), _) => {
            "check the scope: it should look like https://vault.azure.net/.default"
        }
        _ if kind == ErrorKind::InteractionRequired => {
            "the user has to sign in as the policy requires, or an administrator has to change the policy"
        }
        (_, 429) => "Entra throttles this application: ask less often, and cache tokens",
        (_, 500..=599) => "Entra reports an internal error: try again later",
        (Some(code), _) if code.starts_with("AADSTS") => {
            let number = code.trim_start_matches("AADSTS");
            return format!("see https://login.microsoftonline.com/error?code={number}");
        }
        _ => "check the authority host, the tenant and the client id",
    };
    known.to_owned()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn the_first_code_is_found() {
        assert_eq!(
            aadsts_code("x AADSTS50076: y AADSTS1"),
            Some("AADSTS50076".to_owned())
        );
        assert_eq!(aadsts_code("AADSTS: y"), None);
        assert_eq!(aadsts_code(""), None);
    }

    #[test]
    fn er_09_the_help_fits_the_error() {
        use ErrorKind::{Failed, InteractionRequired};
        for (status, kind, code, expected) in [
            (401, Failed, Some("AADSTS7000215"), "secret is wrong"),
            (401, Failed, Some("AADSTS7000222"), "secret has expired"),
            (
                400,
                Failed,
                Some("AADSTS700016"),
                "does not know this client",
            ),
            (400, Failed, Some("AADSTS7000112"), "is disabled"),
            (400, Failed, Some("AADSTS90002"), "no such tenant"),
            (401, Failed, Some("AADSTS700024"), "has ended"),
            (401, Failed, Some("AADSTS700211"), "federated credential"),
            (401, Failed, Some("AADSTS700213"), "federated credential"),
            (400, Failed, Some("AADSTS70011"), "check the scope"),
            (400, Failed, Some("AADSTS500011"), "check the scope"),
            (
                400,
                InteractionRequired,
                Some("AADSTS50076"),
                "has to sign in",
            ),
            (429, Failed, None, "throttles"),
            (429, Failed, Some("AADSTS50196"), "throttles"),
            (500, Failed, Some("AADSTS90033"), "an internal error"),
            (599, Failed, None, "an internal error"),
            (400, Failed, Some("AADSTS50034"), "error?code=50034"),
            (
                400,
                Failed,
                Some("invalid_grant"),
                "check the authority host",
            ),
            (404, Failed, None, "check the authority host"),
        ] {
            let help = help(status, kind, code);
            assert!(help.contains(expected), "{status} {code:?}: {help}");
        }
    }

    proptest::proptest! {
        /// Any answer is a token with an end, or an error without the secret.
        #[test]
        fn any_answer_is_survived(
            status in 100u16..600,
            before in r#"(\{"(access_token|error|error_description|error_codes)":"?)?.{0,20}"#,
            after in r#".{0,20}("\})?"#,
        ) {
            let secret = "s3cr3t";
            let body = format!("{before}{secret}{after}").into_bytes();
            let reply =
                Reply { status, headers: Vec::new(), body, retry_at: None, is_retried: false, attempts: 1 };
            let exchange = Exchange { reply, sent: http::Sent::at(Timestamp::UNIX_EPOCH) };
            if let Err(error) = token("Test", secret, exchange) {
                assert!(!format!("{error} {error:?}").contains(secret));
                assert_eq!(error.status(), Some(status));
            }
        }
    }
}
