//! Reads what a managed identity service answers: a token (MI-50, MI-51) or an error (MI-60 to
//! MI-70).

use serde::Deserialize;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::{
    AccessToken, Error, ErrorKind,
    cache::half_of_a_long_life,
    retry::Reply,
    wire::{self, Exchange},
};

use super::{ManagedIdentityId, NAME};

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
    expires_on: Option<Value>,
    expires_in: Option<Value>,
    refresh_in: Option<Value>,
}

/// The shapes of MI-60 (`error` is a code), MI-69 (`message`) and MI-70 (`error` is an object).
#[derive(Default, Deserialize)]
#[serde(default)]
struct ErrorAnswer {
    error: Value,
    error_description: Option<String>,
    message: Option<String>,
    #[serde(alias = "correlationId")]
    correlation_id: Option<String>,
}

/// The token in an answer, or the error that the answer stands for.
pub(super) fn token(exchange: Exchange, id: &ManagedIdentityId) -> Result<AccessToken, Error> {
    let Exchange { reply, sent } = exchange;
    if reply.status != 200 {
        return Err(refusal(&reply, id));
    }
    let malformed = |what: &str| {
        Error::new(
            ErrorKind::Failed,
            NAME,
            format!("the answer of IMDS is malformed: {what}"),
        )
        .with_status(200)
        .with_help("something other than the metadata service may be answering: check proxies")
    };
    // Nothing of a good answer is ever quoted: it holds a token.
    let body = Zeroizing::new(reply.body);
    let answer: TokenAnswer =
        serde_json::from_slice(&body).map_err(|_| malformed("it is not a token in JSON"))?;
    if answer.access_token.trim().is_empty() {
        return Err(malformed("its token is empty"));
    }
    let life = |seconds: Option<&Value>| wire::after(sent, seconds.and_then(wire::seconds)?);
    // Where both are given, the earlier end is the safe one: by a slow clock of this host the
    // moment is too far away, while the life is right by any clock (PR-20).
    let moment = answer.expires_on.as_ref().and_then(wire::moment);
    let expires_on = [moment, life(answer.expires_in.as_ref())]
        .into_iter()
        .flatten()
        .min()
        .ok_or_else(|| malformed("it does not say when the token ends"))?;
    // A caller that keeps its token gets the hint of PR-21 where IMDS gives none (MI-53).
    let refresh_on =
        life(answer.refresh_in.as_ref()).or_else(|| half_of_a_long_life(sent, expires_on));
    Ok(AccessToken::new(answer.access_token, expires_on, NAME).with_refresh_on(refresh_on))
}

/// The error for a status that is not 200 (PR-01).
pub(super) fn refusal(reply: &Reply, id: &ManagedIdentityId) -> Error {
    let text = String::from_utf8_lossy(&reply.body);
    let answer: ErrorAnswer = serde_json::from_str(&text).unwrap_or_default();
    let code = match &answer.error {
        Value::String(code) => Some(code.as_str()),
        nested => nested["code"].as_str(),
    };
    let description = answer
        .error_description
        .as_deref()
        .or(answer.message.as_deref())
        .or(answer.error["message"].as_str());
    let said = match (code, description) {
        (Some(code), Some(description)) => format!("{code}: {description}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        // IMDS is sent no secret.
        (None, None) => wire::quoted(&text, ""),
    };
    let said = wire::excerpt(&said);

    let (kind, help) = judge(reply.status, &text, id);
    let times = wire::times(reply);
    let message = format!("IMDS answered {}{times}: {said}", reply.status);
    let mut error = Error::new(kind, NAME, message).with_help(help);
    if reply.status == 404 {
        // The service is being updated (MI-64).
        error = error.with_transient();
    }
    let request_id = reply
        .header("x-ms-request-id")
        .or(answer.correlation_id.as_deref());
    wire::refused(error, reply, code, request_id)
}

/// Whether a refusal means that there is no managed identity here, or that it failed, and what can
/// be done.
fn judge(status: u16, text: &str, id: &ManagedIdentityId) -> (ErrorKind, &'static str) {
    let mentions = |words: &str| text.to_ascii_lowercase().contains(words);
    let system = *id == ManagedIdentityId::SystemAssigned;
    match status {
        400 if system && mentions("identity not found") => (
            ErrorKind::Unavailable,
            "assign an identity to this host, or name a user-assigned one by its id",
        ),
        400 if mentions("identity not found") => (
            ErrorKind::Failed,
            "assign the identity with this id to this host",
        ),
        403 if mentions("unreachable") => (
            ErrorKind::Unavailable,
            "a proxy answered in place of the metadata service, as Docker Desktop does",
        ),
        404 | 410 | 429 | 500..=599 => (
            ErrorKind::Failed,
            "wait until the metadata service of this host has recovered",
        ),
        401 | 403 => (
            ErrorKind::Failed,
            "see what stands between this host and its metadata service: a policy or a proxy",
        ),
        100..=399 => (
            ErrorKind::Failed,
            "something other than the metadata service may be answering: check proxies",
        ),
        _ => (
            ErrorKind::Failed,
            "check the resource asked for and the identity's id",
        ),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    proptest::proptest! {
        /// Whatever comes is a token that says when it ends, or an error.
        #[test]
        fn any_answer_is_survived(
            status in 100u16..600,
            body in r#"(\{"(access_token|error|expires_on|message)":("[a-z0-9]*"|[0-9]{0,20}|\{\}|null)[,}]"?)?.*"#,
        ) {
            let body = body.into_bytes();
            let reply =
                Reply { status, headers: Vec::new(), body, retry_at: None, attempts: 1 };
            let exchange = Exchange { reply, sent: Timestamp::UNIX_EPOCH };
            match token(exchange, &ManagedIdentityId::SystemAssigned) {
                Ok(token) => assert!(status == 200 && !token.secret().is_empty()),
                Err(error) => assert_eq!(error.status(), Some(status)),
            }
        }
    }
}
