//! The user name in a token.

use base64::{
    Engine as _,
    alphabet::URL_SAFE,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde_json::Value;

use crate::{Error, ErrorKind};

use super::NAME;

/// Base64url with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Returns the claim `oid` at the top level of the claims of `token` (RD-35, RD-54, PR-33).
///
/// # Errors
/// `Failed` when the token is no JWT, or its `oid` is missing, empty or not a string. There is no
/// fallback to the user `default`.
pub(super) fn user_name(token: &str) -> Result<String, Error> {
    let mut parts = token.split('.');
    let (Some(_), Some(claims), Some(_), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(unusable("is no JWT: it does not have three parts"));
    };
    let json = BASE64
        .decode(claims)
        .map_err(|_| unusable("is no JWT: its claims are not in base64url"))?;
    let claims: Value = serde_json::from_slice(&json)
        .map_err(|_| unusable("is no JWT: its claims are not JSON"))?;
    match claims.get("oid") {
        Some(Value::String(oid)) if !oid.trim().is_empty() => Ok(oid.clone()),
        Some(Value::String(_)) => Err(unusable("has an empty claim `oid`")),
        Some(_) => Err(unusable("has a claim `oid` that is no text")),
        None => Err(unusable("has no claim `oid`")),
    }
}

fn unusable(what: &str) -> Error {
    Error::new(
        ErrorKind::Failed,
        NAME,
        format!("the token {what}, so there is no user name for Redis"),
    )
    .with_help(
        "ask Entra for a v1 or v2 access token of the scope https://redis.azure.com/.default; \
         a token of a personal account or of another service does not do",
    )
}
